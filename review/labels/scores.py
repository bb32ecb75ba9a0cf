"""What the classifiers had said of decided images, as one matrix: a row an image, a column a category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np
import pyarrow as pa
from django.db import connection

from moderation import provenance
from moderation.simulation.history import find
from moderation.taxonomy import Category
from moderation.triage.scoring import named
from review.cases import plan_of
from review.labels import wire
from review.labels.reading import arrow, mogrified, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifiers.models import ClassifierVersion
    from review.labels.reading import Block

CODES: Final = tuple(sorted(Category.values))
"""The columns of every matrix of categories."""
PLACE: Final = {code: place for place, code in enumerate(CODES)}

DECIDED: Final = """
submission_id > %(after)s AND submission_id <= %(last)s AND submission_id IN (
    SELECT submission_id FROM review_decision WHERE submission_id > %(after)s AND submission_id <= %(last)s
    UNION ALL SELECT submission_id FROM review_golditem WHERE submission_id > %(after)s AND submission_id <= %(last)s
)
"""
FINDINGS: Final = f"""
COPY (
    SELECT string_agg(uuid_send(submission_id), ''), string_agg({{numbers}}, '') FROM moderation_finding
    WHERE classifier_id = %(version)s AND cardinality(probabilities) = %(size)s AND {DECIDED}
) TO STDOUT (FORMAT BINARY)
"""  # noqa: S608 - the names of our own columns
# C2PA's “training and data mining” assertion: what is not plainly allowed is not.
FORBIDDEN: Final = f"""
SELECT DISTINCT submission_id FROM moderation_finding
WHERE classifier_id = ANY(%(versions)s) AND {DECIDED} AND jsonb_typeof(evidence -> 'training') = 'object' AND EXISTS (
    SELECT FROM jsonb_each_text(evidence -> 'training') said
    WHERE said.value <> 'allowed' AND said.key <> 'ai_inference'
)
"""  # noqa: S608


@dataclass(frozen=True, eq=False)
class Scores:
    """Of N images: `highest` [N, C] of the plan that triaged them, NaN where none spoke; `spoke` [N], lists of refs;
    `forbidden` [N]: what the file itself says of training on it.
    """

    highest: NDArray[np.float32]
    spoke: Any
    forbidden: NDArray[np.bool_]


@lru_cache(maxsize=64)
def followed(plan: UUID) -> tuple[ClassifierVersion, ...]:
    """The versions that a plan pins, in its order; neither ever changes."""
    refs = plan_of(plan).classifiers
    found = {one.ref: one for one in named(list(refs))}
    return tuple(found[ref] for ref in refs if ref in found)


def scores_of(block: Block) -> Scores:
    """A statement a version that spoke, and one about provenance; shadows had no say."""
    keys = block.keys
    plans = whole(block.images["plan_id"]).dictionary_encode()
    names = [UUID(one) for one in plans.dictionary.to_pylist()]
    which = plans.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    pinned = [followed(name) for name in names]
    versions = {one.ref: one for each in pinned for one in each}
    highest = np.full((len(keys), len(CODES)), np.nan, np.float32)
    heard = np.zeros((len(keys), len(versions)), np.bool_)
    for column, version in enumerate(versions.values()):
        follows = np.array([*(version in each for each in pinned), False], np.bool_)[which]
        told, values = findings(version, block)
        places = find(keys, told)
        there = heard[:, column] = follows & (places >= 0)
        known = [place for place, code in enumerate(version.categories) if code in PLACE]
        at = np.array([PLACE[version.categories[place]] for place in known], np.intp)
        rows = np.flatnonzero(there)
        if len(rows) == len(keys):
            highest[:, at] = np.fmax(highest[:, at], values[places][:, known])
        elif len(rows):
            cells = rows[:, None], at[None, :]
            highest[cells] = np.fmax(highest[cells], values[places[rows]][:, known])
    return Scores(highest, lists(heard, list(versions)), forbidden(block, list(versions.values()), keys))


def findings(version: ClassifierVersion, block: Block) -> tuple[NDArray[np.uint64], NDArray[np.float32]]:
    """Keys [M, 2] and scores [M, K] of one version's findings on the block's images."""
    size = len(version.categories)
    # In one row, so that none costs a message; as pgvector's numbers, in half the bytes and time of an array's. There
    # is no `vector` of none.
    statement = FINDINGS.format(numbers="vector_send(probabilities::vector)" if size else "''::bytea")
    parameters = {"version": version.pk, "size": size, "after": block.after, "last": block.last}
    with connection.cursor() as cursor:
        stated = mogrified(cursor, statement, parameters)
    ids, numbers = wire.copied(connection.connection, stated).whole(2)
    keys = np.frombuffer(ids, ">u8").reshape(-1, 2).astype(np.uint64)
    vector = np.dtype([("head", ">i2", 2), ("values", ">f4", (size,))])
    values = np.frombuffer(numbers, vector)["values"] if size else np.zeros((len(keys), 0))
    return keys, values.astype(np.float32)


def forbidden(block: Block, versions: Sequence[ClassifierVersion], keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
    readers = [one.pk for one in versions if one.kind == provenance.KIND]
    said = np.zeros(len(keys), np.bool_)
    if readers:
        with connection.cursor() as cursor:
            cursor.execute(FORBIDDEN, {"versions": readers, "after": block.after, "last": block.last})
            found = [row[0] for row in cursor.fetchall()]
        if found:
            said[:] = find(keys, halves([str(one) for one in found])) >= 0
    return said


def halves(ids: Sequence[str]) -> NDArray[np.uint64]:
    """Keys [N, 2] of ids in their usual writing."""
    packed = bytes.fromhex("".join(ids).replace("-", ""))
    return np.frombuffer(packed, ">u8").reshape(-1, 2).astype(np.uint64)


def lists(flags: NDArray[np.bool_], names: Sequence[str]) -> Any:
    """[N] lists of the names whose flag is set; few of the patterns differ."""
    if not len(flags):
        return pa.array([], pa.list_(pa.string()))
    if (flags == flags[0]).all():
        one = [name for name, flag in zip(names, flags[0].tolist(), strict=True) if flag]
        return pa.array([one], pa.list_(pa.string())).take(arrow(np.zeros(len(flags), np.intp)))
    patterns, which = np.unique(flags, axis=0, return_inverse=True)
    named_ = [[name for name, flag in zip(names, row, strict=True) if flag] for row in patterns.tolist()]
    return pa.array(named_, pa.list_(pa.string())).take(arrow(which.reshape(-1)))
