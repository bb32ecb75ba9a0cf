"""Decisions that wait for a second person: which ones, who may answer, and what becomes of them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import Max, Min, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from moderation import audit, lifecycle, roles
from moderation.actors import HOUSE, Actor
from moderation.models import Scope, Status, Submission, User
from review import effects
from review.judgements import Judgement, UnfitDecision, text_of
from review.models import Effect, EffectState, Verdict
from review.queue import ESCALATED, NotForYou

APPROVERS: Final = Scope.REVIEW_ESCALATED
COUNTED: Final = 99  # more are "99+" in the header
BATCH: Final = 200
REMIND: Final = timedelta(days=1)


class NotHeld(Exception):
    """Somebody answered it meanwhile, or who decided took it back; nothing was changed. Reload the list."""


def why(said: Judgement) -> str:
    """Why this needs a second person before it takes effect; "" when it does not."""
    gravest = max((int(label["severity"]) for label in said.labels), default=0)
    if said.verdict != Verdict.BLOCK or gravest < settings.HOLD_SEVERITY:
        return ""
    return _("A block of severity S%(severity)d needs a second person.") % {"severity": gravest}


def held() -> QuerySet[Effect]:
    return Effect.objects.filter(state=EffectState.HELD)


def for_person(person: User) -> QuerySet[Effect]:
    """What waits for this person's answer: everything but their own."""
    return held().exclude(decision__reviewer=person) if person.has_scope(APPROVERS) else Effect.objects.none()


def count(person: User) -> int:
    """How many wait for this person, up to COUNTED + 1. One query, of bounded cost."""
    return for_person(person).order_by().values("pk")[: COUNTED + 1].count()


def check(person: User) -> None:
    """Raises NotForYou."""
    if not person.has_scope(APPROVERS):
        raise NotForYou(_("Your roles do not include “%(scope)s”.") % {"scope": APPROVERS.label})


@transaction.atomic
def approve(decision_id: UUID, person: User) -> Effect:
    """Afterwards the decision is in effect. Raises NotForYou, Effect.DoesNotExist or NotHeld."""
    effect = locked(decision_id, person)
    end(effect, EffectState.APPLIED, person)
    effects.take(effect)
    record(effect, person, "decision.approved")
    return effect


@transaction.atomic
def send_back(decision_id: UUID, person: User, *, words: str) -> Effect:
    """Afterwards the decision will never take effect, and its requests are open again for somebody else: the one it
    was made on among the seniors' own, where these words are shown.

    Raises UnfitDecision, NotForYou, Effect.DoesNotExist or NotHeld.
    """
    said = text_of(words, "words").strip()
    if not said:
        raise UnfitDecision("#/words", _("Say why, so that whoever decides next knows."))
    effect = locked(decision_id, person)
    now = end(effect, EffectState.REFUSED, person, words=said)
    if effect.submission.status != Status.QUARANTINED:
        effects.open_again(effect, queue=ESCALATED, until=now, now=now)
    record(effect, person, "decision.sent_back", words=said)
    return effect


def locked(decision_id: UUID, person: User) -> Effect:
    """The effect with its submission locked, for a person who may answer."""
    check(person)
    related = ("decision__reviewer", "decision__policy", "decision__claim__request", "bank")
    effect = Effect.objects.select_related(*related).get(pk=decision_id)
    if effect.decision.reviewer_id == person.pk:
        raise NotForYou(_("You decided this yourself: a second person answers. You may still take it back."))
    effect.submission = Submission.objects.select_for_update(no_key=True).get(pk=effect.submission_id)
    return effect


def end(effect: Effect, state: EffectState, person: User, **fields: Any) -> datetime:
    now = timezone.now()
    if not held().filter(pk=effect.pk).update(state=state, ended_at=now, ended_by=person, **fields):
        raise NotHeld(_("Somebody answered this meanwhile, or it was taken back. Reload the list."))
    return now


def record(effect: Effect, person: User, action: str, **more: str) -> None:
    decision = effect.decision
    data = {
        "decision": str(decision.pk),
        "verdict": decision.verdict,
        "labels": decision.labels,
        "decided_by": str(Actor.person(decision.reviewer)),
        **more,
    }
    audit.record(audit.Entry(Actor.person(person), action, audit.submission(effect.submission_id), data))


@transaction.atomic
def step_back() -> int:
    """What is public goes back into review while a grave word on it waits for a second person. How many did."""
    overdue = held().filter(due_at__lte=timezone.now(), submission__status=Status.APPROVED)
    keys = list(overdue.order_by("due_at").values_list("submission_id", flat=True)[:BATCH])
    if not keys:
        return 0
    public = Submission.objects.filter(pk__in=keys, status=Status.APPROVED).order_by("pk")
    moves = [
        lifecycle.Move(one, Status.IN_REVIEW, "held")
        for one in public.select_for_update(skip_locked=True, no_key=True)
        if held().filter(submission=one).exists()
    ]
    lifecycle.move_many(moves, actor=HOUSE)
    return len(moves)


def returned(requests: Collection[UUID]) -> dict[UUID, Effect]:
    """By request, the decision on it that a second person sent back last, with who decided and who sent it back."""
    if not requests:
        return {}
    found = (
        Effect.objects.filter(decision__claim__request__in=requests, state=EffectState.REFUSED)
        .select_related("decision__reviewer", "decision__claim", "ended_by")
        .order_by("decision_id")
    )
    return {effect.decision.claim.request_id: effect for effect in found}


# --- telling those who may answer -------------------------------------------------------------------------------------
def approvers() -> QuerySet[User]:
    """Who may answer, and has an address."""
    return roles.holders(APPROVERS).exclude(email="")


@transaction.atomic
def tell() -> int:
    """One mail to everybody who may answer when the list is no longer empty, and one a day while it stays so. How many
    were written to. What cannot be sent is tried again by the next call: the rows say what was told.
    """
    waiting = list(held().select_for_update(skip_locked=True).values_list("pk", flat=True)[:BATCH])
    if not waiting:
        return 0
    told = held().aggregate(last=Max("told_at"), oldest=Min("due_at"))
    now = timezone.now()
    if told["last"] is not None and told["last"] > now - REMIND:
        return 0
    messages = [letter(person, len(waiting), told["oldest"]) for person in approvers()]
    get_connection().send_messages(messages)
    held().filter(pk__in=waiting).update(told_at=now)
    return len(messages)


def letter(person: User, number: int, oldest: datetime) -> EmailMessage:
    """How many wait and since when. Nothing of the images: mail is no safe place."""
    shown = f"{number}+" if number == BATCH else str(number)
    subject = ngettext(
        "Loupe: %(n)s decision waits for a second person", "Loupe: %(n)s decisions wait for a second person", number
    )
    body = _("The oldest waits since %(oldest)s UTC. Approve or send back:\n\n%(address)s\n") % {
        "oldest": oldest.strftime("%Y-%m-%d %H:%M"),
        "address": settings.PUBLIC_URL + reverse("held"),
    }
    return EmailMessage(subject % {"n": shown}, body, to=[person.email])
