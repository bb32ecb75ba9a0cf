"""The index of known hashes against plain comparison with every one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from classifiers.hashes import BankIndex
from classifiers.hashes.segments import WORDS

Codes = NDArray[np.uint64]


def drawn(n: int, *, seed: int) -> Codes:
    return np.random.default_rng(seed).integers(0, 2**64, (n, WORDS), dtype=np.uint64)


def shaken(codes: Codes, flips: Sequence[int], *, seed: int) -> Codes:
    """Each hash with that many of its bits turned over."""
    rng = np.random.default_rng(seed)
    bits = np.unpackbits(codes.view(np.uint8), axis=1)
    for row, count in zip(bits, flips, strict=True):
        row[rng.choice(256, count, replace=False)] ^= 1
    return np.packbits(bits, axis=1).view(np.uint64)


def entries(codes: Codes) -> list[tuple[int, bytes]]:
    return [(number, row.tobytes()) for number, row in enumerate(codes)]


def compared(known: Mapping[int, bytes], queries: Sequence[bytes], radius: int) -> list[list[tuple[int, int]]]:
    """What a search must find, by comparing with all."""
    if not known:
        return [[] for _ in queries]
    ids = np.array(list(known))
    codes = np.frombuffer(b"".join(known.values()), dtype=np.uint64).reshape(-1, WORDS)
    found = []
    for query in queries:
        distances = np.bitwise_count(codes ^ np.frombuffer(query, dtype=np.uint64)).sum(1)
        near = [(int(ids[row]), int(distances[row])) for row in np.flatnonzero(distances <= radius)]
        found.append(sorted(near, key=lambda pair: (pair[1], pair[0])))
    return found


def agrees(codes: Codes, queries: Codes, *, radius: int = 31) -> int:
    """Checks a search against comparison; returns how many it found."""
    asked = [row.tobytes() for row in queries]
    found = BankIndex(entries(codes)).search(asked, radius)
    assert found == compared(dict(entries(codes)), asked, radius)
    return sum(map(len, found))


@pytest.mark.parametrize("radius", [0, 1, 7, 15, 16, 24, 31, 32, 40, 47, 48, 80, 256])
def test_every_hash_within_the_radius_is_found_and_no_other(radius: int) -> None:
    codes = drawn(6000, seed=1)
    near = [max(0, radius - 1), radius, min(256, radius + 1)]
    queries = shaken(codes[:30], near * 10, seed=2)

    assert agrees(codes, queries, radius=radius) >= 20


def test_flips_that_are_spread_as_evenly_as_can_be_are_found() -> None:
    # 31 flips, two in each chunk but one: the fewest that any chunk of a neighbour may show.
    codes = drawn(5000, seed=3)
    bits = np.unpackbits(codes[:16].view(np.uint8), axis=1)
    for number, row in enumerate(bits):
        turned = [chunk * 16 + bit for chunk in range(16) for bit in (3, 9)]
        row[[bit for bit in turned if bit != number * 16 + 9]] ^= 1

    assert agrees(codes, np.packbits(bits, axis=1).view(np.uint64)) == 16


def test_a_thousand_near_identical_hashes_are_all_found() -> None:
    heart = np.repeat(drawn(1, seed=4), 1000, axis=0)
    cluster = shaken(heart, np.random.default_rng(5).integers(0, 20, 1000).tolist(), seed=6)
    codes = np.concatenate([drawn(5000, seed=7), cluster])

    assert agrees(codes, shaken(cluster[:20], [11] * 20, seed=8)) > 10_000


@pytest.mark.slow
@pytest.mark.parametrize("clustered", [False, True], ids=["a million at random", "a hundred thousand alike"])
def test_search_is_exact_at_size(clustered: bool) -> None:
    codes = drawn(1_000_000, seed=9)
    if clustered:
        codes[:100_000] = shaken(np.repeat(codes[:1], 100_000, axis=0), [8] * 100_000, seed=10)
    queries = shaken(codes[:: len(codes) // 64][:64], list(range(64)), seed=11)

    assert agrees(codes, queries) >= 32


def test_results_come_by_distance_and_then_by_id() -> None:
    zero = bytes(32)
    one, two = b"\x01" + bytes(31), b"\x03" + bytes(31)

    assert BankIndex([(9, zero), (3, two), (7, one), (-2, one)]).search([zero, two], 1) == [
        [(9, 0), (-2, 1), (7, 1)],
        [(3, 0), (-2, 1), (7, 1)],
    ]


def test_an_empty_index_finds_nothing_and_no_query_has_no_answer() -> None:
    assert BankIndex([]).search([bytes(32)]) == [[]]
    assert BankIndex([(1, bytes(32))]).search([]) == []


def test_additions_and_removals_hold_across_the_sizes_at_which_the_index_sorts_itself() -> None:
    codes = drawn(30_000, seed=12)
    known = dict(entries(codes))
    index = BankIndex(list(known.items())[:9000])
    for start in range(9000, 30_000, 1500):
        index.extend(list(known.items())[start : start + 1500])
    for key in range(0, 30_000, 2):
        index.remove(key)
        del known[key]
    index.add(4, codes[4].tobytes())
    known[4] = codes[4].tobytes()
    queries = [row.tobytes() for row in shaken(codes[:200], [20] * 200, seed=13)]

    assert len(index) == len(known) == 15_001
    assert index.search(queries) == compared(known, queries, 31)
    assert 4 in index
    assert 6 not in index


HASHES = st.lists(st.integers(0, 255), min_size=2, max_size=2).map(lambda pair: bytes(pair) * 16)
STEPS = st.lists(st.tuples(st.sampled_from(["add", "remove", "search"]), st.integers(-4, 8), HASHES), max_size=60)


@pytest.mark.parametrize("sealed", [0, 4100], ids=["from nothing", "from a sorted segment"])
@settings(deadline=None, max_examples=50)
@given(steps=STEPS, radius=st.sampled_from([0, 15, 31, 64]))
def test_any_sequence_of_steps_leaves_what_a_dictionary_would_hold(
    sealed: int, steps: list[tuple[str, int, bytes]], radius: int
) -> None:
    known = dict(entries(drawn(sealed, seed=15)))
    index = BankIndex(known.items())
    for verb, key, hash_ in steps:
        if verb == "search":
            assert index.search([hash_], radius) == compared(known, [hash_], radius)
        elif verb == "add" and key in known:
            with pytest.raises(ValueError, match="comes twice"):
                index.add(key, hash_)
        elif verb == "add":
            index.add(key, hash_)
            known[key] = hash_
        elif key in known:
            index.remove(key)
            del known[key]
        else:
            with pytest.raises(KeyError):
                index.remove(key)
    assert len(index) == len(known)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_hash_of_a_wrong_length_is_refused_and_nothing_is_added(length: int) -> None:
    index = BankIndex([(1, bytes(32))])

    with pytest.raises(ValueError, match=f"hash 1 has {length} bytes"):
        index.extend([(2, bytes(32)), (3, bytes(length))])
    with pytest.raises(ValueError, match=f"{length} bytes"):
        index.search([bytes(length)])
    assert len(index) == 1


@pytest.mark.parametrize("n", [2, 9000], ids=["few", "many"])
def test_an_id_that_comes_twice_is_refused_and_nothing_is_added(n: int) -> None:
    known = entries(drawn(n, seed=14))
    index = BankIndex(known)

    for doubled in ([known[-1]], [(n, bytes(32)), (n, bytes(32))]):
        with pytest.raises(ValueError, match="comes twice"):
            index.extend(doubled)
    with pytest.raises(ValueError, match="comes twice"):
        BankIndex([*known, known[0]])
    assert len(index) == n


def test_a_negative_radius_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        BankIndex([]).search([bytes(32)], -1)
