"""Rows of the label manifest: their columns, the three formats, and a fingerprint that no format changes."""

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

FORMATS = ("parquet", "jsonl", "csv")
BATCH = 8192

_NAMES = pa.list_(pa.string())
_FIELDS: list[tuple[str, pa.DataType]] = [
    ("submission_id", pa.string()),
    ("image", pa.string()),
    ("sha256", pa.string()),
    ("pdq", pa.string()),
    ("width", pa.int32()),
    ("height", pa.int32()),
    ("prompt", pa.string()),
    ("generator", pa.string()),
    ("category", pa.string()),
    ("severity", pa.int8()),
    ("label", pa.int8()),
    ("source", pa.string()),
    ("reviewers", _NAMES),
    ("agreement", pa.float64()),
    ("decided_at", pa.timestamp("us", tz="UTC")),
    ("policy_version", pa.string()),
    ("plan_version", pa.string()),
    ("classifier_versions", _NAMES),
    ("probability_at_triage", pa.float64()),
    ("inclusion_probability", pa.float64()),
    ("weight", pa.float64()),
    ("cluster_id", pa.string()),
    ("split", pa.string()),
    ("embedding_ref", pa.int64()),
    ("licence", pa.string()),
    ("consent_basis", pa.string()),
    ("definition", pa.string()),
    ("soft_label", pa.float64()),
]
SCHEMA = pa.schema(_FIELDS)
_CONTENT = tuple(name for name in SCHEMA.names if name != "image")
"""Columns that make the fingerprint: all but the path, which says where a picture lies, not what was decided."""
_LATER = frozenset({"definition", "soft_label"})
"""Columns that older manifests lack. Where nothing stands in one, it leaves no trace in the fingerprint."""


class Row(TypedDict, total=False):
    """One label. ``label`` is 1 (violates the category), 0 or missing; times are aware datetimes."""

    submission_id: str
    image: str
    sha256: str
    pdq: str | None
    width: int
    height: int
    prompt: str
    generator: str
    category: str
    severity: int | None
    label: int | None
    source: str
    reviewers: list[str]
    agreement: float | None
    decided_at: datetime | None
    policy_version: str
    plan_version: str
    classifier_versions: list[str]
    probability_at_triage: float | None
    inclusion_probability: float | None
    weight: float
    cluster_id: str
    split: str
    embedding_ref: int | None
    licence: str
    consent_basis: str
    definition: str | None
    """Of the guideline it was made under: current, older (replaced since), or remapped by choice."""
    soft_label: float | None
    """Of the people who said anything of the category, the share that see it; only where it was asked for."""


def batches(rows: Iterable[Row] | Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Record batches of ``SCHEMA``, at most a few thousand rows each when rows come one by one."""
    source: Iterator[Any] = iter(rows)
    for first in source:
        if isinstance(first, pa.RecordBatch):
            yield first.cast(SCHEMA)
        else:
            # A row that names an unknown column would be dropped silently by Arrow.
            chunk = [first, *islice(source, BATCH - 1)]
            for row in chunk:
                if not row.keys() <= _COLUMNS:
                    raise pa.ArrowInvalid(f"unknown column {', '.join(sorted(row.keys() - _COLUMNS))}")
            yield pa.RecordBatch.from_pylist(chunk, schema=SCHEMA)


_COLUMNS = frozenset(SCHEMA.names)


@contextmanager
def open_writer(path: Path, *, format: str) -> Iterator[Callable[[pa.RecordBatch], None]]:
    """A function that appends a batch to the file."""
    if format == "parquet":
        with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
            yield writer.write_batch
    elif format == "jsonl":
        with path.open("w", encoding="utf-8") as file:
            yield lambda batch: file.writelines(
                json.dumps(row, ensure_ascii=False, default=_iso) + "\n" for row in batch.to_pylist()
            )
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(SCHEMA.names)
            yield lambda batch: table.writerows(map(_cells, batch.to_pylist()))


def read_table(path: Path, *, format: str) -> pa.Table:
    """The whole table, whatever its format."""
    if format == "parquet":
        return _completed(pq.read_table(path))
    with path.open(encoding="utf-8", newline="") as file:
        if format == "jsonl":
            rows: Iterable[Any] = (_timed(json.loads(line)) for line in file)
            found = list(batches(rows))
        else:
            found = list(batches(_parsed(row) for row in csv.DictReader(file)))
    return pa.Table.from_batches(found, schema=SCHEMA)


def _completed(table: pa.Table) -> pa.Table:
    for name in _LATER - set(table.column_names):
        table = table.append_column(name, pa.nulls(table.num_rows, SCHEMA.field(name).type))
    return table.select(SCHEMA.names).cast(SCHEMA)


def _iso(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def _timed(row: dict[str, Any]) -> Any:
    if row.get("decided_at") is not None:
        row["decided_at"] = datetime.fromisoformat(row["decided_at"])
    return row


def _cells(row: dict[str, Any]) -> list[str]:
    """CSV knows no null, list or time: null is an empty cell, every text is written as JSON inside one cell where it
    must be."""
    return [_cell(row[name]) for name in SCHEMA.names]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list) or value == "":
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, datetime):
        return _iso(value)
    if isinstance(value, str):
        # A text that itself looks like JSON's empty text must not come back as empty.
        return json.dumps(value) if value.startswith('"') else value
    return repr(value)


def _parsed(row: dict[str, str]) -> Any:
    parsed: dict[str, Any] = {}
    for field in SCHEMA:
        cell = row.get(field.name)
        if cell is None or cell == "":
            parsed[field.name] = None
        elif pa.types.is_list(field.type) or (pa.types.is_string(field.type) and cell.startswith('"')):
            parsed[field.name] = json.loads(cell)
        elif pa.types.is_integer(field.type):
            parsed[field.name] = int(cell)
        elif pa.types.is_floating(field.type):
            parsed[field.name] = float(cell)
        elif pa.types.is_timestamp(field.type):
            parsed[field.name] = datetime.fromisoformat(cell)
        else:
            parsed[field.name] = cell
    return parsed


class Fingerprint:
    """sha256 over the content of the columns in order, independent of format, paths, batch sizes and time of
    writing."""

    def __init__(self) -> None:
        self._streams: dict[tuple[str, int], Any] = {}
        self._rows = 0
        self._said: set[str] = set()
        self._more: list[str] = []

    def update(self, batch: pa.RecordBatch) -> None:
        self._rows += batch.num_rows
        self._said.update(name for name in _LATER if batch.column(name).null_count < batch.num_rows)
        for name in _CONTENT:
            for i, piece in enumerate(_streams(batch.column(name))):
                self._streams.setdefault((name, i), hashlib.sha256()).update(piece)

    def add(self, digest: str) -> None:
        self._more.append(digest)

    def hexdigest(self) -> str:
        whole = hashlib.sha256(f"loupe-labels-1:{self._rows}".encode())
        told = [(name, i) for name, i in self._streams if name not in _LATER - self._said]
        for name, i in sorted(told):
            stream = self._streams[name, i]
            whole.update(f"{name}:{i}:".encode() + stream.digest())
        for digest in self._more:
            whole.update(bytes.fromhex(digest))
        return whole.hexdigest()


def _streams(column: Any) -> Iterator[bytes]:
    """An Arrow array as byte streams that concatenate: lengths (-1 for null) apart from content, so borders of batches
    leave no trace.
    """
    if pa.types.is_list(column.type):
        yield _with_nulls(pc.list_value_length(column))
        yield from _streams(column.flatten())
    elif pa.types.is_string(column.type):
        yield _with_nulls(pc.binary_length(column))
        filled = column.fill_null("")
        _, offsets, data = filled.buffers()
        ends = np.frombuffer(offsets, dtype=np.int32)[filled.offset : filled.offset + len(filled) + 1]
        yield data[int(ends[0]) : int(ends[-1])].to_pybytes() if data is not None and len(ends) else b""
    elif pa.types.is_floating(column.type):
        yield column.is_valid().cast(pa.int8()).to_numpy(zero_copy_only=False).tobytes()
        values = column.fill_null(0.0).to_numpy(zero_copy_only=False).astype("<f8")
        yield np.where(np.isnan(values), np.nan, values).tobytes()
    else:
        yield column.is_valid().cast(pa.int8()).to_numpy(zero_copy_only=False).tobytes()
        yield column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False).astype("<i8").tobytes()


def _with_nulls(lengths: Any) -> bytes:
    return bytes(lengths.fill_null(-1).to_numpy(zero_copy_only=False).astype("<i4").tobytes())
