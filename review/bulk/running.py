"""A bulk action at work: batch by batch, each one transaction. Whoever comes goes on where the rows say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from moderation import audit, lifecycle
from moderation.actors import Actor
from moderation.models import Reason, ReviewRequest, Status, Submission
from moderation.requests import Ask, open_requests
from review.bulk.asking import TARGETS, would_change
from review.models import BulkAction, BulkItem, BulkState, BulkVerdict, Decision, ItemState

BATCH: Final = 200
# What an approval or a block answers: what to do with the image.
ANSWERED: Final = (Reason.UNCERTAIN, Reason.POLICY, Reason.CLASSIFIER_ERROR, Reason.HASH_MATCH)

REOPEN: Final = """
UPDATE moderation_reviewrequest r SET closed_at = NULL, leased_until = %(now)s
FROM unnest(%(submissions)s::uuid[], %(moved)s::timestamptz[]) done (submission, moved)
WHERE r.submission_id = done.submission AND r.closed_at = done.moved AND NOT EXISTS (
    SELECT FROM moderation_reviewrequest o
    WHERE o.submission_id = r.submission_id AND o.reason = r.reason AND o.closed_at IS NULL AND o.id <> r.id
)
"""
WITHDRAW: Final = """
UPDATE moderation_reviewrequest r SET closed_at = %(now)s
FROM unnest(%(submissions)s::uuid[], %(moved)s::timestamptz[]) done (submission, moved)
WHERE r.submission_id = done.submission AND r.opened_at = done.moved AND r.closed_at IS NULL
"""


def at_work() -> list[UUID]:
    """Actions that have something left to do."""
    return list(BulkAction.objects.filter(state__in=BulkAction.AT_WORK).order_by("id").values_list("pk", flat=True))


def work_off(action_id: UUID, *, batches: int = 100) -> int:
    """Go on with one action; returns how many items were dealt with. Calling it twice at once does nothing twice."""
    dealt = 0
    for _batch in range(batches):
        number = step(action_id)
        dealt += number
        if not number:
            break
    return dealt


@transaction.atomic
def step(action_id: UUID) -> int:
    """One batch; 0 when nothing is left or others are at the rest. The last one says that the action is through."""
    # One batch of an action at a time: who comes second finds what is left.
    action = BulkAction.objects.select_for_update(no_key=True, of=("self",)).get(pk=action_id)
    if action.state not in BulkAction.AT_WORK:
        return 0
    undoing = action.state == BulkState.UNDOING
    wanted = ItemState.MOVED if undoing else ItemState.WAITING
    items = list(BulkItem.objects.filter(action=action, state=wanted).order_by("id")[:BATCH])
    if not items:
        BulkAction.objects.filter(pk=action.pk).update(state=BulkState.UNDONE if undoing else BulkState.DONE)
        return 0
    keys = [one.submission_id for one in items]
    locked = Submission.objects.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True)
    submissions = {one.pk: one for one in locked}
    if undoing:
        move_back(action, items, submissions)
    else:
        move(action, items, submissions)
    return len(items)


def move(action: BulkAction, items: Sequence[BulkItem], submissions: Mapping[UUID, Submission]) -> None:
    verdict, now = BulkVerdict(action.verdict), timezone.now()
    chosen = [one for one in items if would_change(verdict, submissions[one.submission_id].status)]
    for one in items:
        one.state = ItemState.SKIPPED
    for one in chosen:
        one.state, one.moved_at, one.came_from = ItemState.MOVED, now, submissions[one.submission_id].status
    BulkItem.objects.bulk_update(items, ["state", "moved_at", "came_from"])
    images = [submissions[one.submission_id] for one in chosen]
    if verdict in {BulkVerdict.APPROVE, BulkVerdict.BLOCK}:
        about = ReviewRequest.objects.filter(submission__in=images, closed_at__isnull=True, reason__in=ANSWERED)
        about.update(closed_at=now)
    else:
        reason = Reason.POLICY if verdict == BulkVerdict.REVIEW else Reason.SECOND_OPINION
        open_requests([Ask(submission=one, reason=reason, category=action.category) for one in images], now=now)
    said = told(action)
    actor = Actor.person(action.asked_by)
    to = TARGETS.get(verdict)
    if to is None:
        audit.record_many([audit.Entry(actor, f"bulk.{verdict}", audit.submission(one.pk), said) for one in images])
    else:
        lifecycle.move_many([lifecycle.Move(one, to, "bulk", said) for one in images], actor=actor)


def move_back(action: BulkAction, items: Sequence[BulkItem], submissions: Mapping[UUID, Submission]) -> None:
    to = TARGETS.get(BulkVerdict(action.verdict))
    touched = touched_since(items)
    free = [
        one
        for one in items
        if one.pk not in touched
        and (to is None or submissions[one.submission_id].status == to)
        and submissions[one.submission_id].status != Status.QUARANTINED
    ]
    for one in items:
        one.state = ItemState.KEPT
    for one in free:
        one.state = ItemState.UNDONE
    BulkItem.objects.bulk_update(items, ["state"])
    asks = to in {None, Status.IN_REVIEW}
    swap(WITHDRAW if asks else REOPEN, free, now=timezone.now())
    said, actor = told(action), Actor.person(action.undone_by or action.asked_by)
    if to is None:
        entries = [audit.Entry(actor, "bulk.undone", audit.submission(one.submission_id), said) for one in free]
        audit.record_many(entries)
    else:
        moves = [
            lifecycle.Move(submissions[one.submission_id], Status(one.came_from), "bulk_undone", said) for one in free
        ]
        lifecycle.move_many(moves, actor=actor)


def touched_since(items: Sequence[BulkItem]) -> Collection[UUID]:
    """The items on whose images a person decided, or another action worked, since this one."""
    since = {one.submission_id: one for one in items}
    earliest = min(one.moved_at for one in items if one.moved_at)
    decided = Decision.objects.filter(submission__in=since, decided_at__gt=earliest)
    moved = BulkItem.objects.filter(submission__in=since, moved_at__gt=earliest, state=ItemState.MOVED)
    found = [*decided.values_list("submission_id", "decided_at"), *moved.values_list("submission_id", "moved_at")]
    return {since[key].pk for key, at in found if later(at, since[key].moved_at)}


def later(at: datetime | None, moment: datetime | None) -> bool:
    return at is not None and moment is not None and at > moment


def swap(statement: str, items: Sequence[BulkItem], *, now: datetime) -> None:
    values: dict[str, Any] = {
        "submissions": [one.submission_id for one in items],
        "moved": [one.moved_at for one in items],
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def told(action: BulkAction) -> dict[str, Any]:
    """What every image's own record says of the action."""
    said = {"bulk": str(action.pk), "why": action.reason, "verdict": action.verdict}
    return {**said, "category": action.category, "severity": action.severity}


def progress(action: BulkAction) -> dict[str, int]:
    """How many items are in which state. One query over the items of the action, at most MOST."""
    found = Counter(action.items.values_list("state", flat=True))
    return {state.value: found[state.value] for state in ItemState}
