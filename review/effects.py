"""What decisions do: a moment later, so that who decided can take it back before the world hears of it.

A decision closes its request at once and leaves an `Effect`. The image moves when the effect is due; until then it
stays where it was. Every writer locks the submission first, then changes the effect by a conditional UPDATE.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from uuid_utils.compat import uuid7

from moderation import audit, lifecycle, requests
from moderation.actors import Actor
from moderation.banks import copies
from moderation.models import Bank, ReviewRequest, Status, Submission, User
from review import leases
from review.cases import plan_of
from review.models import Claim, Decision, Effect, EffectState, Verdict

SETTLES: Final[Mapping[Verdict, Status]] = {
    Verdict.APPROVE: Status.APPROVED,
    Verdict.BLOCK: Status.BLOCKED,
    Verdict.QUARANTINE: Status.QUARANTINED,
}
BATCH: Final = 200
ATTEMPTS: Final = 4

# What the decision closed, and nothing that was opened again meanwhile. The one it was made on comes back leased.
REOPEN: Final = """
UPDATE moderation_reviewrequest r SET closed_at = NULL,
    queue = CASE WHEN r.id = %(request)s THEN %(queue)s ELSE r.queue END,
    priority = CASE WHEN r.id = %(request)s THEN %(priority)s ELSE r.priority END,
    leased_until = CASE WHEN r.id = %(request)s THEN %(until)s ELSE %(now)s END
WHERE r.submission_id = %(submission)s AND (r.closed_at = %(decided)s OR (r.id = %(request)s AND r.closed_at IS NULL))
AND NOT EXISTS (
    SELECT FROM moderation_reviewrequest o
    WHERE o.submission_id = r.submission_id AND o.reason = r.reason AND o.closed_at IS NULL AND o.id <> r.id
)
RETURNING r.id
"""


class TooLate(Exception):
    """The decision is in effect, or was taken back already; nothing was changed. Ask for a second opinion instead."""


def begin(
    decision: Decision, request: ReviewRequest, *, settles: bool = True, bank: Bank | None = None, held: str = ""
) -> Effect:
    """The effect of a decision, to be written with it; due at once where nothing may be undone, and not before a second
    person agrees where it is `held` (the words say why). One that does not settle its request takes effect like any
    other, and moves nothing.
    """
    due = decision.decided_at + timedelta(seconds=settings.REVIEW_UNDO_SECONDS)
    effect = Effect(
        decision=decision,
        submission=request.submission,
        due_at=due,
        queue=request.queue,
        bank=bank,
        settles=settles,
    )
    if held:
        effect.state, effect.words = EffectState.HELD, held
    elif due <= decision.decided_at:
        effect.state, effect.ended_at = EffectState.APPLIED, decision.decided_at
    return effect


def take(effect: Effect) -> bool:
    """The image goes where the verdict puts it, and its copies become known; whether it moved. For a locked submission,
    in the transaction that says the effect is applied.
    """
    decision, submission = effect.decision, effect.submission
    if not effect.settles:
        return False
    if effect.bank:
        copies.remember(submission, effect.bank, decision=decision.pk, person=decision.reviewer)
    moves = moves_of(decision, Status(submission.status))
    for to in moves:
        actor = Actor.person(decision.reviewer)
        lifecycle.move(submission, to, actor=actor, reason="decision", **recorded(decision))
    return bool(moves)


def moves_of(decision: Decision, origin: Status) -> list[Status]:
    """The legal moves to where the verdict puts the image; none when it is there.

    What lies under legal hold by now stays there: only two people get it out.
    """
    to = SETTLES.get(Verdict(decision.verdict))
    if to is None or origin in {to, Status.QUARANTINED}:
        return []
    return [to] if to in lifecycle.LEGAL[origin] else [Status.IN_REVIEW, to]


def recorded(decision: Decision) -> dict[str, Any]:
    """What the audit log keeps of a decision: enough to know what was said, by which rule, and after seeing what."""
    claim = decision.claim
    return {
        "decision": str(decision.pk),
        "verdict": str(decision.verdict),
        "labels": decision.labels,
        "policy": str(decision.policy),
        "plan": plan_of(decision.plan_id).number if decision.plan_id else None,
        "seen": decision.seen,
        "request": str(claim.request_id),
        "asked": claim.request.reason,
        "needed": claim.request.needed,
        "claim": str(claim.pk),
        "claimed_at": claim.claimed_at.isoformat(),
    }


def apply_due(*, batches: int = 50) -> tuple[int, bool]:
    """Everything that is due takes effect. How many did, and whether a bank learnt of copies."""
    applied, learnt = 0, False
    for _batch in range(batches):
        effects = apply_batch()
        applied += len(effects)
        learnt = learnt or any(effect.bank_id for effect in effects)
        if not effects:
            break
    return applied, learnt


@transaction.atomic
def apply_batch() -> list[Effect]:
    """The oldest that are due, whose images nobody else is working on. One that teaches a bank goes by itself: a bank's
    lock is taken before any chain of the audit log's.
    """
    now = timezone.now()
    due = Effect.objects.filter(state=EffectState.PENDING, due_at__lte=now)
    candidates = list(due.order_by("due_at").values_list("submission_id", "bank_id")[:BATCH])
    if candidates and candidates[0][1]:
        candidates = candidates[:1]
    keys = [key for key, bank in candidates if not bank or len(candidates) == 1]
    # In the order of keys; what somebody decides on, or takes back, at this moment is looked at again next time.
    locked = Submission.objects.filter(pk__in=keys).order_by("pk").select_for_update(skip_locked=True, no_key=True)
    submissions = {one.pk: one for one in locked}
    effects = list(
        due.filter(submission__in=submissions)
        .filter(bank__isnull=not candidates[0][1])
        .select_related("decision__reviewer", "decision__policy", "decision__claim__request", "bank")
        .order_by("decision_id")
        if submissions
        else ()
    )
    Effect.objects.filter(pk__in=[one.pk for one in effects]).update(state=EffectState.APPLIED, ended_at=now)
    if len(effects) > 1:
        audit.reserve(audit.submission(effect.submission_id) for effect in effects)
    for effect in effects:
        effect.submission = submissions[effect.submission_id]
        take(effect)
    return effects


@transaction.atomic
def undo(decision_id: UUID, reviewer: User) -> Claim | None:
    """The decision stays on record as taken back, its requests are open again, and its own is leased to the reviewer
    once more; None when somebody else was asked the same in the meantime.

    Raises Decision.DoesNotExist for another's decision, and TooLate.
    """
    decision = Decision.objects.select_related("claim__request").get(pk=decision_id, reviewer=reviewer)
    submission = Submission.objects.select_for_update(no_key=True).get(pk=decision.submission_id)
    now = timezone.now()
    standing = Effect.objects.filter(pk=decision_id, state__in=(EffectState.PENDING, EffectState.HELD))
    effect = standing.first()
    if effect is None or (effect.state == EffectState.PENDING and effect.due_at <= now):
        raise TooLate(_("This decision is in effect already. Ask for a second opinion to have it looked at again."))
    standing.update(state=EffectState.UNDONE, ended_at=now, ended_by=reviewer)
    claim = reopen(effect, now=now)
    data = {"decision": str(decision_id), "verdict": decision.verdict, "request": str(decision.claim.request_id)}
    audit.record(audit.Entry(Actor.person(reviewer), "decision.undone", audit.submission(submission.pk), data))
    return claim


def reopen(effect: Effect, *, now: datetime) -> Claim | None:
    """The requests that the decision closed are open again, the one it was made on in its reviewer's hands."""
    decision = effect.decision
    until = now + timedelta(seconds=settings.REVIEW_LEASE_SECONDS)
    request = decision.claim.request_id
    opened = open_again(effect, queue=effect.queue, until=until, now=now)
    if request not in opened or Claim.objects.filter(request=request, ended_at__isnull=True).exists():
        return None
    claim = Claim(id=uuid7(), request_id=request, reviewer=decision.reviewer, claimed_at=now, expires_at=until)
    leases.lease([claim])
    return claim


def open_again(effect: Effect, *, queue: str, until: datetime, now: datetime) -> set[UUID]:
    """Reopens what the decision closed; the request it was made on goes to `queue`, leased until `until`."""
    decision = effect.decision
    requests.put_in(decision.claim.request, queue)
    values: dict[str, Any] = {
        "submission": effect.submission_id,
        "request": decision.claim.request_id,
        "queue": decision.claim.request.queue,
        "priority": decision.claim.request.priority,
        "until": until,
        "now": now,
        "decided": decision.decided_at,
    }
    for _attempt in range(ATTEMPTS - 1):
        with suppress(IntegrityError), transaction.atomic():  # the same is being asked again at this moment
            return reopened(values)
    return reopened(values)


def reopened(values: dict[str, Any]) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(REOPEN, values)
        return {key for (key,) in cursor.fetchall()}
