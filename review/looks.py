"""Looking at a clear image: on record before a byte of it leaves, and for how long it was in view afterwards.

There is no link to a clear image. Whoever wants to see one asks for a look, and the answer to that is the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.core.files.storage import storages
from django.db import connection, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from moderation.models import User
from review import images
from review.models import Claim, Look, Place
from review.wellness.limits import EnoughForNow, standing_of

LEAST: Final = 1.0  # s: what was in view for a blink was seen
LONGEST: Final = 600.0  # s of one look that count; a window left open is no looking
SLACK: Final = timedelta(seconds=2)  # between the house's clock and the browser's

# A look without a claim counts as the gravest that the image was ever asked about.
BEGIN: Final = """
WITH asked AS (
    SELECT coalesce(max(severity), 0) AS severity FROM moderation_reviewrequest
    WHERE submission_id = %(submission)s AND (%(request)s::uuid IS NULL OR id = %(request)s)
), made AS (
    INSERT INTO review_look
        (id, reviewer_id, submission_id, claim_id, place, severity, weight, revealed_at, seconds)
    SELECT %(id)s, %(reviewer)s, %(submission)s, %(claim)s, %(place)s, severity, (%(weights)s::float8[])[severity + 1],
        %(now)s, %(least)s
    FROM asked RETURNING severity, weight, seconds
)
INSERT INTO review_exposure AS sum (reviewer_id, hour, severity, looks, seconds, weighted)
SELECT %(reviewer)s, date_trunc('hour', %(now)s::timestamptz, 'UTC'), severity, 1, seconds, seconds * weight FROM made
ON CONFLICT (reviewer_id, hour, severity) DO UPDATE SET
    looks = sum.looks + 1, seconds = sum.seconds + excluded.seconds, weighted = sum.weighted + excluded.weighted
"""
# Seconds only grow, and never faster than the clock: however often and in whatever order the browser tells of them.
GROW: Final = """
WITH before AS (
    SELECT id, reviewer_id, severity, weight, revealed_at, seconds, greatest(seconds, least(
        %(seconds)s, %(longest)s, extract(epoch FROM %(now)s - revealed_at + %(slack)s)
    )::float8) AS grown
    FROM review_look WHERE id = %(look)s AND reviewer_id = %(reviewer)s FOR NO KEY UPDATE
), after AS (
    UPDATE review_look look SET seconds = before.grown FROM before WHERE look.id = before.id
), summed AS (
    INSERT INTO review_exposure AS sum (reviewer_id, hour, severity, looks, seconds, weighted)
    SELECT reviewer_id, date_trunc('hour', revealed_at, 'UTC'), severity, 0, grown - seconds, (grown - seconds) * weight
    FROM before
    ON CONFLICT (reviewer_id, hour, severity) DO UPDATE SET
        seconds = sum.seconds + excluded.seconds, weighted = sum.weighted + excluded.weighted
)
SELECT grown FROM before
"""


@dataclass(frozen=True, slots=True)
class Revealed:
    """A JPEG, and the look that is on record for it."""

    look: UUID
    jpeg: bytes


def reveal_claimed(claim_id: UUID, person: User) -> Revealed:
    """The image of a claim that this person holds, or held a moment ago. Raises Claim.DoesNotExist, and as `reveal`."""
    claim = Claim.objects.select_related("request").get(pk=claim_id, reviewer=person)
    return reveal(claim.request.submission_id, person, claim=claim)


def reveal(submission: UUID, person: User, *, claim: Claim | None = None) -> Revealed:
    """The clear image, when this person may see it; that they did is on record. The only way to one for people.

    Raises images.NotAllowed, EnoughForNow, Submission.DoesNotExist or FileNotFoundError; then nothing was seen.
    """
    name = images.name_of(submission, person, images.Variant.WORKING)
    standing = standing_of(person)
    if standing.is_stopped and not Look.objects.filter(reviewer=person, submission=submission).exists():
        raise EnoughForNow(standing.limits.stopped)
    with storages["derivatives"].open(name) as file:
        jpeg = file.read()
    values: dict[str, Any] = {
        "id": uuid7(),
        "reviewer": person.pk,
        "submission": submission,
        "claim": claim and claim.pk,
        "request": claim and claim.request_id,
        "place": (Place.DESK if claim else Place.ELSEWHERE).value,
        "weights": list(standing.house.weights),
        "now": timezone.now(),
        "least": LEAST,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BEGIN, values)
    return Revealed(values["id"], jpeg)


def grow(look: UUID, person: User, seconds: float) -> float:
    """It was in view for `seconds` so far; returns what counts. Raises Look.DoesNotExist for another's."""
    values: dict[str, Any] = {
        "look": look,
        "reviewer": person.pk,
        "seconds": seconds,
        "longest": LONGEST,
        "slack": SLACK,
        "now": timezone.now(),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(GROW, values)
        row = cursor.fetchone()
    if row is None:
        raise Look.DoesNotExist
    return float(row[0])
