"""Images that a draw may choose among: of the newest, those that nobody has judged or is asked about, with their
embeddings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np
from django.db import connection

from classifiers.models import ClassifierVersion
from moderation.models import Reason, Status
from moderation.simulation.history import oldest_of
from moderation.taxonomy import UNTRAINABLE
from moderation.triage.copying import embeddings
from review.models import EffectState
from review.quality.gathering import SAID

if TYPE_CHECKING:
    from numpy.typing import NDArray

WALK: Final = 200_000  # of the newest images
WINDOW: Final = 20_000  # candidates: as many embeddings of 1,280 numbers take 50 MB as stored
COVERED: Final = 4_000  # of the images judged last, for what is covered

# What may not be learnt from is not worth a person's look; nor, for this, what somebody is asked about anyway. Where
# several people must agree, one answer to another question would settle it.
FREE: Final = f"""
SELECT image.id, coalesce(image.cluster, image.id),
    coalesce(image.generator ->> 'name', ''), coalesce(image.generator ->> 'version', '')
FROM moderation_submission image
WHERE image.id >= %(first)s AND image.status = ANY(%(statuses)s) AND NOT image.flagged && %(barred)s::varchar[]
    AND EXISTS (SELECT FROM moderation_embedding seen
        WHERE seen.submission_id = image.id AND seen.backbone_id = %(backbone)s)
    AND NOT EXISTS (SELECT FROM review_decision said JOIN review_effect effect ON effect.decision_id = said.id
        WHERE said.submission_id = image.id AND said.verdict = ANY(%(said)s::text[])
        AND effect.state <> '{EffectState.UNDONE.value}')
    AND NOT EXISTS (SELECT FROM moderation_reviewrequest asked
        WHERE asked.submission_id = image.id AND asked.closed_at IS NULL
        AND (NOT %(waiting)s OR asked.reason = '{Reason.LEARNING.value}' OR asked.needed > 1))
ORDER BY image.id DESC LIMIT %(window)s
"""  # noqa: S608 - our own constants
READ: Final = """
COPY (
    SELECT submission_id, vector FROM moderation_embedding
    WHERE backbone_id = %(backbone)s AND submission_id = ANY(%(keys)s)
) TO STDOUT (FORMAT BINARY)
"""
JUDGED: Final = """
SELECT submission_id FROM (
    SELECT submission_id, id FROM review_decision WHERE verdict = ANY(%(said)s::text[]) ORDER BY id DESC LIMIT %(most)s
) newest GROUP BY submission_id
"""
MAKERS: Final = """
SELECT coalesce(image.generator ->> 'name', ''), coalesce(image.generator ->> 'version', ''), count(*)
FROM moderation_submission image WHERE image.id = ANY(%(keys)s) GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """N candidates, newest first: ids, near-duplicate clusters, generators (name, version), embeddings [N, D]."""

    keys: list[UUID]
    kin: list[UUID]
    makers: list[tuple[str, str]]
    vectors: NDArray[np.float16]

    def __len__(self) -> int:
        return len(self.keys)


def find(eyes: ClassifierVersion, *, waiting: bool) -> Pool:
    """At most WINDOW of the newest WALK images. Two statements and one that finds where to begin."""
    statuses = [Status.APPROVED.value, Status.BLOCKED.value, *([Status.IN_REVIEW.value] if waiting else [])]
    values: dict[str, Any] = {
        "first": oldest_of(WALK),
        "statuses": statuses,
        "barred": [one.value for one in UNTRAINABLE],
        "backbone": eyes.pk,
        "said": [one.value for one in SAID],
        "waiting": waiting,
        "window": WINDOW,
    }
    with connection.cursor() as cursor:
        cursor.execute(FREE, values)
        rows = cursor.fetchall()
    keys = [row[0] for row in rows]
    vectors = vectors_of(eyes, keys)
    # An embedding that holds no number says nothing, and would say it of everything it is compared with.
    usable = [at for at, key in enumerate(keys) if key in vectors and np.isfinite(vectors[key]).all()]
    table = np.array([vectors[keys[at]] for at in usable], np.float16).reshape(len(usable), eyes.embedding_size or 0)
    return Pool([keys[at] for at in usable], [rows[at][1] for at in usable], [rows[at][2:] for at in usable], table)


def vectors_of(eyes: ClassifierVersion, keys: list[UUID]) -> dict[UUID, NDArray[np.float16]]:
    if not keys:
        return {}
    raw, table = embeddings(READ, {"backbone": eyes.pk, "keys": keys}, size=eyes.embedding_size or 0)
    return {UUID(bytes=key.tobytes()): row for key, row in zip(raw, table, strict=True)}


def judged() -> list[UUID]:
    """The images people judged last."""
    with connection.cursor() as cursor:
        cursor.execute(JUDGED, {"said": [one.value for one in SAID], "most": COVERED})
        return [key for (key,) in cursor.fetchall()]


def covered(eyes: ClassifierVersion, keys: list[UUID]) -> NDArray[np.float16]:
    """Embeddings [C, D] of these, as far as they are stored."""
    found = [row for row in vectors_of(eyes, keys).values() if np.isfinite(row).all()]
    return np.array(found, np.float16).reshape(len(found), eyes.embedding_size or 0)


def makers(keys: list[UUID]) -> dict[tuple[str, str], int]:
    """Of how many of these images each generator is."""
    with connection.cursor() as cursor:
        cursor.execute(MAKERS, {"keys": keys})
        return {(name, version): count for name, version, count in cursor.fetchall()}
