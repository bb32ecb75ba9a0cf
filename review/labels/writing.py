"""A data set on disk: rows, embeddings, images or pairs where they are asked for, and the card beside."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
from django.db import transaction
from django.utils import timezone

from classifiers import manifests
from moderation import audit
from moderation.actors import Actor
from moderation.models import User
from review.datasets import MEMBERS
from review.labels import albums, cards, door, pairs
from review.labels.queries import ALBUMS, NothingToExport, Query, Refusal
from review.labels.selecting import Asked
from review.labels.streaming import Numbering, pieces
from review.labels.surveys import Survey, survey
from review.models import Dataset, ExportKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Part = tuple[pa.RecordBatch, NDArray[np.float16] | None]
    Parts = Callable[[], Iterator[Part]]


@dataclass(frozen=True, slots=True)
class Order:
    """What is written: in which format, as labels or as pairs. `tick` is told (images copied)."""

    asked: Asked
    found: Survey
    format: str
    kind: str = ExportKind.LABELS
    tick: Callable[[int], object] = int


def export(
    out: Path,
    *,
    query: Query,
    format: str,
    actor: Actor,
    person: User | None = None,
    kind: str = ExportKind.LABELS,
) -> manifests.Manifest:
    """Write a data set into the folder `out` in one go and register it. Raises NothingToExport."""
    asked = Asked.at(query, timezone.now())
    order = Order(asked, survey(asked), format, kind)
    refused = Counter[str]()

    def parts() -> Iterator[Part]:
        refused.clear()
        for piece in pieces(order.asked, order.found):
            refused.update(piece.refused)
            yield piece.rows, piece.vectors

    manifest = write(parts, out, order=order, refused=refused)
    with transaction.atomic():
        register(manifest, query=query, actor=actor, person=person)
    return manifest


def write(parts: Parts, out: Path, *, order: Order, refused: Mapping[str, int]) -> manifests.Manifest:
    """`parts` may be read more than once; `refused` is read when it was read to its end. Raises NothingToExport; then
    `out` holds no manifest.
    """
    out.mkdir(parents=True, exist_ok=True)
    numbering, tally, pairing = Numbering(door.withdrawn_since(order.asked.asof)), cards.Tally(), pairs.Pairing()
    stream = parts()
    if order.kind == ExportKind.PAIRS:
        stream = pairing.of(numbered(pairs.paired(stream, pairs.sides(parts())), numbering, order))
    else:
        stream = numbered(stream, numbering, order)
    tabular = "parquet" if order.format in ALBUMS else order.format

    def beside(index: dict[str, Any]) -> list[str]:
        if not index["counts"]["rows"]:
            raise NothingToExport("No decision yields a label under this query.")
        index["refused"] = dict(refused)
        if numbering.withheld:
            index["refused"][Refusal.QUARANTINED.value] = numbering.withheld + refused.get("quarantined", 0)
        files = pairing.write(out) if order.kind == ExportKind.PAIRS else []
        if order.kind == ExportKind.PAIRS:
            index["pairs"] = pairing.count
        if order.format in ALBUMS:
            labels = out / f"labels.{tabular}"
            album = albums.copy(order.format, labels, out, images=order.asked.query.images, tick=order.tick)
            index["album"] = {"layout": order.format, "images": album.images, "missing": album.missing}
            files += album.files
        return [*files, members(), *cards.write(tally, index, out)]

    def members() -> str:
        (out / MEMBERS).write_bytes(b"".join(tally.members))
        return MEMBERS

    with tempfile.TemporaryFile(dir=out) as spool:
        embeddings = Spool(spool)
        return manifests.write(
            embeddings.keep(tally.of(stream)),
            out,
            format=cast(Any, tabular),
            embeddings=embeddings.read() if order.asked.query.backbone else None,
            query=order.asked.query.as_json(),
            beside=beside,
            asof=order.asked.asof.isoformat(),
            policies=order.asked.history.in_force(),
            clusters=order.found.way,
        )


def numbered(stream: Iterator[Part], numbering: Numbering, order: Order) -> Iterator[Part]:
    for rows, vectors in numbering.of(stream):
        if order.format in ALBUMS:
            by_split, images = order.format == "imagefolder", order.asked.query.images
            yield albums.placed(rows, by_split=by_split, images=images), vectors
        else:
            yield rows, vectors


@dataclass(eq=False)
class Spool:
    """Embeddings wait on disk until the rows are written."""

    file: Any
    width: int = 0

    def keep(self, parts: Iterator[Part]) -> Iterator[pa.RecordBatch]:
        for rows, vectors in parts:
            if vectors is not None and len(vectors):
                self.width = vectors.shape[1]
                self.file.write(np.ascontiguousarray(vectors, dtype="<f2").data)
            if rows.num_rows:
                yield rows

    def read(self) -> Iterator[NDArray[np.float16]]:
        self.file.seek(0)
        while data := self.file.read(self.width * 2 * 4096):
            yield np.frombuffer(data, "<f2").reshape(-1, self.width)


def register(
    manifest: manifests.Manifest, *, query: Query, actor: Actor, person: User | None = None, folder: str = ""
) -> Dataset:
    """In the caller's transaction: the same content is the same data set, whoever asked and whenever."""
    rows = int(manifest.index["counts"]["rows"])
    made = {"rows": rows, "query": query.as_json(), "created_by": person, "folder": folder}
    dataset, _new = Dataset.objects.get_or_create(fingerprint=manifest.fingerprint, defaults=made)
    said = {"rows": rows, "folder": folder, **query.as_json()}
    audit.record(audit.Entry(actor, "labels.exported", f"dataset:{manifest.fingerprint}", said))
    return dataset
