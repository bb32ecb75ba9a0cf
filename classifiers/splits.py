"""Near-duplicate clusters and the splits made of them, so that no copy of a training picture is ever tested on."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.hashes import HASH_BITS

SPLITS = ("train", "validation", "test")
_SHARES = ((0.70, "train"), (0.85, "validation"), (1.0, "test"))
RADIUS = 31
_BLOCK = 256


def clusters(names: Sequence[str], hashes: Sequence[bytes | None], *, radius: int = RADIUS) -> list[str]:
    """The cluster id of each picture: the smallest name among all that are joined to it by PDQ distances <= ``radius``.

    ``hashes`` are 32 bytes, or None where a picture has no usable hash: it then clusters only with its own name.
    Exact; compares all pairs of distinct hashes (about 10 s for 100,000).
    """
    if len(names) != len(hashes):
        raise ValueError(f"{len(names)} names and {len(hashes)} hashes: they must be as many")
    forest = _Forest(len(names))
    first: dict[str | bytes, int] = {}
    for i, (name, hash_) in enumerate(zip(names, hashes, strict=True)):
        forest.join(i, first.setdefault(name, i))
        if hash_ is not None:
            forest.join(i, first.setdefault(hash_, i))
    unique = [(key, i) for key, i in first.items() if isinstance(key, bytes)]
    words = _words([key for key, _ in unique])
    index = [i for _, i in unique]
    for start in range(0, len(words), _BLOCK):
        block = words[start : start + _BLOCK]
        distance = np.bitwise_count(block[:, None, :] ^ words[None, start:, :]).sum(axis=2, dtype=np.uint16)
        for a, b in np.argwhere(distance <= radius):
            if a < b:
                forest.join(index[start + int(a)], index[start + int(b)])
    smallest: dict[int, str] = {}
    for i, name in enumerate(names):
        r = forest.root(i)
        smallest[r] = min(smallest.get(r, name), name)
    return [smallest[forest.root(i)] for i in range(len(names))]


class _Forest:
    """Union-find with path halving."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def root(self, i: int) -> int:
        parent = self._parent
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    def join(self, i: int, j: int) -> None:
        a, b = self.root(i), self.root(j)
        self._parent[max(a, b)] = min(a, b)


def split_of(cluster_id: str) -> str:
    """train (70 %), validation (15 %) or test (15 %): always the same for the same cluster."""
    draw = int.from_bytes(hashlib.sha256(cluster_id.encode()).digest()[:8]) / 2**64
    return next(name for share, name in _SHARES if draw < share)


def _words(hashes: Sequence[bytes]) -> NDArray[np.uint64]:
    size = HASH_BITS // 8
    if any(len(hash_) != size for hash_ in hashes):
        raise ValueError(f"PDQ hashes have {size} bytes")
    return np.frombuffer(b"".join(hashes), dtype=np.uint64).reshape(-1, size // 8)
