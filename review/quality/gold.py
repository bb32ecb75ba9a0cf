"""Gold items: images whose answer is known. They are given out among ordinary requests, each to a person once, and
answered like them; the answer tells of the reviewer, never of the image.

Nothing may tell one: its request takes queue, priority, severity, due date and even the age of its key from the
request whose place it takes, stays with its person until answered, and is decided, undone and remembered like any
other.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from uuid_utils.compat import uuid7

from moderation import audit
from moderation.actors import Actor
from moderation.models import Reason, ReviewRequest, Status, Submission, User
from moderation.statements import Columns, prepared
from moderation.taxonomy import UNTRAINABLE, Category
from review import blinding, leases
from review.judgements import Judgement, UnfitDecision, text_of
from review.models import Claim, GoldItem, Verdict

UNANSWERED: Final = timedelta(days=1)  # then the turn is over, and the item free for others

REQUEST: Final = Columns.of(ReviewRequest)
OWN: Final = {
    "id": "wanted.request",
    "submission_id": "picked.submission_id",
    "reason": f"'{Reason.GOLD.value}'",
    "leased_until": "%(now)s",
}
# Each person's own order, which nobody can guess; nothing they ever had in hand, made themselves, or do not want. An
# item that somebody else is getting at this moment is left to them.
DEAL: Final = f"""
WITH picked AS (
    SELECT item.id, item.submission_id, row_number() OVER (ORDER BY md5(%(key)s || item.id::text)) AS place
    FROM review_golditem item JOIN moderation_submission submission ON submission.id = item.submission_id
    WHERE item.retired_at IS NULL AND item.made_by_id <> %(reviewer)s
        AND submission.status <> '{Status.QUARANTINED.value}'
        AND item.category <> ALL(%(avoided)s::text[])
        AND NOT EXISTS (
            SELECT FROM jsonb_to_recordset(item.labels) label (category text, severity int)
            WHERE label.severity > %(most_severe)s OR label.category = ANY(%(avoided)s::text[])
        )
        AND NOT EXISTS (
            SELECT FROM review_claim claim JOIN moderation_reviewrequest held ON held.id = claim.request_id
            WHERE held.submission_id = item.submission_id AND claim.reviewer_id = %(reviewer)s
        )
        AND NOT EXISTS (
            SELECT FROM moderation_reviewrequest open
            WHERE open.submission_id = item.submission_id AND open.closed_at IS NULL
        )
),
wanted AS (
    SELECT * FROM unnest(%(likes)s::uuid[], %(requests)s::uuid[], %(turns)s::uuid[])
        WITH ORDINALITY wanted (alike, request, turn, place)
),
made AS (
    INSERT INTO moderation_reviewrequest ({REQUEST.names()})
    SELECT {", ".join(OWN.get(field.attname, f'alike."{field.column}"') for field in REQUEST.fields)}
    FROM wanted JOIN picked USING (place) JOIN moderation_reviewrequest alike ON alike.id = wanted.alike
    ON CONFLICT DO NOTHING RETURNING id, submission_id
),
turns AS (
    INSERT INTO review_goldturn (id, item_id, reviewer_id, request_id, at)
    SELECT wanted.turn, picked.id, %(reviewer)s, made.id, %(now)s
    FROM made JOIN wanted ON wanted.request = made.id JOIN picked USING (place)
)
SELECT made.id, {leases.SUBMISSION.sql("submission")}
FROM made JOIN moderation_submission submission ON submission.id = made.submission_id
"""  # noqa: S608 - the names of our own columns


class UnfitGold(Exception):
    """This cannot be a gold item; the message says why. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom an item is for: their person, and what their limits keep from them."""

    reviewer: User
    avoided: Collection[str]
    most_severe: int


def deal(claims: Sequence[Claim], wanted: Wanted, *, now: datetime) -> None:
    """Some of these claims, about to be leased, are on gold items instead; the requests they stood on stay free. The
    lot falls on the key of each claim, so that it can be drawn again from what is stored. One statement, where it fell.
    """
    share = blinding.in_force().gold
    if not (fallen := [claim for claim in claims if blinding.lot("gold", claim.pk) < share]):
        return
    reviewer = wanted.reviewer.pk
    keys = [as_old_as(claim.request_id) for claim in fallen]
    values: dict[str, Any] = {
        "reviewer": reviewer,
        "avoided": list(wanted.avoided),
        "most_severe": wanted.most_severe,
        "key": str(blinding.lot("gold.order", reviewer)),
        "likes": [claim.request_id for claim in fallen],
        "requests": keys,
        "turns": [uuid7() for _claim in fallen],
        "now": now,
    }
    with prepared() as cursor:
        cursor.execute(DEAL, values)
        dealt = {key: leases.SUBMISSION.load(row) for key, *row in cursor.fetchall()}
    for claim, key in zip(fallen, keys, strict=True):
        if key in dealt:  # there are no more items than there are
            claim.request = likened(key, dealt[key], claim.request, now=now)


def likened(key: UUID, submission: Submission, like: ReviewRequest, *, now: datetime) -> ReviewRequest:
    """The request that was just made so: like another to whoever answers it."""
    values = {field.attname: getattr(like, field.attname) for field in ReviewRequest._meta.concrete_fields}
    own = {"id": key, "submission_id": submission.pk, "reason": Reason.GOLD.value, "leased_until": now}
    request = ReviewRequest.from_db(connection.alias, list(values | own), list((values | own).values()))
    request.submission = submission
    return request


def as_old_as(key: UUID) -> UUID:
    """A new key from the same moment as `key`: the time in a UUIDv7 is for everybody to read."""
    rest = int.from_bytes(os.urandom(8)) >> 2 | 0x8000_0000_0000_0000  # the variant of RFC 9562 in front
    return UUID(bytes=key.bytes[:8] + rest.to_bytes(8))


def close_unanswered() -> int:
    """Turns that nobody answered for a day are over; returns how many."""
    now = timezone.now()
    left = ReviewRequest.objects.filter(reason=Reason.GOLD, closed_at__isnull=True, leased_until__lte=now)
    return left.filter(gold_turn__at__lte=now - UNANSWERED).update(closed_at=now)


@transaction.atomic
def add(submission: Submission, person: User, *, verdict: Any, labels: Any, category: Any, why: Any) -> GoldItem:
    """Afterwards the image is among those given out. Raises UnfitGold, or UnfitDecision for what is said of it."""
    said = Judgement.of(verdict=verdict, labels=labels)
    if said.verdict not in GoldItem.EXPECTED:
        raise UnfitDecision("#/verdict", _("A gold item is one to approve or to block."))
    tested = said.category or category
    if not isinstance(tested, str) or tested not in Category.values:
        raise UnfitDecision("#/category", _("Say which category it is easily mistaken for."))
    if not text_of(why, "why").strip():
        raise UnfitDecision("#/why", _("Say why this is the right answer: whoever misses it will ask."))
    check(submission, {tested, *(label["category"] for label in said.labels)})
    item = GoldItem.objects.create(
        submission=submission,
        verdict=said.verdict.value,
        labels=said.labels,
        category=tested,
        why=why.strip(),
        made_by=person,
    )
    record(item, person, "gold.added")
    return item


def check(submission: Submission, named: set[str]) -> None:
    """Raises UnfitGold."""
    locked = Submission.objects.select_for_update(no_key=True).get(pk=submission.pk)
    if locked.status == Status.QUARANTINED or UNTRAINABLE & named:
        raise UnfitGold(_("Nobody is shown such an image for practice."))
    if locked.status not in {Status.APPROVED, Status.BLOCKED}:
        raise UnfitGold(_("This image is not decided yet. Decide it first: its answer must be beyond doubt."))
    if GoldItem.objects.filter(submission=submission, retired_at__isnull=True).exists():
        raise UnfitGold(_("This image is a gold item already. Retire it first to change its answer."))


@transaction.atomic
def retire(item_id: UUID, person: User) -> GoldItem:
    """Afterwards it is given to nobody any more; what was answered still counts. Raises GoldItem.DoesNotExist, or
    UnfitGold when it is retired already.
    """
    item = GoldItem.objects.select_for_update().get(pk=item_id)
    if item.retired_at is not None:
        raise UnfitGold(_("This item is retired already."))
    item.retired_at, item.retired_by = timezone.now(), person
    item.save(update_fields=["retired_at", "retired_by"])
    record(item, person, "gold.retired")
    return item


def record(item: GoldItem, person: User, action: str) -> None:
    data = {"item": str(item.pk), "verdict": item.verdict, "labels": item.labels, "category": item.category}
    audit.record(audit.Entry(Actor.person(person), action, audit.submission(item.submission_id), data))


def is_right(item: GoldItem, verdict: str, labels: Sequence[Any]) -> bool:
    """Whether an answer is the expected one: to approve; or to block (or lock away) as the category it is there for."""
    if item.verdict == Verdict.APPROVE:
        return verdict == Verdict.APPROVE
    named = {label["category"] for label in labels}
    return verdict == Verdict.QUARANTINE or (verdict == Verdict.BLOCK and item.category in named)
