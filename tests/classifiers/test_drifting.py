"""Two sets of embeddings: told apart where they differ, and by chance no oftener than the tests say."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from numpy.typing import NDArray

from classifiers.drifting import FEWEST, MOST, TooFew, by_guessing, discrepancy, told_apart
from moderation.guarantees.drifting import farthest

Floats = NDArray[np.float64]
SIZE = 64


def rows(rng: np.random.Generator, n: int, *, moved: float = 0.0) -> Floats:
    found: Floats = rng.normal(size=(n, SIZE)) + moved * np.eye(SIZE)[0]
    return found


def test_sets_of_one_kind_are_told_apart_by_chance_alone() -> None:
    rng = np.random.default_rng(31)
    pairs = [(rows(rng, 100), rows(rng, 100)) for _run in range(60)]
    kernel = [discrepancy(before, after, permutations=99).p_value for before, after in pairs]
    guessed = [told_apart(before, after).p_value for before, after in pairs]
    assert sum(p <= 0.05 for p in kernel) <= 8  # P(Bin(60, 0.05) > 8) is 0.3 %
    assert sum(p <= 0.05 for p in guessed) <= 8
    assert 0.3 < np.mean(kernel) < 0.7
    assert abs(np.mean([discrepancy(*pair, permutations=9).value for pair in pairs])) < 1e-3


def test_a_small_shift_is_seen_and_a_large_one_told_how_large() -> None:
    rng = np.random.default_rng(32)
    before = rows(rng, 400)
    small, large = rows(rng, 400, moved=1.0), rows(rng, 400, moved=6.0)
    assert discrepancy(before, small).p_value <= 0.001
    assert told_apart(before, small).p_value <= 0.001
    assert 0.6 < told_apart(before, small).accuracy < 0.8
    assert told_apart(before, large).accuracy > 0.98
    assert discrepancy(before, large).value > discrepancy(before, small).value > 0


def test_the_statistic_is_the_unbiased_one_of_its_definition() -> None:
    rng = np.random.default_rng(33)
    before, after = rng.normal(size=(30, 3)), rng.normal(size=(25, 3)) + 0.5
    found = discrepancy(before, after, permutations=9)

    def mean(some: Floats, more: Floats, *, same: bool) -> float:
        values = np.exp(-((some[:, None] - more[None]) ** 2).sum(-1) / (2 * found.width**2))
        return float((values.sum() - len(some)) / (len(some) * (len(some) - 1)) if same else values.mean())

    expected = mean(before, before, same=True) + mean(after, after, same=True) - 2 * mean(before, after, same=False)
    assert found.value == pytest.approx(expected)
    assert (found.n, found.m) == (30, 25)


def test_what_is_all_the_same_differs_in_nothing() -> None:
    same = np.ones((40, 8))
    assert discrepancy(same, same).p_value == 1.0
    assert told_apart(same, same).accuracy == 0.5


def test_its_cost_is_bounded_and_too_few_are_refused() -> None:
    rng = np.random.default_rng(34)
    found = discrepancy(rows(rng, MOST + 200), rows(rng, 30), permutations=19)
    assert (found.n, found.m) == (MOST, 30)
    with pytest.raises(TooFew):
        told_apart(rows(rng, FEWEST - 1), rows(rng, 100))


def test_guessing_is_the_exact_binomial() -> None:
    assert by_guessing(0, 10) == 1.0
    assert by_guessing(9, 10) == (comb(10, 9) + 1) / 1024


def test_the_distance_of_scores_is_kolmogorov_and_smirnovs() -> None:
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(35)
    for after in (rng.beta(2, 5, 900), rng.beta(2, 4, 900), np.repeat([0.0, 0.3], 400)):
        before = rng.beta(2, 5, 700)
        distance, chance = farthest(before.tolist(), after.tolist())
        expected = ks_2samp(before, after, method="asymp")
        assert distance == pytest.approx(expected.statistic)
        assert chance == pytest.approx(expected.pvalue, rel=0.15, abs=0.01)
    assert farthest([], [0.5]) == (0.0, 1.0)
