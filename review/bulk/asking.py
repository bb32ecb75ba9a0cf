"""Before anything happens: what an action would change, who asks and why, and who agrees where it is large or grave."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from moderation import audit
from moderation.actors import Actor
from moderation.models import Scope, Status, Submission, User
from moderation.taxonomy import Category, Severity
from review.judgements import UnfitDecision, text_of
from review.models import BulkAction, BulkItem, BulkState, BulkVerdict
from review.queue import NotForYou
from review.search.filters import canonical, found_by
from review.search.pages import LIMIT_MS, within

MOST: Final = 10_000  # items of one action
SAMPLE: Final = 24
TARGETS: Final[Mapping[BulkVerdict, Status]] = {
    BulkVerdict.APPROVE: Status.APPROVED,
    BulkVerdict.BLOCK: Status.BLOCKED,
    BulkVerdict.REVIEW: Status.IN_REVIEW,
}


class UnfitAction(Exception):
    """It cannot be done like that; nothing was changed. The message says what to mend."""


class NotWaiting(Exception):
    """Somebody answered meanwhile, or its state is another; nothing was changed. Reload the page."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a search finds now, up to MOST, and `sample` of it at random."""

    keys: Sequence[UUID]
    statuses: Mapping[str, int]
    more: bool
    sample: Sequence[Submission]

    def changes(self, verdict: BulkVerdict) -> int:
        """How many the verdict would change."""
        return sum(number for status, number in self.statuses.items() if would_change(verdict, status))


def would_change(verdict: BulkVerdict, status: str) -> bool:
    """What triage has not seen yet is left to it, and what lies under legal hold stays there."""
    if status in {Status.RECEIVED, Status.QUARANTINED}:
        return False
    return status != TARGETS.get(verdict)


def preview(query: str) -> Preview:
    """Raises UnfitSearch or TooSlow."""
    found = found_by(query)
    with within(LIMIT_MS):
        rows = list(found.values_list("pk", "status")[: MOST + 1])
    kept = rows[:MOST]
    chosen = random.sample(kept, min(SAMPLE, len(kept)))
    sample = list(Submission.objects.filter(pk__in=[key for key, _ in chosen]).order_by("-pk"))
    return Preview([key for key, _ in kept], Counter(status for _, status in kept), len(rows) > MOST, sample)


def check(person: User) -> None:
    """Raises NotForYou."""
    if not person.has_scope(Scope.REVIEW_ESCALATED):
        raise NotForYou(_("Your roles do not include “%(scope)s”.") % {"scope": Scope.REVIEW_ESCALATED.label})


@transaction.atomic
def ask(
    person: User,
    *,
    query: str,
    verdict: str,
    reason: str,
    expected: int,
    category: str = "",
    severity: int | None = None,
) -> BulkAction:
    """Afterwards the action runs, or waits for a second person, on exactly what the search finds now; `expected` is how
    many the person saw. Raises NotForYou, UnfitAction, UnfitSearch or TooSlow.
    """
    check(person)
    action = BulkAction(asked_by=person, query=canonical(QueryDict(query)), reason=reason_of(reason))
    if verdict not in BulkVerdict.values:
        raise UnfitAction(_("Choose what to do."))
    action.verdict = verdict
    if verdict == BulkVerdict.BLOCK:
        if category not in Category.values or severity not in Severity.values:
            raise UnfitAction(_("A block names a category and a severity."))
        action.category, action.severity = category, severity
    if not action.query:
        raise UnfitAction(_("Filter by something first: an action on everything is never meant."))
    seen = preview(action.query)
    if seen.more:
        raise UnfitAction(_("More than %(most)d are found. Narrow the search, and go part by part.") % {"most": MOST})
    if len(seen.keys) != expected:
        raise UnfitAction(
            _("You saw %(seen)d, and now %(now)d are found. Look again before you go on.")
            % {"seen": expected, "now": len(seen.keys)}
        )
    if not seen.keys:
        raise UnfitAction(_("Nothing is found, so there is nothing to do."))
    action.total, action.words = len(seen.keys), why_held(action, len(seen.keys))
    action.state = BulkState.HELD if action.words else BulkState.RUNNING
    action.save(force_insert=True)
    BulkItem.objects.bulk_create([BulkItem(action=action, submission_id=key) for key in seen.keys], batch_size=2000)
    record(action, person, "bulk.asked", statuses=dict(seen.statuses), held=action.words)
    return action


def reason_of(reason: str) -> str:
    try:
        said = text_of(reason, "reason").strip()
    except UnfitDecision as error:
        raise UnfitAction(str(error)) from error
    if not said:
        raise UnfitAction(_("Say why: it goes on record with every image."))
    return said


def why_held(action: BulkAction, number: int) -> str:
    """Why a second person must agree; "" where none need."""
    if number > settings.HOLD_BULK:
        return _("On more than %(most)d images: a second person agrees first.") % {"most": settings.HOLD_BULK}
    if action.severity is not None and action.severity >= settings.HOLD_SEVERITY:
        return _("A block of severity S%(severity)d needs a second person.") % {"severity": action.severity}
    return ""


@transaction.atomic
def agree(action_id: UUID, person: User) -> BulkAction:
    """Afterwards it runs. Raises NotForYou, BulkAction.DoesNotExist or NotWaiting."""
    action = answerable(action_id, person)
    turn(action, BulkState.HELD, BulkState.RUNNING, answered_by=person, answered_at=timezone.now())
    record(action, person, "bulk.approved")
    return action


@transaction.atomic
def refuse(action_id: UUID, person: User, *, words: str) -> BulkAction:
    """Nothing of it will happen. Raises what `agree` does, and UnfitAction without words."""
    said = reason_of(words)
    action = answerable(action_id, person)
    turn(action, BulkState.HELD, BulkState.REFUSED, answered_by=person, answered_at=timezone.now(), words=said)
    record(action, person, "bulk.sent_back", words=said)
    return action


@transaction.atomic
def undo(action_id: UUID, person: User) -> BulkAction:
    """What it moved, and nobody touched since, goes back in batches. Raises NotForYou, BulkAction.DoesNotExist or
    NotWaiting.
    """
    check(person)
    action = BulkAction.objects.select_related("asked_by").get(pk=action_id)
    turn(action, BulkState.DONE, BulkState.UNDOING, undone_by=person)
    record(action, person, "bulk.undo")
    return action


def answerable(action_id: UUID, person: User) -> BulkAction:
    check(person)
    action = BulkAction.objects.select_related("asked_by").get(pk=action_id)
    if action.asked_by_id == person.pk:
        raise NotForYou(_("You asked for this yourself: a second person answers."))
    return action


def turn(action: BulkAction, origin: BulkState, to: BulkState, **fields: Any) -> None:
    if not BulkAction.objects.filter(pk=action.pk, state=origin).update(state=to, **fields):
        raise NotWaiting(_("Its state is another by now. Reload the page."))
    action.state = to


def record(action: BulkAction, person: User, what: str, **more: Any) -> None:
    data = {
        "verdict": action.verdict,
        "category": action.category,
        "severity": action.severity,
        "reason": action.reason,
        "query": action.query,
        "total": action.total,
        **more,
    }
    audit.record(audit.Entry(Actor.person(person), what, f"bulk:{action.pk}", data))
