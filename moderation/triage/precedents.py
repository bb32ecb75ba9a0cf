"""What people decided of the copies of an image, as far as it may settle the next one.

Read from the record of this floor: that a person settled a copy stands on its row, by which words they did, in the
audit event of that move.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from classifiers.hashes import hamming
from moderation import audit, policies
from moderation.models import AuditEvent, Status, Submission
from moderation.plans import COPIES_ACROSS
from moderation.routing import Plan, Precedent
from moderation.taxonomy import PEOPLE_ONLY, Category
from moderation.triage.clusters import Place, is_telling
from moderation.triage.looking import Look

NEAR: Final = 10  # of 256 bits: closer than the radius of a cluster, for here nobody looks again
LATEST: Final = 50  # decided members of a cluster that are looked at

DECIDED: Final = """
SELECT wanted.cluster, s.id, s.client_id, s.status, s.flagged, s.pdq, s.pdq_quality, s.sha256
FROM unnest(%s::uuid[]) wanted (cluster) CROSS JOIN LATERAL (
    SELECT * FROM moderation_submission s
    WHERE s.cluster = wanted.cluster AND s.decided_by = 'person' ORDER BY s.id DESC LIMIT %s
) s WHERE s.status IN ('approved', 'blocked')
"""


@dataclass(frozen=True, slots=True)
class Decided:
    """A member of a cluster that a person settled."""

    cluster: UUID
    submission: UUID
    client: UUID
    status: Status
    flagged: Sequence[str]
    pdq: bytes | None
    pdq_quality: int | None
    sha256: str


def precedents(
    rows: Sequence[Submission], looks: Sequence[Look], places: Sequence[Place], plan: Plan | None
) -> list[Precedent | None]:
    """One an image, in order; None where the plan settles no copies, or nothing decided is near enough. At most three
    queries.
    """
    nothing: list[Precedent | None] = [None] * len(rows)
    kin = {cluster for place in places for cluster in place.kin}
    if plan is None or plan.copies == "off" or not kin:
        return nothing
    near = [
        [one for one in decided if one.cluster in place.kin and is_copy(row, look, one) and may_speak(row, one, plan)]
        for decided in [decided_in(kin)]
        for row, look, place in zip(rows, looks, places, strict=True)
    ]
    events = moves_of({one.submission for found in near for one in found})
    if not events:
        return nothing
    reworded = policies.reworded()
    return [agreed([said(one, events.get(one.submission), reworded) for one in found]) for found in near]


def decided_in(clusters: set[UUID]) -> list[Decided]:
    with connection.cursor() as cursor:
        cursor.execute(DECIDED, [list(clusters), LATEST])
        return [
            Decided(cluster, key, client, Status(status), flagged, None if pdq is None else bytes(pdq), quality, digest)
            for cluster, key, client, status, flagged, pdq, quality, digest in cursor.fetchall()
        ]


def is_copy(row: Submission, look: Look, other: Decided) -> bool:
    """Near enough that what was decided of one holds for the other."""
    if row.sha256 == other.sha256:
        return True
    if look.pdq is None or other.pdq is None or not is_telling(look):
        return False
    return is_telling(Look(None, other.pdq, other.pdq_quality)) and hamming(look.pdq, other.pdq) <= NEAR


def may_speak(row: Submission, other: Decided, plan: Plan) -> bool:
    return other.client == row.client_id or plan.copies == COPIES_ACROSS


def moves_of(keys: set[UUID]) -> dict[UUID, AuditEvent]:
    """The audit event of each image's last change of status."""
    if not keys:
        return {}
    subjects = {audit.submission(key): key for key in keys}
    moved = AuditEvent.objects.filter(
        subject__in=list(subjects), action__in=[f"submission.{status}" for status in Status.values]
    )
    return {subjects[one.subject]: one for one in moved.order_by("subject", "-position").distinct("subject")}


def said(one: Decided, event: AuditEvent | None, reworded: Mapping[str, datetime]) -> Precedent | None:
    """What the decision on this member says of its copies; None when it was no decision, or its guideline changed."""
    data: dict[str, Any] = event.data if event is not None else {}
    if event is None or event.action != f"submission.{one.status}" or data.get("reason") != "decision":
        return None
    if one.status == Status.APPROVED:
        judged = frozenset(code for code in one.flagged if code not in PEOPLE_ONLY and holds(code, event.at, reworded))
        return Precedent("approve", judged, str(data["decision"]), str(one.submission))
    labels = sorted(data.get("labels", ()), key=lambda label: -int(label["severity"]))
    codes = [str(label["category"]) for label in labels]
    standing = frozenset(code for code in codes if holds(code, event.at, reworded))
    if not standing:
        return None
    gravest = next(code for code in codes if code in standing)
    return Precedent(
        "review" if PEOPLE_ONLY & set(codes) else "block", standing, str(data["decision"]), str(one.submission), gravest
    )


def holds(code: str, decided: datetime, reworded: Mapping[str, datetime]) -> bool:
    """Whether the words by which this category was judged are still those in force."""
    changed = reworded.get(code) or reworded.get(Category.OTHER.value)
    return changed is not None and changed < decided


def agreed(found: Sequence[Precedent | None]) -> Precedent | None:
    """What the decided copies say together: people who disagree are asked again."""
    told = [one for one in found if one is not None]
    actions = {one.action for one in told}
    if len(actions) < 2:
        return told[0] if told else None
    strictest = next((one for one in told if one.action != "approve"), told[0])
    return Precedent("review", frozenset(), strictest.decision, strictest.submission, strictest.category)
