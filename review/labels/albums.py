"""Images beside their labels: a folder a split that Hugging Face reads, or tar shards for WebDataset.

Bytes are copied from the storage one image at a time. Of a folder that was cut short, the images that lie there stay;
shards are written anew, for an image inside one could not be taken back.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.core.files.storage import storages

from classifiers.labels import SCHEMA
from classifiers.splits import SPLITS
from classifiers.weights import file_sha256
from moderation.models import Submission
from review.datasets import SUMS
from review.labels import door
from review.labels.reading import listed

ROOM: Final = {"working": "derivatives", "original": "originals"}
ENDINGS: Final = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/avif": ".avif",
    "image/gif": ".gif",
}
SHARD: Final = 1000  # images
OF_IMAGE: Final = ("submission_id", "prompt", "generator", "width", "height", "cluster_id", "licence", "consent_basis")
OF_LABEL: Final = ("category", "label", "severity", "agreement", "weight")


@dataclass(frozen=True, slots=True)
class Picture:
    """One image to copy: its name in the storage, its place in the album, and what is known of it."""

    key: UUID
    stored: str
    path: str
    split: str
    facts: dict[str, Any]


@dataclass(eq=False)
class Report:
    """`files` in the folder itself; images that may not leave any more, or are gone from the storage, are `missing`."""

    images: int = 0
    missing: int = 0
    files: list[str] = field(default_factory=list)


def placed(rows: pa.RecordBatch, *, by_split: bool, images: str) -> pa.RecordBatch:
    """The rows with the path of each image in the album: split/ID.ext, or ID.ext."""
    keys = listed(rows["submission_id"])
    types = dict(Submission.objects.filter(pk__in=set(keys)).values_list("pk", "media_type"))
    known = {str(key): ENDINGS.get(kind, ".bin") for key, kind in types.items()} if images == "original" else {}
    ending = pa.array([known.get(key, ".jpg") for key in keys], pa.string())
    join: Any = pc.binary_join_element_wise
    name = join(rows["submission_id"], ending, "")
    path = join(rows["split"], name, "/") if by_split else name
    return rows.set_column(SCHEMA.get_field_index("image"), SCHEMA.field("image"), path)


def pictures(labels: Path, *, images: str) -> Iterator[Picture]:
    """The images of a Parquet file of labels, in its order; `stored` is empty where one may not leave any more."""
    with pq.ParquetFile(labels) as file:
        for group in range(file.num_row_groups):
            found: dict[str, dict[str, Any]] = {}
            for row in file.read_row_group(group).to_pylist():
                told = found.setdefault(row["submission_id"], {name: row[name] for name in OF_IMAGE} | {"labels": []})
                label = {name: row[name] for name in OF_LABEL}
                told["labels"].append(label | ({"soft": row["soft_label"]} if row["soft_label"] is not None else {}))
                told["at"] = (row["image"], row["split"])
            keys = [UUID(key) for key in found]
            gone = door.gone(keys)
            stored = dict(Submission.objects.filter(pk__in=keys).values_list("pk", images))
            for key, told in zip(keys, found.values(), strict=True):
                path, split = told.pop("at")
                yield Picture(key, "" if key in gone else stored[key], path, split, told)


def copy(format: str, labels: Path, out: Path, *, images: str, tick: Callable[[int], object]) -> Report:
    """Afterwards the album lies in `out`. `tick` is told the number of images so far, every few."""
    report = Report()
    storage = storages[ROOM[images]]

    def counted() -> Iterator[tuple[Picture, bytes | None]]:
        for one in pictures(labels, images=images):
            data = None
            if one.stored:
                with suppress(FileNotFoundError), storage.open(one.stored) as file:
                    data = file.read()
            report.images += data is not None
            report.missing += data is None
            yield one, data
            if (report.images + report.missing) % 50 == 0:
                tick(report.images)

    write = folder if format == "imagefolder" else shards
    report.files = write(counted(), out)
    tick(report.images)
    return report


def folder(album: Iterable[tuple[Picture, bytes | None]], out: Path) -> list[str]:
    """train, validation and test, each with its images and `metadata.jsonl`; the digests of all lie in SUMS."""
    sums = out / SUMS
    with ExitStack() as stack:
        part = stack.enter_context(sums.with_name(f"{SUMS}.part").open("w", encoding="utf-8"))
        told: dict[str, IO[str]] = {}
        for one, data in album:
            if data is None:
                (out / one.path).unlink(missing_ok=True)
                continue
            if one.split not in told:
                (out / one.split).mkdir(exist_ok=True)
                told[one.split] = stack.enter_context((out / one.split / "metadata.jsonl").open("w", encoding="utf-8"))
            keep(out / one.path, data)
            part.write(f"{hashlib.sha256(data).hexdigest()}  {one.path}\n")
            line = {"file_name": Path(one.path).name, **one.facts}
            told[one.split].write(json.dumps(line, ensure_ascii=False) + "\n")
    with sums.with_name(f"{SUMS}.part").open("a", encoding="utf-8") as file:
        for split in SPLITS:
            metadata = out / split / "metadata.jsonl"
            if metadata.exists():
                file.write(f"{file_sha256(metadata)}  {split}/metadata.jsonl\n")
    sums.with_name(f"{SUMS}.part").replace(sums)
    return [SUMS]


def keep(path: Path, data: bytes) -> None:
    if path.exists() and path.stat().st_size == len(data):
        return
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)


@dataclass(eq=False)
class Shards:
    """The tar files of one split. Which image lies in which hangs on its number alone."""

    out: Path
    split: str
    count: int = 0
    open: tarfile.TarFile | None = None
    files: list[str] = field(default_factory=list)

    def add(self, one: Picture, data: bytes | None) -> None:
        number, place = divmod(self.count, SHARD)
        self.count += 1
        if place == 0:
            self.close()
            self.files.append(f"{self.split}-{number:06d}.tar")
            part = self.out / f"{self.files[-1]}.part"
            self.open = tarfile.open(part, "w", format=tarfile.GNU_FORMAT)  # noqa: SIM115 - closed when it is full
        if self.open is None or data is None:
            return
        stem, _dot, ending = Path(one.path).name.partition(".")
        facts = json.dumps(one.facts | {"split": one.split}, ensure_ascii=False).encode()
        for name, content in ((f"{stem}.{ending or 'jpg'}", data), (f"{stem}.json", facts)):
            entry = tarfile.TarInfo(name)  # of no time and nobody: the same images make the same bytes
            entry.size, entry.mode = len(content), 0o644
            self.open.addfile(entry, io.BytesIO(content))

    def close(self) -> None:
        if self.open is not None:
            self.open.close()
            self.open = None
            name = self.files[-1]
            (self.out / f"{name}.part").replace(self.out / name)


def shards(album: Iterable[tuple[Picture, bytes | None]], out: Path) -> list[str]:
    """split-000000.tar and so on, SHARD images each: ID.jpg beside ID.json."""
    by_split = {split: Shards(out, split) for split in SPLITS}
    try:
        for one, data in album:
            by_split[one.split].add(one, data)
    except BaseException:
        for each in by_split.values():
            if each.open is not None:
                each.open.close()
        raise
    for each in by_split.values():
        each.close()
    return [name for each in by_split.values() for name in each.files]
