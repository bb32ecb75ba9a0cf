"""A person's decision: one row that is never edited, and its effects, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from uuid_utils.compat import uuid7

from moderation import audit, metrics
from moderation.actors import Actor
from moderation.banks import copies
from moderation.banks.keeping import Retired, UnfitBank
from moderation.models import Bank, Reason, ReviewRequest, Scope, Status, User
from review import consensus, effects, holding, leases, mentions
from review.blinding import is_unaided
from review.cases import policy_of
from review.consensus import Word
from review.judgements import Judgement, UnfitDecision
from review.models import Claim, Decision, Effect, EffectState, Verdict
from review.queue import ESCALATED, ClaimEnded, DecidedBefore, NotForYou, check_holder, is_live

LONGEST_KEY: Final = 200

# Requests that ask what to do with the image: one answer answers them all.
SAME_QUESTION: Final = (Reason.UNCERTAIN, Reason.POLICY, Reason.CLASSIFIER_ERROR, Reason.HASH_MATCH)
# Any answer is one to learn from.
ANSWERED: Final = (*SAME_QUESTION, Reason.LEARNING)


class KeyReused(Exception):
    """This Idempotency-Key came with another decision before. Use a new key for a new decision; nothing was changed."""


class NoGuideline(Exception):
    """There is no guideline to decide by. A policy lead publishes one, at least for OTHER."""


@transaction.atomic
def decide(
    claim_id: UUID,
    reviewer: User,
    *,
    verdict: str,
    labels: Sequence[Mapping[str, Any]] = (),
    rationale: str = "",
    note: str = "",
    seen: Mapping[str, Any] | None = None,
    bank: str = "",
    idempotency_key: str = "",
) -> Decision:
    """Afterwards the decision is on record, the claim has ended, and the request is settled, escalated or free again:
    for one of several votes see `review.consensus`. The image moves when the decision cannot be undone any more
    (`review.effects`), and with a `bank` (its name, or "category" for that of the gravest category) its copies are
    known from then on.

    The same key with the same words gives the same decision again. Raises UnfitDecision, KeyReused, NoGuideline,
    NotForYou, Claim.DoesNotExist, NotYourClaim, ClaimEnded (late, given back, settled by another) or DecidedBefore;
    then nothing has changed.
    """
    said = Judgement.of(verdict=verdict, labels=labels, rationale=rationale, note=note, seen=seen)
    if len(idempotency_key) > LONGEST_KEY or not idempotency_key.isprintable():
        raise UnfitDecision("#", _("An Idempotency-Key has at most %(most)d characters.") % {"most": LONGEST_KEY})
    claim, guideline = leases.lock_to_decide(claim_id, said.category)
    check_holder(claim, reviewer)
    now = timezone.now()
    if not is_live(claim, now=now):
        return earlier(claim, said, idempotency_key)
    check(said, claim.request)
    taught = bank_of(said, bank, claim.request, reviewer) if bank else None
    decision = drafted(said, claim, reviewer, idempotency_key, guideline=guideline, now=now)
    counted = consensus.count(said.verdict, claim.request)
    held = holding.why(said) if counted.settles else ""
    effect = effects.begin(decision, claim.request, settles=counted.settles, bank=taught or counted.bank, held=held)
    write(said, effect, claim.request, counted.word)
    mentions.mention(decision)
    if effect.state != EffectState.APPLIED or not effects.take(effect):
        subject = audit.submission(decision.submission_id)
        said_on_record = {**effects.recorded(decision), **({"held": held} if held else {})}
        audit.record(audit.Entry(Actor.person(reviewer), "decision.recorded", subject, said_on_record))
    transaction.on_commit(partial(metrics.DECISIONS.add, verdict=str(said.verdict)), robust=True)
    return decision


def bank_of(said: Judgement, name: str, request: ReviewRequest, reviewer: User) -> Bank | None:
    """The bank that the image's hashes go into. Raises UnfitDecision or NotForYou."""
    if not reviewer.has_scope(Scope.BANKS_ADD):
        raise NotForYou(_("Your roles do not include “%(scope)s”.") % {"scope": Scope.BANKS_ADD.label})
    if said.verdict not in {Verdict.BLOCK, Verdict.QUARANTINE}:
        raise UnfitDecision("#/bank", _("Only what is blocked or quarantined is made known to a bank."))
    if not isinstance(name, str):
        raise UnfitDecision("#/bank", _("A bank is given by its name."))
    categories = [label["category"] for label in said.labels]
    try:
        bank = copies.bank_for(name, categories=categories, gravest=said.category, person=reviewer)
    except (UnfitBank, Retired) as error:
        raise UnfitDecision("#/bank", str(error)) from error
    # A gold item tests the reviewer: nothing comes of it, and nothing tells.
    return None if request.reason == Reason.GOLD else bank


def earlier(claim: Claim, said: Judgement, idempotency_key: str) -> Decision:
    """The decision already made on this claim, when this is the same one sent again. Raises ClaimEnded or KeyReused."""
    made = Decision.objects.filter(claim=claim).first() if idempotency_key else None
    if made is None or made.idempotency_key != idempotency_key:
        raise gone()
    if not said.is_of(made):
        raise KeyReused(_("This Idempotency-Key was used for another decision. Nothing was changed."))
    return made


def gone() -> ClaimEnded:
    return ClaimEnded(_("This claim has ended: it was decided, given back, or its lease ran out. Claim the next one."))


def check(said: Judgement, request: ReviewRequest) -> None:
    """Whether this verdict may be given on this request. Raises ClaimEnded or UnfitDecision."""
    if request.submission.status == Status.QUARANTINED:
        raise ClaimEnded(_("This image came under legal hold in the meantime. Claim the next one."))
    if said.verdict == Verdict.ESCALATE and request.queue == ESCALATED:
        raise UnfitDecision("#/verdict", _("This request is already escalated: decide, or skip it."))


def drafted(
    said: Judgement, claim: Claim, reviewer: User, idempotency_key: str, *, guideline: UUID | None, now: datetime
) -> Decision:
    """The decision, by this guideline: of the gravest category named, else the likely one. Raises NoGuideline."""
    submission = claim.request.submission
    if guideline is None:
        raise NoGuideline(_("No guideline is published yet, so nobody can decide. Ask a policy lead to publish one."))
    return Decision(
        id=uuid7(),
        claim=claim,
        submission=submission,
        reviewer=reviewer,
        verdict=said.verdict.value,
        labels=said.labels,
        rationale=said.rationale,
        note=said.note,
        seen=said.seen | {"scores": not is_unaided(claim.request)},
        policy=policy_of(guideline),
        plan_id=submission.plan_id,
        idempotency_key=idempotency_key,
        decided_at=now,
    )


def write(said: Judgement, effect: Effect, request: ReviewRequest, word: Word) -> None:
    """Put both on record and end the claim; and close the request with those it answers too, hand it to the seniors, or
    leave it to somebody else; the latter two once it cannot be undone any more. Raises DecidedBefore or ClaimEnded.
    """
    to = goes_to(said, request, word)
    answers = None if to else () if word is Word.TESTS else answered_by(said)
    match leases.write(effect.decision, effect, request, answers=answers):
        case leases.Written.JUDGED:
            raise DecidedBefore(
                _("You decided on this image before, so somebody else answers this time. Give the request back.")
            )
        case leases.Written.ENDED:
            raise gone()
    if to:
        leases.free(request, queue=to, now=effect.due_at)


def goes_to(said: Judgement, request: ReviewRequest, word: Word) -> str:
    """The queue in which the request waits for somebody else; "" when it is closed."""
    if word is Word.TESTS:
        return ""
    if said.verdict == Verdict.SKIP or word is Word.WAITS:
        return request.queue
    return ESCALATED if said.verdict == Verdict.ESCALATE or word is Word.SPLITS else ""


def answered_by(said: Judgement) -> Collection[Reason]:
    """For which reasons an open request for the same image needs no answer of its own any more."""
    if said.verdict == Verdict.QUARANTINE:
        return Reason  # nobody is to look at it again
    return ANSWERED
