"""An exact index of PDQ hashes that grows and shrinks in place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import index as as_int
from typing import Final, Self

import numpy as np

from classifiers.hashes.segments import WORDS, Codes, Hits, Ids, Segment, joined, nothing, scan

HASH_BYTES: Final = 32
# Late comers wait here unsorted; comparing a query with all of them costs microseconds.
_LATE: Final = 4096
# A segment takes up those after it once they are a quarter of its size: a hash is sorted a few times, never each time.
_GROWTH: Final = 4
# Queries of one go: what is noted of each is some kilobytes.
_TOGETHER: Final = 256


class BankIndex:
    """PDQ hashes by id; finds all within a radius, exactly. About 140 bytes a hash.

    Late additions wait in a short list that every search reads through. A full list is sorted into a segment, segments
    of like size into one: an addition is found at once and costs little, however many hashes there are. One thread at
    a time.
    """

    def __init__(self, entries: Iterable[tuple[int, bytes]] = ()) -> None:
        """Raises ValueError when an id comes twice or a hash is not 32 bytes long."""
        self._segments: list[Segment] = []
        self._late: dict[int, int] = {}
        self._late_ids = np.zeros(_LATE, dtype=np.int64)
        self._late_codes = np.zeros((_LATE, WORDS), dtype=np.uint64)
        self.extend(entries)

    @classmethod
    def of(cls, ids: Ids, codes: Codes) -> Self:
        """From arrays: ids [n] and hashes [n, 4], 32 bytes a row."""
        made = cls()
        made._extend(ids, codes)
        return made

    def __len__(self) -> int:
        return len(self._late) + sum(len(segment) - segment.dead for segment in self._segments)

    def __contains__(self, id: int) -> bool:
        return id in self._late or bool(self._held(np.array([id], dtype=np.int64)).any())

    @property
    def nbytes(self) -> int:
        return self._late_codes.nbytes + self._late_ids.nbytes + sum(each.nbytes for each in self._segments)

    def add(self, id: int, hash: bytes) -> None:
        """Afterwards the hash is found. Raises ValueError when the id is held already or the hash is not 32 bytes."""
        self.extend([(id, hash)])

    def extend(self, entries: Iterable[tuple[int, bytes]]) -> None:
        """Add all of them or, on ValueError, none."""
        ids, hashes = [], []
        for key, hash_ in entries:
            ids.append(key)
            hashes.append(hash_)
        self._extend(np.fromiter(map(as_int, ids), np.int64, len(ids)), words(hashes))

    def remove(self, id: int) -> None:
        """Afterwards the hash is not found any more. Raises KeyError when the id is not held."""
        if id in self._late:
            self._drop_late(id)
            return
        for number, segment in enumerate(self._segments):
            row = int(segment.rows_of(np.array([id], dtype=np.int64))[0])
            if row < 0:
                continue
            segment.remove(row)
            if segment.dead * 2 > len(segment):
                living = segment.living()
                self._segments[number : number + 1] = [Segment(*living)] if len(living[0]) else []
            return
        raise KeyError(id)

    def search(self, hashes: Sequence[bytes], radius: int = 31) -> list[list[tuple[int, int]]]:
        """A list a hash, each of all ``(id, distance)`` within ``radius`` bits, by distance, then id.

        Raises ValueError when a hash has a wrong length or the radius is negative.
        """
        if radius < 0:
            raise ValueError(f"the radius is {radius}: it must not be negative")
        queries, found = words(hashes), []
        for start in range(0, len(queries), _TOGETHER):
            found += self._search(queries[start : start + _TOGETHER], radius)
        return found

    def _search(self, queries: Codes, radius: int) -> list[list[tuple[int, int]]]:
        parts = []
        for segment in self._segments:
            numbers, rows, distances = segment.search(queries, radius)
            parts.append((numbers, segment.ids[rows], distances))
        numbers, rows, distances = self._search_late(queries, radius)
        parts.append((numbers, self._late_ids[rows], distances))
        numbers, ids, distances = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.lexsort((ids, distances, numbers))
        pairs = list(zip(ids[order].tolist(), distances[order].tolist(), strict=True))
        ends = np.cumsum(np.bincount(numbers, minlength=len(queries))).tolist()
        return [pairs[start:end] for start, end in zip([0, *ends], ends, strict=False)]

    def _extend(self, ids: Ids, codes: Codes) -> None:
        if len(ids) != len(codes):
            raise ValueError(f"{len(ids)} ids and {len(codes)} hashes: they must be as many")
        ordered = np.sort(ids)
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        taken = ids[self._held(ids)] if len(self) else twice
        late = [key for key in ids.tolist() if key in self._late] if self._late else []
        for doubled in (*twice.tolist(), *taken.tolist(), *late):
            raise ValueError(f"id {doubled} comes twice: an id names one hash")
        if len(self._late) + len(ids) < _LATE:
            start = len(self._late)
            self._late_ids[start : start + len(ids)] = ids
            self._late_codes[start : start + len(ids)] = codes
            self._late.update(zip(ids.tolist(), range(start, start + len(ids)), strict=True))
        else:
            self._seal(ids, codes)

    def _held(self, ids: Ids) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        held = np.zeros(len(ids), dtype=bool)
        for segment in self._segments:
            held |= segment.rows_of(ids) >= 0
        return held

    def _seal(self, ids: Ids, codes: Codes) -> None:
        """Sort the late ones and these into a segment, together with those segments that are no longer much larger."""
        late = len(self._late)
        parts = [(ids, codes), (self._late_ids[:late], self._late_codes[:late])]
        size = late + len(ids)
        while self._segments and len(self._segments[-1]) < _GROWTH * size:
            parts.append(self._segments.pop().living())
            size += len(parts[-1][0])
        self._segments.append(
            Segment(np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]))
        )
        self._late.clear()

    def _drop_late(self, id: int) -> None:
        row, last = self._late.pop(id), len(self._late)
        if row != last:
            moved = int(self._late_ids[last])
            self._late_ids[row], self._late_codes[row] = moved, self._late_codes[last]
            self._late[moved] = row

    def _search_late(self, queries: Codes, radius: int) -> Hits:
        late = len(self._late)
        if not late:
            return nothing()
        codes = self._late_codes[:late]
        return joined([scan(query, codes, number, radius) for number, query in enumerate(queries)], np.ones(late, bool))


def words(hashes: Sequence[bytes]) -> Codes:
    """[n, 4]: each hash as four words. Raises ValueError when one is not 32 bytes long."""
    if set(map(len, hashes)) - {HASH_BYTES}:
        number, length = next((i, len(hash_)) for i, hash_ in enumerate(hashes) if len(hash_) != HASH_BYTES)
        raise ValueError(f"hash {number} has {length} bytes: a PDQ hash has {HASH_BYTES}")
    return np.frombuffer(b"".join(hashes), dtype=np.uint64).reshape(-1, WORDS)
