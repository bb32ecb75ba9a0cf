"""What a worker has read so far, as files: each is whole or not there, and the row in the database counts them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from review.datasets import room_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from review.labels.streaming import Piece

PARTS: Final = "parts"
LZ4: Final = ipc.IpcWriteOptions(compression="lz4")


def folder(key: UUID) -> Path:
    return room_of(key)


def keep(key: UUID, number: int, piece: Piece) -> None:
    """Afterwards the piece is the part of that number, whatever lay there."""
    room = folder(key) / PARTS
    room.mkdir(parents=True, exist_ok=True)
    vectors = room / f"{number:06d}.npy"
    vectors.unlink(missing_ok=True)
    if piece.vectors is not None:
        part = vectors.with_suffix(".npy.part")
        with part.open("wb") as file:
            np.save(file, piece.vectors)
        part.replace(vectors)
    rows = room / f"{number:06d}.arrow"
    part = rows.with_suffix(".arrow.part")
    with ipc.new_file(str(part), piece.rows.schema, options=LZ4) as writer:
        writer.write_batch(piece.rows)
    part.replace(rows)


def read(key: UUID, count: int) -> Iterator[tuple[pa.RecordBatch, NDArray[np.float16] | None]]:
    """The first `count` parts, in order; one at a time lies in memory."""
    room = folder(key) / PARTS
    for number in range(count):
        with ipc.open_file(str(room / f"{number:06d}.arrow")) as reader:
            rows = reader.get_batch(0)
        vectors = room / f"{number:06d}.npy"
        yield rows, np.load(vectors, mmap_mode="r", allow_pickle=False) if vectors.exists() else None


def drop_parts(key: UUID) -> None:
    shutil.rmtree(folder(key) / PARTS, ignore_errors=True)


def drop(key: UUID) -> None:
    shutil.rmtree(folder(key), ignore_errors=True)
