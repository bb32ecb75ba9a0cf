"""The label manifest on disk: rows, embeddings, images where the format has them, and the card beside."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from django.db import transaction
from django.utils import timezone

from classifiers import manifests
from moderation import audit
from moderation.actors import Actor
from moderation.models import User
from review.labels import door
from review.labels.queries import NothingToExport, Query
from review.labels.selecting import Asked
from review.labels.streaming import Numbering, pieces
from review.labels.surveys import survey
from review.models import Dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Part = tuple[pa.RecordBatch, NDArray[np.float16] | None]


def export(
    out: Path, *, query: Query, format: str, actor: Actor, person: User | None = None, asof: datetime | None = None
) -> manifests.Manifest:
    """Write the label manifest into the folder `out` and register it as a Dataset. Raises NothingToExport."""
    started = timezone.now()
    asked = Asked.at(query, asof or started)
    found = survey(asked)
    refused = Counter[str]()

    def parts() -> Iterator[Part]:
        for piece in pieces(asked, found):
            refused.update(piece.refused)
            yield piece.rows, piece.vectors

    numbering = Numbering(door.withdrawn_since(started))
    manifest = write(numbering.of(parts()), out, query=query, format=format, refused=refused)
    if not manifest.index["counts"]["rows"]:
        raise NothingToExport("No decision yields a label under this query.")
    register(manifest, query=query, actor=actor, person=person)
    return manifest


def write(parts: Iterable[Part], out: Path, *, query: Query, format: str, refused: Mapping[str, int]) -> manifests.Manifest:
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=out) as spool:
        width = 0

        def rows() -> Iterator[pa.RecordBatch]:
            nonlocal width
            for batch, vectors in parts:
                if vectors is not None and len(vectors):
                    width = vectors.shape[1]
                    spool.write(np.ascontiguousarray(vectors, dtype="<f2").data)
                if batch.num_rows:
                    yield batch

        def vectors() -> Iterator[NDArray[np.float16]]:
            spool.seek(0)
            while data := spool.read(width * 2 * 4096):
                yield np.frombuffer(data, "<f2").reshape(-1, width)

        return manifests.write(
            rows(), out, format=format, embeddings=vectors() if query.backbone else None, query=query.as_json(), refused=dict(refused)
        )


def register(manifest: manifests.Manifest, *, query: Query, actor: Actor, person: User | None = None, folder: str = "") -> Dataset:
    rows = int(manifest.index["counts"]["rows"])
    with transaction.atomic():
        row, _made = Dataset.objects.get_or_create(
            fingerprint=manifest.fingerprint,
            defaults={"rows": rows, "query": query.as_json(), "created_by": person, "folder": folder},
        )
        said = {"rows": rows, **query.as_json()}
        audit.record(audit.Entry(actor, "labels.exported", f"dataset:{manifest.fingerprint}", said))
    return row
