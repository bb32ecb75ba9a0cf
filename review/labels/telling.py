"""Labels as rows of the manifest: a record batch a block, with the embeddings of its images."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np
import pyarrow as pa

from classifiers import splits
from classifiers.labels import SCHEMA
from classifiers.models import ClassifierVersion
from moderation.models import TriagePlan
from moderation.simulation.history import find
from moderation.triage.copying import embeddings
from review.labels import definitions, deriving
from review.labels.queries import Query
from review.labels.reading import arrow, filled, listed, whole
from review.labels.scores import CODES, halves
from review.labels.selecting import SOURCES, Selected
from review.labels.surveys import BUCKETS, Survey, cluster_numbers, draws

if TYPE_CHECKING:
    from numpy.typing import NDArray

VECTORS: Final = """
COPY (
    SELECT submission_id, vector FROM moderation_embedding
    WHERE backbone_id = %(backbone)s AND submission_id = ANY(%(keys)s)
) TO STDOUT (FORMAT BINARY)
"""
AS_THEY_STAND: Final = ("submission_id", "sha256", "pdq", "width", "height", "prompt")
OR_NOTHING: Final = ("generator", "licence", "consent_basis")


def rows_of(told: Selected, found: Survey, query: Query) -> pa.RecordBatch:
    """One row an image and category, in the order of the images' keys and of the categories' names. `embedding_ref` is
    null. `image` is the name of the file in its storage.
    """
    keeps = told.label >= 0
    rate = np.ones_like(told.agreement)
    if query.sampling == "balanced":
        side = np.maximum(told.label, 0)
        places = np.arange(len(CODES))[None, :]
        keeps &= (draws(told) % BUCKETS).astype(np.int64) < found.bucket[places, side]
        rate = found.rate[places, side]
    rows, columns = np.nonzero(keeps)
    wanted = (*AS_THEY_STAND, *OR_NOTHING, query.images)
    chosen = told.block.images.select(wanted)
    if not each_once(rows, len(told.block)):
        chosen = chosen.take(arrow(rows))
    chance = told.chances()[rows] * rate[rows, columns]
    at = told.latest["decided_at"].to_numpy()[rows]
    cluster, split = clusters(told, found, rows)
    kept: dict[str, Any] = {name: chosen[name] for name in AS_THEY_STAND}
    kept |= {name: filled(chosen[name]) for name in OR_NOTHING}
    kept |= {
        "image": chosen[query.images],
        "category": pa.array(CODES).take(arrow(columns)),
        "severity": told.severity[rows, columns],
        "label": told.label[rows, columns],
        "source": pa.array(SOURCES).take(arrow(told.source[rows, columns])),
        "reviewers": deriving.reviewers(told.block, told.derived).take(arrow(rows)),
        "agreement": told.agreement[rows, columns],
        "decided_at": pa.array(at, pa.timestamp("us", "UTC")),
        "policy_version": definitions.names(told.numbers[rows, columns], told.guides[rows, columns]),
        "plan_version": numbered(told.latest["seen_plan_id"]).take(arrow(rows)),
        "classifier_versions": told.scores.spoke.take(arrow(rows)),
        "probability_at_triage": pa.array(told.scores.highest[rows, columns].astype(np.float64), from_pandas=True),
        "inclusion_probability": pa.array(chance, from_pandas=True),
        "weight": 1.0 / np.where(np.isnan(chance), rate[rows, columns], chance),
        "cluster_id": cluster,
        "split": split,
        "embedding_ref": pa.nulls(len(rows), pa.int64()),
        "definition": pa.array(definitions.KINDS).take(arrow(told.kind[rows, columns])),
        "soft_label": told.share[rows, columns] if query.soft else pa.nulls(len(rows), pa.float64()),
    }
    arrays = [flat(kept[field.name]).cast(field.type) for field in SCHEMA]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def flat(column: Any) -> Any:
    if isinstance(column, np.ndarray):
        return pa.array(column)
    if isinstance(column, pa.ChunkedArray):
        return whole(column)
    return column


def clusters(told: Selected, found: Survey, rows: NDArray[np.intp]) -> tuple[Any, Any]:
    """Cluster and split of each row's image: by a lot that never changes, or by time."""
    images = told.block.images
    wanted = rows if each_once(rows, len(images)) else np.unique(rows)
    ids = listed(images["cluster"] if wanted is rows else images["cluster"].take(arrow(wanted)))
    if found.joined:
        ids = [found.joined.get(one, one) for one in ids]
    if found.late is not None:
        numbers, which = found.late
        places = np.searchsorted(numbers, cluster_numbers(ids)) if ids else np.zeros(0, np.intp)
        drawn = pa.array(splits.SPLITS).take(arrow(which[places]))
    else:
        drawn = pa.array(splits.splits_of(ids), pa.string())
    told_ids = pa.array(ids, pa.string())
    if wanted is rows:
        return told_ids, drawn
    at = arrow(np.searchsorted(wanted, rows))
    return told_ids.take(at), drawn.take(at)


def each_once(rows: NDArray[np.intp], count: int) -> bool:
    """Whether `rows`, in ascending order, are all of `count`."""
    return len(rows) == count and bool((rows == np.arange(count)).all())


def numbered(plans: Any) -> Any:
    """A plan's number as text; "" for none."""
    coded = whole(plans).dictionary_encode()
    words = pa.array([str(plan_number(UUID(one))) for one in coded.dictionary.to_pylist()], pa.string())
    return filled(words.take(coded.indices))


@lru_cache(maxsize=1024)
def plan_number(key: UUID) -> int:
    return TriagePlan.objects.values_list("number", flat=True).get(pk=key)


def embedded(batch: pa.RecordBatch, backbone: ClassifierVersion) -> tuple[pa.RecordBatch, NDArray[np.float16]]:
    """The batch with `embedding_ref` counted from 0, and the embeddings [M, D] that it counts, in its order."""
    ids = batch["submission_id"]
    coded = ids.dictionary_encode()
    names = listed(coded.dictionary)
    parameters = {"backbone": backbone.pk, "keys": [UUID(one) for one in names]}
    found, vectors = embeddings(VECTORS, parameters, size=backbone.embedding_size or 0)
    keys = np.frombuffer(found.tobytes(), ">u8").reshape(-1, 2).astype(np.uint64)
    places = find(halves(names), keys) if len(keys) else np.full(len(names), -1)
    there = places >= 0
    reference = np.where(there, np.cumsum(there) - 1, -1)[coded.indices.to_numpy()]
    column = pa.array(reference, pa.int64(), mask=reference < 0)
    return with_column(batch, "embedding_ref", column), vectors[places[there]]


def with_column(batch: pa.RecordBatch, name: str, column: Any) -> pa.RecordBatch:
    return batch.set_column(SCHEMA.get_field_index(name), SCHEMA.field(name), column)
