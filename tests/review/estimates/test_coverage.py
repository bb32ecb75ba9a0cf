"""Intervals from lots of unequal chances hold the truth as often as they say: 1,000 runs each, nominally 95 %."""

from __future__ import annotations

import numpy as np
import pytest

from review.estimates.shares import share
from review.estimates.totals import Quality
from tests.review.estimates.drawing import Stock, approvals, blocks, covered, kish, people, taylor

RUNS = 1000
LEAST = 0.93


def intervals(stock: Stock, rng: np.random.Generator) -> list[tuple[float, float]]:
    return [(one.low, one.high) for one in map(share, stock.drawn(rng, RUNS))]


@pytest.mark.parametrize("prevalence", [0.0005, 0.002, 0.01])
def test_miss_rates_are_covered_also_where_misses_are_rare(prevalence: float) -> None:
    rng = np.random.default_rng(11)
    stock = approvals(rng, images=20_000, prevalence=prevalence)
    assert covered(intervals(stock, rng), stock.share) >= LEAST


@pytest.mark.parametrize("precision", [0.5, 0.9, 0.98])
def test_precision_is_covered(precision: float) -> None:
    rng = np.random.default_rng(12)
    stock = blocks(rng, images=600, precision=precision)
    assert covered(intervals(stock, rng), stock.share) >= LEAST


def test_precision_is_covered_where_the_lot_sees_least_of_what_is_wrong() -> None:
    """Weights that go with the truth: there Wilson's interval on Kish's number, which knows of no such thing, fails."""
    rng = np.random.default_rng(13)
    stock = blocks(rng, images=600, precision=0.8, adverse=True)
    lots = stock.drawn(rng, RUNS)
    assert covered([(one.low, one.high) for one in map(share, lots)], stock.share) >= LEAST
    assert covered([kish(one) for one in lots], stock.share) < 0.85


def test_where_hits_are_few_taylors_own_interval_fails() -> None:
    """So a test of coverage can fail, and why there is more to ours than a standard error."""
    rng = np.random.default_rng(14)
    stock = approvals(rng, images=20_000, prevalence=0.002)
    assert covered([taylor(one) for one in stock.drawn(rng, RUNS) if one.n], stock.share) < 0.85


@pytest.mark.parametrize(
    ("missed", "harmful", "answered"),
    [
        pytest.param(0.002, 0.15, 1.0, id="usual"),
        pytest.param(0.0002, 0.02, 1.0, id="rare"),
        pytest.param(0.005, 0.15, 0.8, id="not all answered"),
    ],
)
def test_recall_and_prevalence_are_covered(missed: float, harmful: float, answered: float) -> None:
    rng = np.random.default_rng(15)
    approve = approvals(rng, images=18_000, prevalence=missed)
    block = blocks(rng, images=300, precision=0.93)
    review = people(rng, images=1500, harmful=harmful, answered=answered)
    lots = (stock.drawn(rng, RUNS) for stock in (approve, block, review))
    found = [Quality.of({"approve": a, "block": b, "own": b, "review": r}) for a, b, r in zip(*lots, strict=True)]
    caught, all_of_it = block.hits.sum() + review.hits.sum(), block.hits.sum() + review.hits.sum() + approve.hits.sum()
    truth = {
        "precision": block.share,
        "miss_rate": approve.share,
        "recall": float(caught / all_of_it),
        "prevalence": float(all_of_it / 19_800),
    }
    for name, true in truth.items():
        figures = [getattr(one, name) for one in found]
        assert covered([(one.low, one.high) for one in figures], true) >= LEAST, name
