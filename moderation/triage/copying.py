"""Stored embeddings by PostgreSQL's binary COPY: from the wire into numpy, without a Python object a number."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from django.db import connection

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A header, then rows of a field count and fields with their lengths, then -1.
SIGNATURE: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
END: Final = b"\xff\xff"


def embeddings(query: str, parameters: Mapping[str, Any], *, size: int) -> tuple[NDArray[np.void], NDArray[np.float16]]:
    """Keys [N] of 16 bytes and embeddings [N, D] that a COPY of (uuid, halfvec) yields. Raises ValueError when one is
    not of D numbers.
    """
    with connection.cursor() as cursor, cursor.copy(query, parameters) as copy:
        data = b"".join(map(bytes, copy))
    shape = embedding_rows(size)
    body = memoryview(data)[len(SIGNATURE) : -len(END)]
    rows = np.frombuffer(body, shape) if len(body) % shape.itemsize == 0 else np.zeros(1, shape)
    if len(rows) and not (rows["length"] == 4 + 2 * size).all():
        raise ValueError(f"Some embeddings of this backbone are not of {size} numbers; nothing was made of them.")
    return rows["key"], rows["vector"].astype(np.float16)


@lru_cache(maxsize=8)
def embedding_rows(size: int) -> np.dtype[np.void]:
    """A row (uuid, halfvec); pgvector sends a halfvec as its size, two bytes of nothing, and its numbers."""
    fields: list[Any] = [("fields", ">i2"), ("key_length", ">i4"), ("key", "V16"), ("length", ">i4"), ("size", ">i2")]
    return np.dtype([*fields, ("nothing", ">i2"), ("vector", ">f2", (size,))])
