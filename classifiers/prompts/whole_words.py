"""Terms of whole words, by the hash of their spelling: a million of them take 16 MB and no time to build."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.prompts.editions import Action
from classifiers.prompts.folding import HANGUL, KINDS, UNSPACED

OPEN_LEFT: Final = 1
OPEN_RIGHT: Final = 2
BENIGN: Final = 4
MOST_WORDS: Final = 8


class Entry(NamedTuple):
    """A term's list (by place), its flags, and what it asks for by itself."""

    place: int
    flags: int
    action: Action | None
    probability: float | None


@dataclass(slots=True)
class WholeWords:
    """Sorted hashes of 64 bits, each with its entry in one number. That an innocent run of words shares the hash of one
    of a million terms is a matter of one in ten million million."""

    most: int = 0
    _hashes: "array[int] | NDArray[np.int64]" = field(default_factory=lambda: array("q"))
    _packed: "array[int] | NDArray[np.int64]" = field(default_factory=lambda: array("q"))
    _own: list[Entry] = field(default_factory=list)

    def add(self, key: str, entry: Entry) -> bool:
        """Whether the term can be kept here: it begins and ends where words do, and has at most MOST_WORDS."""
        assert isinstance(self._hashes, array)
        assert isinstance(self._packed, array)
        size = key.count(" ") + 1
        if size > MOST_WORDS or not _closed(key, entry.flags):
            return False
        self.most = max(self.most, size)
        self._hashes.append(hash(key))
        if entry.action is None and entry.probability is None:
            self._packed.append((entry.place << 3 | entry.flags) << 1)
        else:
            self._packed.append(len(self._own) << 1 | 1)
            self._own.append(entry)
        return True

    def close(self) -> None:
        """No term can be added from here on; they can be found."""
        hashes = np.frombuffer(self._hashes, dtype=np.int64) if len(self._hashes) else np.zeros(0, np.int64)
        packed = np.frombuffer(self._packed, dtype=np.int64) if len(self._packed) else np.zeros(0, np.int64)
        order = np.argsort(hashes, kind="stable")
        self._hashes, self._packed = hashes[order], packed[order]

    def find(self, text: str) -> Iterator[tuple[int, int, Entry]]:
        """Every run of words in the text that is a term: start, end and entry."""
        if not self.most or not text:
            return
        starts = [0, *(place + 1 for place, sign in enumerate(text) if sign == " ")]
        ends = [start - 1 for start in starts[1:]] + [len(text)]
        runs = [
            (starts[first], ends[last])
            for first in range(len(starts))
            for last in range(first, min(first + self.most, len(starts)))
        ]
        wanted = np.fromiter((hash(text[start:end]) for start, end in runs), dtype=np.int64, count=len(runs))
        low = np.searchsorted(self._hashes, wanted, side="left")
        known = np.flatnonzero(low < len(self._hashes))
        known = known[np.asarray(self._hashes)[low[known]] == wanted[known]]
        for run in known.tolist():
            place = int(low[run])
            while place < len(self._hashes) and self._hashes[place] == wanted[run]:
                yield (*runs[run], self._entry(int(self._packed[place])))
                place += 1

    def _entry(self, packed: int) -> Entry:
        rest = packed >> 1
        return self._own[rest] if packed & 1 else Entry(rest >> 3, rest & 7, None, None)


def _closed(key: str, flags: int) -> bool:
    return (
        not flags & (OPEN_LEFT | OPEN_RIGHT)
        and KINDS[ord(key[0])] != UNSPACED
        and KINDS[ord(key[-1])] not in UNSPACED + HANGUL
    )
