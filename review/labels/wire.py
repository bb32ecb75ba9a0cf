"""What PostgreSQL's binary COPY sends, as columns: taken off the wire as it comes, and laid out for Arrow without an
object a value.

A row is a count of fields, and of each its length and its bytes. Fields of one size go first, so that a row begins with
one record for numpy; where each text behind it lies is then worked out by columns, and Arrow copies what is wanted.
"""

from __future__ import annotations

import select
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from numpy.lib.stride_tricks import sliding_window_view
from psycopg import pq
from psycopg.errors import error_from_result

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from psycopg import Connection

HEADER: Final = 19  # bytes before the first row, in one message with it; the last message is no row
DIGITS: Final = np.frombuffer("".join(f"{one:02x}" for one in range(256)).encode(), np.uint8).reshape(256, 2)
GROUPS: Final = (slice(0, 4), slice(4, 6), slice(6, 8), slice(8, 10), slice(10, 16))  # of a UUID's bytes, as written
LENGTH: Final = 36


@dataclass(frozen=True, eq=False)
class Wire:
    """The rows of a COPY as they came; `starts` [N] is where each begins in `data`."""

    data: bytes
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)

    def records(self, shape: np.dtype[np.void]) -> NDArray[np.void]:
        """[N]: the first bytes of each row."""
        if not len(self):
            return np.zeros(0, shape)
        windows = sliding_window_view(np.frombuffer(self.data, np.uint8), shape.itemsize)
        return windows[self.starts].reshape(-1).view(shape)

    def whole(self, count: int) -> list[memoryview]:
        """The fields of the only row, one after the other; empty for null."""
        told, at, data = [], HEADER + 2, memoryview(self.data)
        for _each in range(count):
            size = int.from_bytes(data[at : at + 4], "big", signed=True)
            at += 4
            told.append(data[at : at + max(size, 0)])
            at += max(size, 0)
        return told

    def texts(self, names: Sequence[str], *, behind: int, order: NDArray[np.intp]) -> Mapping[str, Any]:
        """The fields `behind` so many bytes of each row, as Arrow's texts in the order of those rows."""
        if not len(self):
            return {name: pa.array([], pa.string()) for name in names}
        lengths = sliding_window_view(np.frombuffer(self.data, np.uint8), 4)
        told, at = {}, self.starts + behind
        for name in names:
            size = lengths[at].reshape(-1).view(">i4").astype(np.int64)
            begin = at + 4
            at = begin + np.maximum(size, 0)
            # Every other text is what lies between: nobody takes it.
            edges = np.stack([begin, at], axis=1).reshape(-1).astype(np.int32)
            pieces = texts_in(self.data, edges)
            null = (size < 0)[order]
            told[name] = pieces.take(pa.array(2 * order, pa.int32(), mask=null if null.any() else None))
        return told


def copied(server: Connection[Any], statement: bytes) -> Wire:
    """The rows of a binary COPY, straight from libpq, for psycopg's own loop takes longer than the server. Whoever else
    wants the connection waits meanwhile. Raises psycopg.Error.
    """
    with server.lock:
        link, ready = server.pgconn, select.poll()
        ready.register(link.socket, select.POLLIN)
        link.send_query(statement)
        while link.flush():
            pass
        parts: list[memoryview] = []
        failed = None
        while result := ended(link, ready):
            if result.status == pq.ExecStatus.COPY_OUT:
                parts = drained(link, ready)
            elif result.status != pq.ExecStatus.COMMAND_OK:
                failed = result
        if failed is not None:
            raise error_from_result(failed)
    sizes = np.fromiter(map(len, parts), np.int64, len(parts))
    starts = np.cumsum(sizes) - sizes
    starts[:1] = HEADER
    return Wire(b"".join(parts), starts[:-1])


def ended(link: Any, ready: select.poll) -> Any:
    """The next result, None behind the last."""
    while link.is_busy():  # nothing has come yet: other threads may work meanwhile
        ready.poll()
        link.consume_input()
    return link.get_result()


def drained(link: Any, ready: select.poll) -> list[memoryview]:
    """A message a row, and the one that ends them."""
    parts: list[memoryview] = []
    take, keep = link.get_copy_data, parts.append
    while True:
        length, part = take(1)
        if length > 0:
            keep(part)
        elif length < 0:
            return parts
        else:
            ready.poll()
            link.consume_input()


def hexed(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[N, 2 K] digits of [N, K] bytes."""
    return DIGITS[data].reshape(len(data), 2 * data.shape[1])


def written(ids: NDArray[np.uint8]) -> Any:
    """UUIDs [N, 16] as texts."""
    text = np.full((len(ids), LENGTH), ord("-"), np.uint8)
    at = 0
    for group in GROUPS:
        digits = hexed(ids[:, group])
        text[:, at : at + digits.shape[1]] = digits
        at += digits.shape[1] + 1
    edges = np.arange(0, LENGTH * (len(ids) + 1), LENGTH, dtype=np.int32)
    return texts_in(text, edges)


def texts_in(data: Any, edges: Any) -> Any:
    """The texts [N] that lie in `data` between N + 1 `edges`; nothing is copied."""
    return pa.StringArray.from_buffers(len(edges) - 1, pa.py_buffer(edges), pa.py_buffer(data))
