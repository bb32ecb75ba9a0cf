"""What a certificate promises, on data whose truth is planted: scores Beta(5, 2) of violating images, Beta(1, 12) of
others, 5 % of them violating.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom

from moderation.certificates import binomial_tail, certify, certify_all, corrected, needed, repeated, sample_size
from review.quality.posteriors import Posterior

ALPHA, DELTA, PREVALENCE = 0.005, 0.05, 0.05
BAD, GOOD = (5, 2), (1, 12)
RUNS = [60, pytest.param(400, marks=pytest.mark.slow)]
SIZES = {  # (α, δ) → audits needed with 0, 1, 3 and 5 violations among them
    (0.02, 0.05): [149, 236, 386, 523],
    (0.02, 0.01): [228, 330, 499, 652],
    (0.01, 0.05): [299, 473, 773, 1049],
    (0.01, 0.01): [459, 662, 1001, 1307],
    (0.005, 0.05): [598, 947, 1549, 2100],
    (0.005, 0.01): [919, 1325, 2006, 2618],
    (0.002, 0.05): [1497, 2371, 3875, 5254],
    (0.002, 0.01): [2301, 3317, 5020, 6551],
    (0.001, 0.05): [2995, 4742, 7752, 10511],
    (0.001, 0.01): [4603, 6636, 10042, 13105],
}


def below(threshold: float) -> tuple[float, float]:
    """The true FOR at a threshold, and the share of traffic there."""
    bad = PREVALENCE * beta.cdf(threshold, *BAD)
    share = bad + (1 - PREVALENCE) * beta.cdf(threshold, *GOOD)
    return bad / share, share


def best_share() -> float:
    found = [below(float(t)) for t in np.linspace(0.001, 0.999, 4000)]
    return max(share for risk, share in found if risk <= ALPHA)


def traffic(rng: np.random.Generator, n: int) -> tuple[Any, Any]:
    violating = rng.random(n) < PREVALENCE
    return np.where(violating, rng.beta(*BAD, n), rng.beta(*GOOD, n)), violating


def uniform(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
    return (*traffic(rng, n), None)


def weighted(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
    """As in service: people see all that is uncertain, and one in twenty of what machines decide."""
    scores, violating = traffic(rng, n * 12)
    chance = np.where(scores < 0.25, 0.05, 1.0)
    seen = np.flatnonzero(rng.random(len(scores)) < chance)[:n]
    return scores[seen], violating[seen], 1 / chance[seen]


def by_eye(scores: Any, violating: Any) -> float:
    """The loosest threshold whose measured rate is under the limit."""
    order = np.argsort(scores)
    measured = np.cumsum(violating[order]) / np.arange(1, len(order) + 1)
    return float(scores[order][np.flatnonzero(measured <= ALPHA)[-1]])


@dataclass
class Outcome:
    broken: float
    broken_by_eye: float
    share: float
    error: float


def played(runs: int, n: int, sampled: Callable[..., tuple[Any, Any, Any]]) -> Outcome:
    broken, by_eye_broken, shares = 0, 0, []
    for seed in range(runs):
        scores, violating, weights = sampled(np.random.default_rng(seed), n)
        found = certify(scores, violating, risk="FOR", alpha=ALPHA, delta=DELTA, weights=weights)
        risk, share = below(found.threshold) if found.threshold is not None else (0.0, 0.0)
        broken += risk > ALPHA
        shares.append(share)
        by_eye_broken += below(by_eye(scores, violating))[0] > ALPHA
    return Outcome(broken / runs, by_eye_broken / runs, float(np.mean(shares)), (DELTA * (1 - DELTA) / runs) ** 0.5)


@pytest.mark.parametrize("runs", RUNS)
def test_certified_thresholds_keep_the_limit_which_the_eye_breaks(runs: int) -> None:
    found = played(runs, 5000, uniform)

    assert found.broken <= DELTA + 2 * found.error
    assert found.broken_by_eye > 0.25
    assert found.share >= best_share() - 0.03


@pytest.mark.parametrize("runs", RUNS)
def test_so_do_those_from_audits_with_unequal_chances(runs: int) -> None:
    found = played(runs, 5000, weighted)

    assert found.broken <= DELTA + 2 * found.error
    assert found.share >= best_share() - 0.03


@pytest.mark.slow
@pytest.mark.parametrize("n", [1000, 2000, 20_000])
def test_other_sizes_of_sample_keep_the_limit_too(n: int) -> None:
    found = played(400, n, uniform)

    assert found.broken <= DELTA + 2 * found.error


@pytest.mark.slow
def test_where_the_risk_lies_exactly_at_the_limit_it_is_passed_as_seldom_as_said() -> None:
    """A score that says nothing, just past the limit: every threshold is bad."""
    passed = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        scores, violating = rng.random(3000), rng.random(3000) < ALPHA * 1.0001
        passed += certify(scores, violating, risk="FOR", alpha=ALPHA, delta=DELTA).threshold is not None

    assert passed / 400 <= DELTA + 2 * (DELTA * (1 - DELTA) / 400) ** 0.5


@pytest.mark.parametrize("key", SIZES)
def test_the_audit_sizes_are_exact(key: tuple[float, float]) -> None:
    assert [sample_size(*key, k) for k in (0, 1, 3, 5)] == SIZES[key]


@given(st.integers(1, 100_000), st.floats(0.0005, 0.6), st.floats(-4, 4))
def test_the_tail_is_that_of_scipy(n: int, share: float, off: float) -> None:
    k = min(n, max(0, round(n * share + off * (n * share) ** 0.5)))

    assert binomial_tail(k, n, share) == pytest.approx(binom.cdf(k, n, share), rel=1e-6, abs=1e-12)


def test_what_a_certificate_says_can_be_counted_again() -> None:
    scores, violating, _weights = uniform(np.random.default_rng(3), 4000)

    found = certify(scores, violating, risk="FOR", alpha=ALPHA, delta=DELTA)

    inside = scores <= found.threshold
    assert (found.n, found.k) == (inside.sum(), violating[inside].sum())
    assert found.share == inside.mean()
    assert found.p_value == pytest.approx(binom.cdf(found.k, found.n, ALPHA))
    assert found.p_value <= DELTA


def test_wrongful_blocks_are_bounded_from_above_the_threshold() -> None:
    scores, violating, _weights = uniform(np.random.default_rng(4), 20_000)

    found = certify(scores, violating, risk="FDR", alpha=0.1, delta=DELTA)

    inside = scores >= found.threshold
    assert (found.n, found.k) == (inside.sum(), (~violating[inside]).sum())
    assert found.k / found.n < 0.1


def test_the_order_of_audits_changes_nothing() -> None:
    scores, violating, weights = weighted(np.random.default_rng(5), 5000)
    other = np.random.default_rng(6).permutation(len(scores))

    found = certify(scores, violating, risk="FOR", alpha=ALPHA, delta=DELTA, weights=weights)
    again = certify(scores[other], violating[other], risk="FOR", alpha=ALPHA, delta=DELTA, weights=weights[other])

    assert (again.threshold, again.n, again.k) == (found.threshold, found.n, found.k)
    assert again.p_value == pytest.approx(found.p_value)


@pytest.mark.parametrize("n", [0, 1, 597])
def test_too_few_audits_certify_nothing(n: int) -> None:
    found = certify(np.linspace(0, 1, n), np.zeros(n), risk="FOR", alpha=ALPHA, delta=DELTA)

    assert (found.threshold, found.share, found.n) == (None, 0.0, n)
    assert found.p_value > DELTA


def test_just_enough_clean_audits_certify_all_of_them() -> None:
    found = certify(np.linspace(0, 1, 598), np.zeros(598), risk="FOR", alpha=ALPHA, delta=DELTA)

    assert (found.threshold, found.share, found.k) == (1.0, 1.0, 0)


def test_a_score_that_many_audits_share_is_taken_whole_or_not_at_all() -> None:
    scores = np.repeat([0.1, 0.2, 0.9], [2000, 2000, 100])
    violating = np.repeat([0, 0, 1], [2000, 2000, 100])

    found = certify(scores, violating, risk="FOR", alpha=ALPHA, delta=DELTA)

    assert (found.threshold, found.n) == (0.2, 4000)


def test_equal_weights_are_a_uniform_sample() -> None:
    scores, violating, _weights = uniform(np.random.default_rng(7), 3000)

    assert certify(scores, violating, risk="FOR", alpha=ALPHA, delta=DELTA, weights=np.full(3000, 20.0)) == certify(
        scores, violating, risk="FOR", alpha=ALPHA, delta=DELTA
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"risk": "FNR"},
        {"alpha": 0.0},
        {"delta": 1.0},
        {"scores": [0.1, float("nan")]},
        {"violating": [0, 2]},
        {"violating": [0]},
        {"weights": [1.0, 0.0]},
        {"weights": [1.0]},
    ],
)
def test_numbers_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    said = {"scores": [0.1, 0.2], "violating": [0, 1], "risk": "FOR", "alpha": 0.01, "delta": 0.05, **wrong}

    with pytest.raises(ValueError, match=r"."):
        certify(said.pop("scores"), said.pop("violating"), **said)


def test_several_categories_share_the_doubt_and_hand_on_what_they_do_not_need() -> None:
    clean = (np.linspace(0, 1, 2000), np.zeros(2000), None)
    scores, violating, _weights = uniform(np.random.default_rng(8), 2000)

    found = certify_all({"A": clean, "B": (scores, violating, None)}, risk="FOR", alpha=ALPHA, delta=DELTA)

    assert (found["A"].share, found["A"].delta) == (1.0, DELTA / 2)  # at the end of its ladder: its part goes to B
    assert found["B"] == certify(scores, violating, risk="FOR", alpha=ALPHA, delta=DELTA)


@pytest.mark.parametrize("runs", [120, pytest.param(400, marks=pytest.mark.slow)])
def test_a_corrected_share_covers_the_truth_which_the_raw_one_misses(runs: int) -> None:
    """Readers of sensitivity 0.7, which gold items show."""
    right, raw_right = 0, 0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        found = rng.binomial(3000, PREVALENCE * 0.7 + (1 - PREVALENCE) * 0.005)
        se, sp = Posterior(rng.binomial(200, 0.7), 200), Posterior(rng.binomial(1500, 0.995), 1500)
        truth = corrected(found, 3000, sensitivity=(se.a, se.b), specificity=(sp.a, sp.b))
        assert truth is not None
        right += truth.low <= PREVALENCE <= truth.high
        raw_right += Posterior(found, 3000).low <= PREVALENCE <= Posterior(found, 3000).high

    assert right / runs >= 0.9
    assert raw_right / runs < 0.5


def test_readers_no_better_than_chance_correct_nothing() -> None:
    assert corrected(5, 100, sensitivity=(3, 7), specificity=(6, 4)) is None


class TestRepeated:
    def test_a_bet_that_is_not_won_yet_says_how_often_the_same_would_win_it(self) -> None:
        """Clean audits, one in six of them drawn with a fifth of the others' chance."""
        scores = np.linspace(0, 0.5, 120)
        weights = np.where(np.arange(120) % 6 == 0, 5.0, 1.0)
        clean = np.zeros(120)
        said: dict[str, Any] = {"risk": "FOR", "alpha": 0.05, "delta": 0.05}
        assert certify(scores, clean, weights=weights, **said).threshold is None

        times = repeated(scores, clean, weights, cut=0.2, **said)

        more = [np.tile(one, times) for one in (scores, clean, weights)]
        found = certify(more[0], more[1], weights=more[2], **said)
        assert times > 1
        assert found.threshold is not None
        assert found.threshold >= 0.2

    def test_where_nothing_helps_it_is_the_most_that_was_tried(self) -> None:
        wrong = np.ones(40)

        assert repeated(np.linspace(0, 1, 40), wrong, np.ones(40), cut=0.5, risk="FOR", alpha=0.05, delta=0.05) == 64


class TestNeed:
    def test_clean_audits_are_missing_up_to_the_exact_size(self) -> None:
        need = needed(n=400, k=0, share=0.5, alpha=ALPHA, delta=DELTA, seconds=9.0)

        assert (need.inside, need.audits) == (198, 396)
        assert need.hours == pytest.approx(396 * 9 / 3600)

    def test_at_the_rate_seen_the_number_passes_and_one_fewer_does_not(self) -> None:
        need = needed(n=1000, k=2, share=1.0, alpha=ALPHA, delta=DELTA, seconds=None)

        assert need.inside is not None
        assert need.hours is None
        size = 1000 + need.inside
        assert binomial_tail(int(np.ceil(size * 0.002)), size, ALPHA) <= DELTA
        assert binomial_tail(int(np.ceil((size - 1) * 0.002)), size - 1, ALPHA) > DELTA

    def test_no_number_of_audits_mends_a_rate_past_the_limit(self) -> None:
        need = needed(n=1000, k=9, share=1.0, alpha=ALPHA, delta=DELTA, seconds=9.0)

        assert (need.inside, need.audits, need.hours) == (None, None, None)
