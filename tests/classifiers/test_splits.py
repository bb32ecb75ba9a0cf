"""Near-duplicate clusters never span two splits."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.hashes import hamming
from classifiers.splits import SPLITS, clusters, split_of

MASK = (1 << 256) - 1


def flipped(hash_: bytes, bits: list[int]) -> bytes:
    value = int.from_bytes(hash_)
    for bit in bits:
        value ^= 1 << bit
    return (value & MASK).to_bytes(32)


@st.composite
def pictures(draw: st.DrawFn) -> list[bytes | None]:
    """A few originals, each with copies a few bits away, in any order, some without a hash."""
    originals = draw(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=6))
    found: list[bytes | None] = []
    for original in originals:
        found.append(original)
        copies = draw(st.lists(st.lists(st.integers(0, 255), max_size=40), max_size=4))
        found += [flipped(original, bits) for bits in copies]
    found += [None] * draw(st.integers(0, 2))
    return draw(st.permutations(found))


@settings(max_examples=150, deadline=None)
@given(pictures())
def test_no_two_near_duplicates_land_in_different_splits(hashes: list[bytes | None]) -> None:
    names = [f"picture-{i}" for i in range(len(hashes))]

    splits = [split_of(cluster) for cluster in clusters(names, hashes)]

    for i, a in enumerate(hashes):
        for j, b in enumerate(hashes):
            if a is not None and b is not None and hamming(a, b) <= 31:
                assert splits[i] == splits[j]


@settings(max_examples=100, deadline=None)
@given(pictures(), st.randoms(use_true_random=False))
def test_clusters_do_not_depend_on_the_order(hashes: list[bytes | None], random: object) -> None:
    names = [f"picture-{i}" for i in range(len(hashes))]
    order = np.random.default_rng(len(hashes)).permutation(len(hashes)).tolist()

    shuffled = clusters([names[i] for i in order], [hashes[i] for i in order])

    assert dict(zip([names[i] for i in order], shuffled, strict=True)) == dict(
        zip(names, clusters(names, hashes), strict=True)
    )


def test_clusters_are_joined_through_a_chain() -> None:
    a = bytes(32)
    b = flipped(a, list(range(30)))
    c = flipped(a, list(range(60)))
    assert hamming(a, c) > 31

    assert clusters(["x", "y", "z"], [a, c, b]) == ["x", "x", "x"]


def test_pictures_without_a_hash_stay_alone_unless_they_share_a_name() -> None:
    assert clusters(["a", "b", "a"], [None, None, None]) == ["a", "b", "a"]


def test_clusters_across_blocks_agree_with_a_plain_search() -> None:
    rng = np.random.default_rng(0)
    originals = [rng.bytes(32) for _ in range(150)]
    hashes = [flipped(h, rng.integers(0, 256, rng.integers(0, 30)).tolist()) for h in originals for _ in range(4)]
    names = [f"{i:04d}" for i in range(len(hashes))]

    found = clusters(names, hashes)

    members = defaultdict(set)
    for i, cluster in enumerate(found):
        members[cluster].add(i // 4)
    assert all(len(originals_in) == 1 for originals_in in members.values())
    for i, a in enumerate(hashes):
        for j in range(i):
            if hamming(a, hashes[j]) <= 31:
                assert found[i] == found[j]


def test_splits_keep_their_shares_and_never_change() -> None:
    counts = Counter(split_of(f"cluster-{i}") for i in range(20_000))

    assert set(counts) == set(SPLITS)
    assert counts["train"] / 20_000 == pytest.approx(0.70, abs=0.015)
    assert counts["test"] / 20_000 == pytest.approx(0.15, abs=0.015)
    assert [split_of(name) for name in ("a", "b", "c")] == [split_of(name) for name in ("a", "b", "c")]


def test_wrong_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="as many"):
        clusters(["a"], [])
    with pytest.raises(ValueError, match="32 bytes"):
        clusters(["a"], [b"short"])
