"""The labels of a query as a stream of pieces, one a block of decisions; memory does not grow with the archive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from classifiers.models import ClassifierVersion
from review.labels.reading import FIRST
from review.labels.selecting import Asked, selections
from review.labels.surveys import Survey
from review.labels.telling import embedded, rows_of, with_column

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows of the images up to `last`; `vectors` [M, D] are what their embedding_ref counts from 0. `decisions` were
    read for it, and `refused` counts by `door.Refusal`.
    """

    last: UUID
    rows: pa.RecordBatch
    vectors: NDArray[np.float16] | None
    decisions: int
    refused: Counter[str]


def pieces(asked: Asked, found: Survey, *, after: UUID = FIRST) -> Iterator[Piece]:
    """In the order of the images' keys, behind `after`. The same again wherever somebody goes on."""
    backbone = None
    if asked.query.backbone:
        backbone = ClassifierVersion.objects.with_refs([asked.query.backbone]).get()
    for told in selections(asked, after=after):
        rows, vectors = rows_of(told, found, asked.query), None
        if backbone is not None and backbone.embedding_size:
            rows, vectors = embedded(rows, backbone)
        yield Piece(told.block.last, rows, vectors, told.block.table.num_rows, told.refused)


@dataclass(eq=False)
class Numbering:
    """Joins pieces into one set: counts embeddings through, and leaves out what was withdrawn since it was read."""

    withdrawn: Collection[str] = ()
    vectors: int = 0
    images: int = 0
    withheld: int = 0

    def of(
        self, parts: Iterable[tuple[pa.RecordBatch, NDArray[np.float16] | None]]
    ) -> Iterator[tuple[pa.RecordBatch, NDArray[np.float16] | None]]:
        gone = pa.array(sorted(self.withdrawn), pa.string())
        for rows, vectors in parts:
            kept = rows
            if len(gone):
                kept = rows.filter(pc.invert(pc.is_in(rows["submission_id"], value_set=gone)))
                self.withheld += pc.count_distinct(rows["submission_id"]).as_py()
                self.withheld -= pc.count_distinct(kept["submission_id"]).as_py()
            self.images += pc.count_distinct(kept["submission_id"]).as_py()
            if vectors is None:
                yield kept, None
                continue
            told = kept["embedding_ref"].fill_null(-1).to_numpy(zero_copy_only=False)
            used = np.unique(told[told >= 0])
            reference = np.where(told >= 0, np.searchsorted(used, told) + self.vectors, -1)
            column = pa.array(reference, pa.int64(), mask=told < 0)
            self.vectors += len(used)
            yield with_column(kept, "embedding_ref", column), vectors[used]
