"""One sealed part of an index of 256-bit hashes: multi-index hashing, sorted once, searched without a miss.

A hash is a ring of 16 chunks of 16 bits. When two hashes differ in at most r bits, then somewhere on the ring a chunk
differs in at most r/16 of them, and that chunk and its successor together in at most 2r/16: of the rotations of the 16
differences, one has all its running sums at or below the mean (the cycle lemma; "Pigeonring", Qin and Xiao, VLDB 2018).
So 16 tables, each sorted by one chunk, hold every neighbour in a few buckets, and the successor, which lies beside
each row number, drops nearly all of the rest before a hash is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ids: TypeAlias = NDArray[np.int64]
Codes: TypeAlias = NDArray[np.uint64]
Hits: TypeAlias = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]
"""Which query, which row, how far: three arrays of one length."""

WORDS: Final = 4
CHUNKS: Final = 16
CHUNK_BITS: Final = 16
_BUCKETS: Final = 1 << CHUNK_BITS
# More flipped bits than these in a chunk are more buckets to open than there are hashes to compare.
_WIDEST: Final = 2
# Candidates of one pass, in number: what they fill stays in the cache.
_PASS: Final = 1 << 17
_BLOCK: Final = 1 << 15


class Segment:
    """Hashes sorted by id, immutable but for ``alive``. ``codes`` is [n, 4]; row numbers refer to it."""

    def __init__(self, ids: Ids, codes: Codes) -> None:
        order = np.argsort(ids, kind="stable")
        self.ids = ids[order]
        self.codes = aligned(codes[order])
        self.alive = np.ones(len(ids), dtype=bool)
        self.dead = 0
        self._rows = np.empty((CHUNKS, len(ids)), dtype=np.uint32)
        self._next = np.empty((CHUNKS, len(ids)), dtype=np.uint16)
        self._bounds = np.zeros((CHUNKS, _BUCKETS + 1), dtype=np.uint32)
        chunks = np.ascontiguousarray(self.codes.view(np.uint16).T)
        for chunk in range(CHUNKS):
            self._sort(chunk, chunks)

    def _sort(self, chunk: int, chunks: NDArray[np.uint16]) -> None:
        order = np.argsort(chunks[chunk], kind="stable")
        self._rows[chunk] = order
        np.take(chunks[(chunk + 1) % CHUNKS], order, out=self._next[chunk])
        np.cumsum(np.bincount(chunks[chunk], minlength=_BUCKETS), out=self._bounds[chunk, 1:])

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def nbytes(self) -> int:
        arrays = (self.ids, self.codes, self.alive, self._rows, self._next, self._bounds)
        return sum(array.nbytes for array in arrays)

    def rows_of(self, ids: Ids) -> NDArray[np.intp]:
        """The row of each id, -1 where it has none or has been removed."""
        rows = np.searchsorted(self.ids, ids)
        held = rows < len(self.ids)
        held[held] = (self.ids[rows[held]] == ids[held]) & self.alive[rows[held]]
        return np.where(held, rows, -1)

    def remove(self, row: int) -> None:
        self.alive[row] = False
        self.dead += 1

    def living(self) -> tuple[Ids, Codes]:
        return self.ids[self.alive], self.codes[self.alive]

    def search(self, queries: Codes, radius: int) -> Hits:
        """Every living row within ``radius`` of a query [Q, 4], each once, in no order."""
        flips = radius // CHUNKS
        if flips > _WIDEST:
            return joined([scan(query, self.codes, number, radius) for number, query in enumerate(queries)], self.alive)
        starts, lengths, allowed = self._buckets(queries, flips, 2 * radius // CHUNKS)
        work = lengths.sum(1)
        # Where a query lies among very many like it, comparing with all costs less than collecting them 16 times over.
        heavy = work > len(self.ids) // 4 + _BLOCK
        found = [scan(queries[number], self.codes, int(number), radius) for number in np.flatnonzero(heavy)]
        found += [
            self._candidates(queries, some, starts[some], lengths[some], allowed, radius)
            for some in passes(np.flatnonzero(~heavy), work)
        ]
        return joined(found, self.alive)

    def _buckets(
        self, queries: Codes, flips: int, pair: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
        """Where each query's buckets start and how long they are, [Q, probes] over the 16 tables laid end to end, and
        how far a successor may be off in the buckets of each probe."""
        masks, counts = flipped(flips)
        keys = (queries.view(np.uint16)[:, :, None] ^ masks).astype(np.intp)
        tables = np.arange(CHUNKS)[None, :, None]
        starts = self._bounds[tables, keys].astype(np.int64)
        lengths = self._bounds[tables, keys + 1] - starts
        starts += tables * len(self.ids)
        allowed = np.tile((pair - counts).astype(np.uint8), CHUNKS)
        return starts.reshape(len(queries), -1), lengths.reshape(len(queries), -1), allowed

    def _candidates(
        self,
        queries: Codes,
        some: NDArray[np.intp],
        starts: NDArray[np.int64],
        lengths: NDArray[np.int64],
        allowed: NDArray[np.uint8],
        radius: int,
    ) -> Hits:
        probes = lengths.shape[1]
        flat = lengths.ravel()
        ends = np.cumsum(flat)
        places = np.repeat(starts.ravel() - (ends - flat), flat)
        places += np.arange(ends[-1] if len(ends) else 0)
        successors = np.roll(queries[some].view(np.uint16), -1, axis=1)
        wanted = np.repeat(np.repeat(successors.ravel(), probes // CHUNKS), flat)
        off = np.bitwise_count(self._next.ravel()[places] ^ wanted)
        close = np.flatnonzero(off <= np.repeat(np.tile(allowed, len(some)), flat))
        rows = self._rows.ravel()[places[close]].astype(np.intp)
        numbers = some[np.searchsorted(ends, close, side="right") // probes]
        hits = verified(queries, self.codes, numbers, rows, radius)
        _, first = np.unique(hits[0] * len(self.ids) + hits[1], return_index=True)
        return hits[0][first], hits[1][first], hits[2][first]


@cache
def flipped(flips: int) -> tuple[NDArray[np.uint16], NDArray[np.intp]]:
    """Every mask of at most ``flips`` bits of a chunk, and how many each has."""
    chosen = [bits for count in range(flips + 1) for bits in combinations(range(CHUNK_BITS), count)]
    masks = np.array([sum(1 << bit for bit in bits) for bits in chosen], dtype=np.uint16)
    return masks, np.array([len(bits) for bits in chosen], dtype=np.intp)


def passes(numbers: NDArray[np.intp], work: NDArray[np.int64]) -> Iterator[NDArray[np.intp]]:
    """The queries in groups whose candidates stay within one pass; a query with more has a pass of its own."""
    group: list[int] = []
    held = 0
    for number in numbers:
        if group and held + work[number] > _PASS:
            yield np.array(group, dtype=np.intp)
            group, held = [], 0
        group.append(int(number))
        held += int(work[number])
    if group:
        yield np.array(group, dtype=np.intp)


def verified(queries: Codes, codes: Codes, numbers: NDArray[np.intp], rows: NDArray[np.intp], radius: int) -> Hits:
    """The pairs (query, row) that are within the radius, with their distances."""
    distances = np.bitwise_count(codes[rows] ^ queries[numbers]).sum(1, dtype=np.intp)
    hit = np.flatnonzero(distances <= radius)
    return numbers[hit], rows[hit], distances[hit]


def scan(query: Codes, codes: Codes, number: int, radius: int) -> Hits:
    """One query against all of ``codes``, a block at a time, word by word: most rows are out after the first."""
    rows, distances = [], []
    for start in range(0, len(codes), _BLOCK):
        block = codes[start : start + _BLOCK]
        left = np.arange(len(block))
        off = np.zeros(len(block), dtype=np.intp)
        for word in range(WORDS):
            off = off + np.bitwise_count(block[left, word] ^ query[word])
            near = off <= radius
            left, off = left[near], off[near]
        rows.append(left + start)
        distances.append(off)
    if not rows:
        return nothing()
    found = np.concatenate(rows)
    return np.full(len(found), number, dtype=np.intp), found, np.concatenate(distances)


def nothing() -> Hits:
    none = np.empty(0, dtype=np.intp)
    return none, none, none


def joined(parts: Sequence[Hits], alive: NDArray[np.bool_]) -> Hits:
    """All hits, less those on removed rows."""
    if not parts:
        return nothing()
    numbers, rows, distances = (np.concatenate(column) for column in zip(*parts, strict=True))
    held = alive[rows]
    return numbers[held], rows[held], distances[held]


def aligned(codes: Codes) -> Codes:
    """The same array where no row of 32 bytes lies across two lines of the cache."""
    room = np.empty(codes.nbytes + 64, dtype=np.uint8)
    start = -room.ctypes.data % 64
    copy: Codes = room[start : start + codes.nbytes].view(np.uint64).reshape(codes.shape)
    copy[:] = codes
    return copy
