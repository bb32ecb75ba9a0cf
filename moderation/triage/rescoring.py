"""A heads version's word on all images whose embedding is stored: findings from embeddings alone, no image is opened.

Chunk by chunk in the order of the images' keys: binary COPY out, one matrix product, binary COPY in. What is written is
skipped by the next run, so a run that was killed is finished by another. Nothing is routed, no status changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np
import uuid_utils
from django.db import connection, transaction

from classifiers import registry
from classifiers.base import CardError
from moderation.models import Status
from moderation.triage.copying import END, SIGNATURE, embeddings
from moderation.triage.scoring import heads_on

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifiers.models import ClassifierVersion

CHUNK: Final = 4096
FIRST: Final = UUID(int=0)
LAST: Final = UUID(int=2**128 - 1)
MARGIN: Final = timedelta(days=1)  # between the clock that made a key and the one that wrote created_at

BORDER: Final = """
SELECT submission_id FROM (
    SELECT submission_id FROM moderation_embedding WHERE backbone_id = %(backbone)s AND submission_id > %(after)s
    ORDER BY submission_id LIMIT %(chunk)s
) next ORDER BY submission_id DESC LIMIT 1
"""
# Every table is held to the chunk's keys: whatever PostgreSQL believes of their sizes, no plan looks beyond it.
UNSCORED: Final = """
FROM moderation_embedding seen JOIN moderation_submission image ON image.id = seen.submission_id
WHERE seen.backbone_id = %(backbone)s AND image.status <> %(held)s
    AND seen.submission_id > %(after)s AND seen.submission_id <= %(border)s
    AND image.id > %(after)s AND image.id <= %(border)s
    AND (%(since)s::timestamptz IS NULL OR image.created_at >= %(since)s)
    AND NOT EXISTS (SELECT FROM moderation_finding found
        WHERE found.submission_id = seen.submission_id AND found.classifier_id = %(version)s
        AND found.submission_id > %(after)s AND found.submission_id <= %(border)s)
"""
READ: Final = f"COPY (SELECT seen.submission_id, seen.vector {UNSCORED}) TO STDOUT (FORMAT BINARY)"
# COPY knows no ON CONFLICT, so it goes through a table of this session.
STAGE: Final = """
CREATE TEMPORARY TABLE IF NOT EXISTS rescored (id uuid, submission_id uuid, probabilities real[]) ON COMMIT DELETE ROWS;
TRUNCATE rescored
"""
WRITE: Final = "COPY rescored FROM STDIN (FORMAT BINARY)"
KEEP: Final = """
INSERT INTO moderation_finding (id, submission_id, classifier_id, probabilities, evidence, created_at)
SELECT new.id, new.submission_id, %(version)s, new.probabilities, '{}', now()
FROM rescored new JOIN moderation_submission image ON image.id = new.submission_id
WHERE image.status <> %(held)s
ON CONFLICT (submission_id, classifier_id) DO NOTHING
"""

FLOAT4_OID: Final = 700


@dataclass(frozen=True, slots=True)
class Progress:
    """After a chunk: findings `written` so far, and images `unusable` because their embedding yields no number."""

    written: int
    unusable: int


class CannotRescore(Exception):
    """This version cannot speak on stored embeddings. The message says why."""


def waiting(version: ClassifierVersion, *, since: datetime | None = None) -> int:
    """How many stored embeddings the version has not spoken on. Reads keys only, but all of them."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {UNSCORED}", asked(version, since=since) | {"border": LAST})
        return int(cursor.fetchone()[0])


def rescore(version: ClassifierVersion, *, since: datetime | None = None, chunk: int = CHUNK) -> Iterator[Progress]:
    """Writes what is missing, a transaction a chunk, and yields after each.

    Memory is bounded by the chunk. Images under legal hold are left out. What triage, or another run, writes meanwhile
    is kept and not written twice. Raises CannotRescore.
    """
    if version.kind != "heads" or version.backbone is None:
        raise CannotRescore(f"{version.ref} is of kind {version.kind}; only heads speak on stored embeddings.")
    try:
        size = registry.load_heads(version).embedding_size
    except CardError as error:
        raise CannotRescore(str(error)) from error
    written, unusable, where = 0, 0, asked(version, since=since)
    while (border := border_of(where, chunk)) is not None:
        keys, vectors = read(where | {"border": border}, size=size)
        where["after"] = border
        if len(keys):
            probabilities = heads_on(version, vectors)
            usable = np.isfinite(probabilities).all(axis=1)
            written += write(version, keys[usable], probabilities[usable])
            unusable += int((~usable).sum())
            yield Progress(written, unusable)


def asked(version: ClassifierVersion, *, since: datetime | None) -> dict[str, Any]:
    return {
        "version": version.pk,
        "backbone": version.backbone_id,
        "held": Status.QUARANTINED.value,
        "since": since,
        "after": start(since),
    }


def border_of(where: dict[str, Any], chunk: int) -> UUID | None:
    """The last key of the next `chunk` embeddings; None when there are no more."""
    with connection.cursor() as cursor:
        cursor.execute(BORDER, where | {"chunk": chunk})
        found = cursor.fetchone()
        return found[0] if found else None


def start(since: datetime | None) -> UUID:
    """The key to begin after: keys are ordered by time, so what is far older than `since` need not be looked at."""
    if since is None:
        return FIRST
    milliseconds = int((since.astimezone(UTC) - MARGIN).timestamp() * 1000)
    return UUID(int=max(milliseconds, 0) << 80)


def read(where: dict[str, Any], *, size: int) -> tuple[NDArray[np.void], NDArray[np.float16]]:
    """Keys [N] of 16 bytes and embeddings [N, D] of the next chunk. Raises CannotRescore when a size differs."""
    try:
        return embeddings(READ, where, size=size)
    except ValueError as error:
        raise CannotRescore(str(error)) from error


def write(version: ClassifierVersion, keys: NDArray[np.void], probabilities: NDArray[np.float64]) -> int:
    """Keeps the findings that are not there yet, all or none; returns how many."""
    shape = finding_rows(probabilities.shape[1])
    rows = np.zeros(len(keys), shape)
    rows["fields"], rows["id_length"], rows["key_length"] = 3, 16, 16
    rows["id"] = np.frombuffer(b"".join(uuid_utils.uuid7().bytes for _ in range(len(keys))), "V16")
    rows["key"] = keys
    rows["length"] = shape["array"].itemsize
    array = rows["array"]
    array["dimensions"], array["type"], array["count"], array["first"] = 1, FLOAT4_OID, probabilities.shape[1], 1
    array["items"]["length"], array["items"]["value"] = 4, probabilities
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(STAGE)
        with cursor.copy(WRITE) as copy:
            copy.write(SIGNATURE + rows.tobytes() + END)
        cursor.execute(KEEP, {"version": version.pk, "held": Status.QUARANTINED.value})
        return int(cursor.rowcount)


@lru_cache(maxsize=8)
def finding_rows(count: int) -> np.dtype[np.void]:
    """A row (uuid, uuid, real[])."""
    item: Any = [("length", ">i4"), ("value", ">f4")]
    array: Any = [("dimensions", ">i4"), ("nulls", ">i4"), ("type", ">i4"), ("count", ">i4"), ("first", ">i4")]
    row: Any = [("fields", ">i2"), ("id_length", ">i4"), ("id", "V16"), ("key_length", ">i4"), ("key", "V16")]
    return np.dtype([*row, ("length", ">i4"), ("array", np.dtype([*array, ("items", np.dtype(item), (count,))]))])
