"""The label manifest: the file that closes the circle. Written by the bench, read by training; neither knows the other.

A manifest is a folder: ``labels.parquet`` (or ``.jsonl``, ``.csv``) with one row a picture and category,
``embeddings.safetensors`` (row ``embedding_ref`` of its tensor ``embeddings`` belongs to the picture) and
``manifest.json``.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from classifiers.base import FloatArray
from classifiers.embeddings import EmbeddingFile, write_embeddings
from classifiers.labels import FORMATS, SCHEMA, Fingerprint, Row, batches, open_writer, read_table
from classifiers.splits import SPLITS
from classifiers.weights import file_sha256

SCHEMA_VERSION = 1
INDEX = "manifest.json"
EMBEDDINGS = "embeddings.safetensors"


class ManifestError(ValueError):
    """The manifest cannot be written or read. The message says what to mend."""


@dataclass(frozen=True, eq=False)
class Manifest:
    """A manifest on disk; ``read`` gives a checked one. ``index`` is the content of ``manifest.json``."""

    folder: Path
    index: Mapping[str, Any]
    embeddings: EmbeddingFile | None
    rows: pa.Table | None = None

    @cached_property
    def table(self) -> pa.Table:
        """The columns of ``SCHEMA``, one row a picture and category; read on first use."""
        if self.rows is not None:
            return self.rows
        format_ = str(self.index["format"])
        return read_table(self.folder / f"labels.{format_}", format=format_)

    @property
    def fingerprint(self) -> str:
        """Hex name of the content: the same labels and embeddings give the same one wherever and whenever written."""
        return str(self.index["fingerprint"])

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @cached_property
    def categories(self) -> tuple[str, ...]:
        return tuple(sorted(str(code) for code in self.table["category"].unique().to_pylist()))

    def column(self, name: str) -> NDArray[Any]:
        """One column as an array; numbers that are missing become NaN."""
        return np.asarray(self.table[name].to_numpy(zero_copy_only=False))

    def coded(self, name: str) -> tuple[NDArray[np.int32], list[str]]:
        """A column of texts as numbers, and the text of each: millions of rows hold few different ones. -1: null."""
        encoded: Any = self.table[name].combine_chunks().dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return codes.astype(np.int32), [str(one) for one in encoded.dictionary.to_pylist()]

    def split(self, name: str) -> "Manifest":
        """The rows of one split: train, validation or test. Same fingerprint: it names the whole."""
        if name not in SPLITS:
            raise ManifestError(f"there is no split {name!r}: use {', '.join(SPLITS)}")
        rows = self.table.filter(pc.field("split") == name)
        return Manifest(self.folder, self.index, self.embeddings, rows)

    def vectors(self) -> FloatArray:
        """float32 [len(self), D]: the embedding of each row's picture."""
        if self.embeddings is None:
            raise ManifestError(f"{self.folder} has no embeddings: export it again with embeddings")
        references = self.table["embedding_ref"]
        if references.null_count:
            raise ManifestError("some rows have no embedding_ref: export it again with embeddings")
        return self.embeddings.rows(references.to_numpy())


def write(
    rows: Iterable[Row] | Iterable[pa.RecordBatch],
    out_dir: Path,
    *,
    format: Literal["parquet", "jsonl", "csv"] = "parquet",
    embeddings: FloatArray | NDArray[np.float16] | Iterable[NDArray[Any]] | None = None,
    query: Mapping[str, Any] | None = None,
    beside: Callable[[dict[str, Any]], Iterable[str]] | None = None,
    **more: Any,
) -> Manifest:
    """Write a manifest into ``out_dir`` (made when missing) and return it.

    ``rows`` and ``embeddings`` may be generators: a few thousand rows are held at a time. Rows are mappings of the
    columns of ``SCHEMA`` (missing ones become null) or record batches of that schema. Each file is written as ``.part``
    and renamed, ``manifest.json`` last, so a folder without it is unfinished and ``read`` refuses it.

    ``beside`` is given what ``manifest.json`` will say, once labels and embeddings lie there; it may add to it, and
    returns the names of the files it wrote into ``out_dir``, whose sha256 then stand in it, too. ``more`` are further
    entries of it.
    """
    if format not in FORMATS:
        raise ManifestError(f"there is no format {format!r}: use {', '.join(FORMATS)}")
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / INDEX).unlink(missing_ok=True)
    labels = out_dir / f"labels.{format}"
    fingerprint, counts = Fingerprint(), _Counts()
    part = labels.with_name(labels.name + ".part")
    try:
        with open_writer(part, format=format) as append, ThreadPoolExecutor(1) as writer:

            def keep(batch: pa.RecordBatch) -> None:
                append(batch)
                fingerprint.update(batch)
                counts.update(batch)

            # While one batch is written, and hashed, the next is made.
            writing: Future[None] | None = None
            for batch in batches(rows):
                if writing is not None:
                    writing.result()
                writing = writer.submit(keep, batch)
            if writing is not None:
                writing.result()
    except pa.ArrowInvalid as error:
        raise ManifestError(f"a row does not fit the columns of the manifest: {error}") from error
    part.replace(labels)
    files = {labels.name: file_sha256(labels)}
    if embeddings is not None:
        path = out_dir / EMBEDDINGS
        shape = write_embeddings(embeddings, path)
        files[path.name] = file_sha256(path)
        counts.pictures, counts.embedding_size = shape
        # The header of the file holds shape and type only, so its digest is a digest of the content.
        fingerprint.add(files[path.name])
    index: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "format": format,
        "fingerprint": fingerprint.hexdigest(),
        "counts": counts.describe(),
        "query": dict(query or {}),
        "files": files,
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **more,
    }
    for name in beside(index) if beside else ():
        files[name] = file_sha256(out_dir / name)
    part = out_dir / f"{INDEX}.part"
    part.write_text(json.dumps(index, indent=2, ensure_ascii=False) + "\n", "utf-8")
    part.replace(out_dir / INDEX)
    return Manifest(out_dir, index, EmbeddingFile(out_dir / EMBEDDINGS) if EMBEDDINGS in files else None)


def read(path: Path | str, *, keep: Sequence[str] | None = None) -> Manifest:
    """The manifest in the folder ``path`` (or the folder of the file ``path``), every file checked against its
    sha256. With ``keep`` it has these columns only, for who needs no more: of millions of rows the rest is most."""
    path = Path(path)
    folder = path if path.is_dir() else path.parent
    try:
        index = json.loads((folder / INDEX).read_text("utf-8"))
        files, version, format_ = dict(index["files"]), index["schema_version"], str(index["format"])
    except FileNotFoundError as error:
        raise ManifestError(f"{folder} has no {INDEX}: it is no manifest, or its export was cut short") from error
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"{folder / INDEX} is damaged: export it again") from error
    if version != SCHEMA_VERSION:
        raise ManifestError(f"{folder / INDEX} has schema version {version}, this Loupe reads {SCHEMA_VERSION}")
    for name, digest in files.items():
        file = folder / name
        if Path(name).name != name or not file.is_file():
            raise ManifestError(f"{name} is missing from {folder}: copy the whole folder")
        if file_sha256(file) != digest:
            raise ManifestError(f"{file} was changed after its export (sha256 differs): export it again")
    table = read_table(folder / f"labels.{format_}", format=format_)  # checked here, so kept: read once
    embeddings = EmbeddingFile(folder / EMBEDDINGS) if EMBEDDINGS in files else None
    check = Fingerprint()
    for batch in table.to_batches():
        check.update(batch)
    if embeddings is not None:
        check.add(files[EMBEDDINGS])
    if check.hexdigest() != index["fingerprint"]:
        raise ManifestError(f"the fingerprint in {folder / INDEX} does not belong to its labels: export it again")
    return Manifest(folder, index, embeddings, table if keep is None else table.select(list(keep)))


def give_back() -> None:
    """Afterwards the memory of tables that nobody holds any more is the system's again."""
    pa.default_memory_pool().release_unused()


class _Counts:
    def __init__(self) -> None:
        self.rows = 0
        self.pictures: int | None = None
        self.embedding_size: int | None = None
        self._cells: Counter[tuple[str | None, int | None, str | None]] = Counter()

    def update(self, batch: pa.RecordBatch) -> None:
        self.rows += batch.num_rows
        table = pa.Table.from_batches([batch]).group_by(["category", "label", "split"]).aggregate([([], "count_all")])
        for cell in table.to_pylist():
            self._cells[cell["category"], cell["label"], cell["split"]] += cell["count_all"]

    def describe(self) -> dict[str, Any]:
        categories: dict[str, dict[str, int]] = {}
        splits: Counter[str] = Counter()
        for (category, label, split), count in self._cells.items():
            side = {0: "negative", 1: "positive"}.get(-1 if label is None else label, "unknown")
            cell = categories.setdefault(category or "", {"positive": 0, "negative": 0, "unknown": 0})
            cell[side] += count
            splits[split or ""] += count
        return {
            "rows": self.rows,
            "pictures": self.pictures,
            "embedding_size": self.embedding_size,
            "categories": dict(sorted(categories.items())),
            "splits": dict(sorted(splits.items())),
        }


__all__ = ["SCHEMA", "Manifest", "ManifestError", "Row", "read", "write"]
