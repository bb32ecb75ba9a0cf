"""The one door for a submission's status.

A move is legal or it is refused; it changes exactly the rows it names; and the audit event and the outbox message are
written in the same transaction, so nothing changes unrecorded or untold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from moderation import audit
from moderation.actors import Actor
from moderation.models import SETTLED, OutboxMessage, Status, Submission, Topic

LEGAL: Final[Mapping[Status, frozenset[Status]]] = {
    Status.RECEIVED: frozenset({Status.APPROVED, Status.IN_REVIEW, Status.BLOCKED, Status.QUARANTINED}),
    Status.IN_REVIEW: frozenset({Status.APPROVED, Status.BLOCKED, Status.QUARANTINED}),
    Status.APPROVED: frozenset({Status.IN_REVIEW, Status.BLOCKED, Status.QUARANTINED}),
    Status.BLOCKED: frozenset({Status.IN_REVIEW, Status.APPROVED}),
    Status.QUARANTINED: frozenset({Status.IN_REVIEW}),
}


# Where each route of `moderation.routing` puts an image.
ROUTED: Final[Mapping[str, Status]] = {
    "approve": Status.APPROVED,
    "review": Status.IN_REVIEW,
    "block": Status.BLOCKED,
    "quarantine": Status.QUARANTINED,
}
# In SQL, as in `audit`: every image and every decision passes here.
MOVE: Final = """
UPDATE moderation_submission SET status = %s, settled_at = %s, decided_by = %s WHERE id = ANY(%s) AND status = %s
"""


class IllegalMove(Exception):
    """The table does not allow this move, or the submission is no longer where the caller thought. Read it again."""


@dataclass(frozen=True, slots=True)
class Move:
    """`submission.status` is where the caller believes it is; the move holds only if the database agrees."""

    submission: Submission
    to: Status
    reason: str
    data: Mapping[str, Any] = field(default_factory=dict)


def move(submission: Submission, to: Status, *, actor: Actor, reason: str, **data: Any) -> None:
    """Afterwards the submission is `to`, audited and announced; or IllegalMove, and nothing has changed."""
    move_many([Move(submission, to, reason, data)], actor=actor)


@transaction.atomic
def move_many(moves: Sequence[Move], *, actor: Actor) -> None:
    """All of the moves or none: one conditional UPDATE a kind of move, one bulk insert each for audit and outbox."""
    now = timezone.now()
    groups: dict[tuple[Status, Status], list[Move]] = defaultdict(list)
    for one in moves:
        origin = Status(one.submission.status)
        if one.to not in LEGAL[origin]:
            raise IllegalMove(f"{origin} → {one.to} is not a legal move ({one.submission.pk})")
        groups[origin, one.to].append(one)
    for (origin, to), group in groups.items():
        settled = to in SETTLED
        who = ("person" if actor.is_person else "automation") if settled else ""
        with connection.cursor() as cursor:
            keys = [one.submission.pk for one in group]
            cursor.execute(MOVE, [str(to), now if settled else None, who, keys, origin.value])
            changed = cursor.rowcount
        if changed != len(group):
            raise IllegalMove(
                f"{len(group) - changed} of {len(group)} submissions are no longer {origin}; nothing was changed"
            )
    OutboxMessage.objects.bulk_create(messages(moves))
    audit.record_many(
        [
            audit.Entry(
                actor,
                f"submission.{one.to}",
                audit.submission(one.submission.pk),
                {"from": one.submission.status, "to": str(one.to), "reason": one.reason, **one.data},
            )
            for one in moves
        ]
    )
    for one in moves:
        one.submission.status = one.to
        one.submission.settled_at = now if one.to in SETTLED else None


def messages(moves: Iterable[Move]) -> list[OutboxMessage]:
    return [
        OutboxMessage(
            topic=topic,
            client_id=one.submission.client_id,
            payload={
                "id": str(one.submission.pk),
                "external_id": one.submission.external_id,
                "status": str(one.to),
                "reason": one.reason,
            },
        )
        for one in moves
        if (topic := topic_of(Status(one.submission.status), one.to)) is not None
    ]


def topic_of(origin: Status, to: Status) -> Topic | None:
    """What the world hears of this move; a first step into review is nobody's news."""
    if to == Status.QUARANTINED:
        return Topic.SUBMISSION_QUARANTINED
    if to in SETTLED:
        return Topic.SUBMISSION_SETTLED
    return Topic.SUBMISSION_REOPENED if origin in SETTLED else None
