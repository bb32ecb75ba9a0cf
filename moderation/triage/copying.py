"""Embeddings by PostgreSQL's binary COPY: between the wire and numpy, without a Python object a number."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np
from django.db import connection
from uuid_utils.compat import uuid7

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A header, then rows of a field count and fields with their lengths, then -1.
SIGNATURE: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
END: Final = b"\xff\xff"
KEEP: Final = "COPY moderation_embedding (id, submission_id, backbone_id, vector) FROM STDIN (FORMAT BINARY)"


def embeddings(query: str, parameters: Any, *, size: int, key: str = "V16") -> tuple[NDArray[Any], NDArray[np.float16]]:
    """Keys [N] and embeddings [N, D] that a binary COPY of (uuid, halfvec), or with another numpy type of `key` (">i8",
    halfvec), yields. Raises ValueError when one is not of D numbers.
    """
    with connection.cursor() as cursor, cursor.copy(query, parameters) as copy:
        data = b"".join(map(bytes, copy))
    shape = embedding_rows(size, key)
    body = memoryview(data)[len(SIGNATURE) : -len(END)]
    rows = np.frombuffer(body, shape) if len(body) % shape.itemsize == 0 else np.zeros(1, shape)
    if len(rows) and not (rows["length"] == 4 + 2 * size).all():
        raise ValueError(f"Some embeddings of this backbone are not of {size} numbers; nothing was made of them.")
    return rows["key"], rows["vector"].astype(np.float16)


@lru_cache(maxsize=8)
def embedding_rows(size: int, key: str) -> np.dtype[np.void]:
    """A row (key, halfvec); pgvector sends a halfvec as its size, two bytes of nothing, and its numbers."""
    fields: list[Any] = [("fields", ">i2"), ("key_length", ">i4"), ("key", key), ("length", ">i4"), ("size", ">i2")]
    return np.dtype([*fields, ("nothing", ">i2"), ("vector", ">f2", (size,))])


def keep(backbone: UUID, submissions: Sequence[UUID], vectors: NDArray[np.float16]) -> None:
    """Afterwards the embeddings [N, D] of these N submissions are stored. As text they would cost ten times as much."""
    if not submissions:
        return
    shape = kept_rows(vectors.shape[1])
    rows = np.zeros(len(submissions), shape)
    rows["fields"], rows["size"], rows["length"] = 4, vectors.shape[1], 4 + 2 * vectors.shape[1]
    for part, keys in (
        ("id", (uuid7() for _each in submissions)),
        ("submission", submissions),
        ("backbone", repeat(backbone, len(submissions))),
    ):
        rows[f"{part}_length"] = 16
        rows[part] = np.frombuffer(b"".join(key.bytes for key in keys), "V16")
    rows["vector"] = vectors
    with connection.cursor() as cursor, cursor.copy(KEEP) as copy:
        copy.write(SIGNATURE + rows.tobytes() + END)


@lru_cache(maxsize=8)
def kept_rows(size: int) -> np.dtype[np.void]:
    """A row (uuid, uuid, uuid, halfvec)."""
    fields: list[Any] = [("fields", ">i2")]
    for part in ("id", "submission", "backbone"):
        fields += [(f"{part}_length", ">i4"), (part, "V16")]
    return np.dtype([*fields, ("length", ">i4"), ("size", ">i2"), ("nothing", ">i2"), ("vector", ">f2", (size,))])
