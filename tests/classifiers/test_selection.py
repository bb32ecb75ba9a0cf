"""Which images teach most: the pure heart of active learning."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from classifiers import selection
from classifiers.heads import sigmoid

shares = st.floats(0, 1, allow_nan=False)


def test_uncertainty_picks_the_boundary() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(2000, 2))
    distance = np.abs(points @ [0.6, 0.8])  # from the line where a head says one half
    p = sigmoid(4 * (points @ [0.6, 0.8]))[:, None]
    chosen = selection.top(selection.entropy(p), 100)
    assert set(chosen) == set(np.argsort(distance)[:100])
    assert set(chosen) == set(selection.top(selection.margin(p), 100))


def test_entropy_is_in_bits_and_of_the_most_doubtful_category() -> None:
    said = np.array([[0.5, 0.0], [0.11, 0.0], [np.nan, 0.5], [np.nan, np.nan], [1.0, 0.0]])
    assert selection.entropy(said) == pytest.approx([1.0, 0.5, 1.0, 0.0, 0.0], abs=0.001)


def test_disagreement_is_what_two_versions_differ_by() -> None:
    members = np.array([[[0.5], [0.0], [0.9], [np.nan]], [[0.5], [1.0], [0.1], [0.9]]])
    jensen_shannon = 1 - (-0.9 * np.log2(0.9) - 0.1 * np.log2(0.1))
    assert selection.disagreement(members) == pytest.approx([0.0, 1.0, jensen_shannon, 0.0], abs=1e-6)


@given(arrays.arrays(float, st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 3)), elements=shares))
def test_disagreement_lies_between_none_and_one_bit(members: np.ndarray) -> None:
    found = selection.disagreement(members)
    assert ((found >= 0) & (found <= 1 + 1e-9)).all()
    alike = selection.disagreement(np.repeat(members[:1], 3, axis=0))
    assert alike == pytest.approx(np.zeros(members.shape[1]), abs=1e-9)


def planted(clusters: int, *, size: int = 100, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings in as many tight clusters, of very unequal numbers, and which each is in."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(clusters, 32))
    which = np.concatenate([np.arange(clusters), rng.integers(0, 2, size=size)])  # most lie in two of them
    return (centres[which] + rng.normal(scale=0.02, size=(len(which), 32))).astype(np.float32), which


@pytest.mark.parametrize("seed", range(5))
def test_core_set_covers_planted_clusters(seed: int) -> None:
    vectors, which = planted(12, size=500, seed=seed)
    assert set(which[selection.k_centre(vectors, 12)]) == set(range(12))
    drawn, _chance = selection.at_random(len(vectors), 12, seed=seed)
    assert len(set(which[drawn])) < 12  # what a lot does not


def test_core_set_leaves_what_is_covered_for_last() -> None:
    vectors, which = planted(8)
    covered = vectors[np.isin(which, [0, 1, 2])]
    assert set(which[selection.k_centre(vectors, 5, covered=covered)]) == {3, 4, 5, 6, 7}


def test_core_set_stops_where_nothing_new_is_left() -> None:
    vectors = np.repeat(np.eye(3, dtype=np.float32), 10, axis=0)
    assert len(selection.k_centre(vectors, 20)) == 3
    assert len(selection.k_centre(vectors, 20, covered=np.eye(3, dtype=np.float32)[:2])) == 1
    assert len(selection.k_centre(vectors[:0], 5)) == 0


def test_core_set_is_within_twice_of_the_least_radius() -> None:
    vectors, _which = planted(6, size=60, seed=3)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    chosen = selection.k_centre(vectors, 6)
    radius = np.linalg.norm(unit[:, None] - unit[chosen][None], axis=2).min(axis=1).max()
    centres = np.stack([unit[np.flatnonzero(_which == one)[0]] for one in range(6)])
    planted_radius = np.linalg.norm(unit[:, None] - centres[None], axis=2).min(axis=1).max()
    assert radius <= 2 * planted_radius


def test_generators_seldom_judged_come_first() -> None:
    groups = ["old"] * 50 + ["new"] * 5 + ["rare"] * 5
    rows = selection.in_turn(groups, {"old": 100, "rare": 2}, 8, seed=1, kin=None)
    named = [groups[row] for row in rows]
    assert named[:2] == ["new", "new"]
    assert (named.count("new"), named.count("rare"), named.count("old")) == (5, 3, 0)
    assert len(set(rows)) == 8


def test_near_duplicates_come_after_what_is_new() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.0])
    assert selection.top(scores, 3, kin=["a", "a", "b", "c"]).tolist() == [0, 2, 1]


def test_a_lot_is_fair() -> None:
    counts = np.zeros(20)
    for seed in range(2000):
        rows, chance = selection.at_random(20, 5, seed=seed)
        assert len(set(rows)) == 5
        assert chance == 0.25
        counts[rows] += 1
    assert np.abs(counts / 2000 - 0.25).max() < 0.05  # five standard errors


@given(st.integers(0, 500), st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 100), min_size=1))
def test_shares_use_the_whole_budget_and_keep_to_the_mix(budget: int, mix: dict[str, int]) -> None:
    found = selection.shares(budget, mix)
    total = sum(mix.values())
    assert sum(found.values()) == (budget if total else 0)
    for name, share in mix.items():
        assert abs(found[name] - budget * share / max(total, 1)) < 1 or not total


@given(st.integers(0, 2**63 - 1), st.integers(1, 40), st.integers(0, 50))
def test_the_same_seed_draws_the_same(seed: int, size: int, count: int) -> None:
    first, chance = selection.at_random(size, count, seed=seed)
    again, _chance = selection.at_random(size, count, seed=seed)
    assert first.tolist() == again.tolist()
    assert len(first) == min(size, count)
    assert 0 <= chance <= 1
