"""Which images are copies of which: each is placed, as it is triaged, in the cluster of the oldest one it looks like.

A cluster bears the id of its first image, and every image is in one, if only its own. An image near two clusters joins
the older and leaves both as they are. Clusters reach across clients; what a client is told of them does not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

import numpy as np
from django.db import connection

from moderation.models import Fingerprint, Submission
from moderation.triage import archive
from moderation.triage.likeness import alike
from moderation.triage.looking import Look

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifiers.models import ClassifierVersion

STRUCTURE: Final = 50  # PDQ quality under which a hash says too little
CROWD: Final = 16  # with so many neighbours held, one more would find nothing that they do not

MEMBERS: Final = """
SELECT f.seq, s.cluster FROM moderation_fingerprint f JOIN moderation_submission s ON s.id = f.submission_id
WHERE f.seq = ANY(%s) AND s.cluster IS NOT NULL
"""
SAME_BYTES: Final = """
SELECT wanted.sha256, found.cluster FROM unnest(%s::text[]) wanted (sha256) CROSS JOIN LATERAL (
    SELECT s.cluster FROM moderation_fingerprint f JOIN moderation_submission s ON s.id = f.submission_id
    WHERE f.sha256 = wanted.sha256 ORDER BY f.seq LIMIT 1
) found WHERE found.cluster IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Place:
    """The cluster of an image; `kin` are all clusters in which it has a neighbour. `keeps`: whether its fingerprint is
    worth a row.
    """

    cluster: UUID
    kin: frozenset[UUID]
    keeps: bool = True


def places(
    rows: Sequence[Submission],
    looks: Sequence[Look],
    embeddings: dict[ClassifierVersion, NDArray[np.float16]] | None = None,
) -> list[Place]:
    """One an image, in order. `embeddings` have a row for each that could be seen. At most four queries, whatever their
    number and the size of the archive.
    """
    telling = {at: look.pdq for at, look in enumerate(looks) if look.pdq and is_telling(look)}
    hits = dict(zip(telling, archive.of_this_process().near(list(telling.values())), strict=True))
    seen = [at for at, look in enumerate(looks) if look.seen is not None]
    index = {at: row for row, at in enumerate(seen) if at in telling}
    resembled, resembling = alike(embeddings or {}, index)
    numbers = {number for found in hits.values() for number, _distance in oldest(found)}
    numbers |= {number for found in resembled.values() for number in found[:CROWD]}
    clusters = members(numbers)
    archive.of_this_process().forget(numbers - clusters.keys())
    copies = same_bytes([row.sha256 for at, row in enumerate(rows) if at not in telling])
    beside = neighbours_in(telling)
    placed: list[Place] = []
    twins: dict[str, UUID] = {}  # of this batch, by their bytes
    for at, row in enumerate(rows):
        if at not in telling:
            known = copies.get(row.sha256) or twins.setdefault(row.sha256, row.pk)
            placed.append(Place(known, frozenset({known}) - {row.pk}, keeps=known == row.pk))
            continue
        found = [clusters[number] for number, _distance in oldest(hits[at]) if number in clusters]
        found += [placed[other].cluster for other in beside[at]]
        keeps = len(found) < CROWD
        found += [clusters[number] for number in resembled.get(at, ())[:CROWD] if number in clusters]
        found += [placed[other].cluster for other in resembling.get(at, ())]
        placed.append(Place(next(iter(found), row.pk), frozenset(found), keeps))
    return placed


def is_telling(look: Look) -> bool:
    return look.pdq is not None and look.pdq_quality is not None and look.pdq_quality >= STRUCTURE


def oldest(found: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The first few by number: those that came first."""
    return sorted(found)[:CROWD]


def members(numbers: set[int]) -> dict[int, UUID]:
    """The cluster of each of these fingerprints' images."""
    if not numbers:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(MEMBERS, [list(numbers)])
        return dict(cursor.fetchall())


def same_bytes(digests: Sequence[str]) -> dict[str, UUID]:
    """The cluster of the first image with these bytes, of those that go by their bytes."""
    if not digests:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(SAME_BYTES, [list(set(digests))])
        return dict(cursor.fetchall())


def neighbours_in(telling: Mapping[int, bytes]) -> Mapping[int, list[int]]:
    """Of each row of a batch the earlier ones within the radius, the earliest first."""
    beside: dict[int, list[int]] = defaultdict(list)
    if len(telling) < 2:
        return beside
    at = list(telling)
    codes = np.frombuffer(b"".join(telling.values()), dtype=np.uint64).reshape(len(at), 4)
    for later in range(1, len(at)):
        distances = np.bitwise_count(codes[:later] ^ codes[later]).sum(axis=1)
        beside[at[later]] = [at[earlier] for earlier in np.flatnonzero(distances <= archive.RADIUS)]
    return beside


def fingerprint(row: Submission, look: Look) -> Fingerprint:
    if is_telling(look):
        return Fingerprint(submission=row, pdq=look.pdq)
    return Fingerprint(submission=row, sha256=row.sha256)
