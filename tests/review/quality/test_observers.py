"""Dawid and Skene's model, held against their paper, and against the same equations written out as loops.

The paper prints two digits: those are compared as printed. Beyond them, to 1e-6, stands the plain transcription below,
which shares no code with the product.
"""

from __future__ import annotations

import math
from typing import Any

import pytest

from review.quality import dawid_skene
from tests.review.quality.anaesthetists import FIRST_OBSERVER, MARGINALS, VOTES


def test_the_anaesthetists_come_out_as_printed() -> None:
    found = dawid_skene(VOTES)
    assert found.settled
    assert {one: round(value, 2) for one, value in found.marginals.items()} == MARGINALS
    table = found.confusions[1]
    assert {true: {said: round(p, 2) for said, p in row.items()} for true, row in table.items()} == FIRST_OBSERVER
    # Table 4: the first patients' classes are certain to two digits.
    certain = {1: 1, 2: 4, 3: 2, 4: 2, 5: 2, 6: 2}
    assert {patient: round(found.posteriors[patient][one], 2) for patient, one in certain.items()} == dict.fromkeys(
        certain, 1.0
    )


def transcribed(votes: list[tuple[Any, Any, Any]]) -> tuple[Any, Any, Any]:
    """Equations 2.3, 2.4 and 2.5 as they stand, loop by loop, until nothing moves."""
    units, raters = sorted({u for u, _r, _c in votes}), sorted({r for _u, r, _c in votes})
    classes = sorted({c for _u, _r, c in votes})

    def n(unit: Any, rater: Any, said: Any) -> int:
        return sum(vote == (unit, rater, said) for vote in votes)

    counts = {(u, r, c): n(u, r, c) for u in units for r in raters for c in classes}
    truth = {
        u: {c: sum(counts[u, r, c] for r in raters) / sum(v[0] == u for v in votes) for c in classes} for u in units
    }
    prior: dict[Any, float] = {}
    rates: dict[Any, dict[Any, dict[Any, float]]] = {}
    for _step in range(3000):
        prior = {c: sum(truth[u][c] for u in units) / len(units) for c in classes}
        for r in raters:
            rates[r] = {}
            for j in classes:
                row = {c: sum(truth[u][j] * counts[u, r, c] for u in units) for c in classes}
                rates[r][j] = {c: value / sum(row.values()) for c, value in row.items()}
        before = truth
        truth = {}
        for u in units:
            joint = {
                j: prior[j] * math.prod(rates[r][j][c] ** counts[u, r, c] for r in raters for c in classes)
                for j in classes
            }
            truth[u] = {j: value / sum(joint.values()) for j, value in joint.items()}
        if max(abs(truth[u][j] - before[u][j]) for u in units for j in classes) < 1e-10:
            break
    return truth, rates, prior


def test_the_fit_is_that_of_the_equations() -> None:
    posteriors, confusions = found = dawid_skene(VOTES)
    truth, rates, prior = transcribed(VOTES)
    assert found.marginals == pytest.approx(prior, abs=1e-6)
    for patient, row in truth.items():
        assert posteriors[patient] == pytest.approx(row, abs=1e-6)
    for observer, table in rates.items():
        for true, row in table.items():
            assert confusions[observer][true] == pytest.approx(row, abs=1e-6)


def test_votes_come_as_a_mapping_too() -> None:
    mapped: dict[Any, dict[Any, list[int]]] = {}
    for unit, rater, said in VOTES:
        mapped.setdefault(unit, {}).setdefault(rater, []).append(said)
    assert dawid_skene(mapped).log_likelihood == pytest.approx(dawid_skene(VOTES).log_likelihood, abs=1e-9)
    assert dawid_skene({"a": {"rita": "yes"}}).posteriors == {"a": {"yes": 1.0}}


def test_smoothing_keeps_a_rater_of_few_votes_from_certainty() -> None:
    votes = [("a", "rita", 1), ("a", "sam", 1), ("b", "rita", 0), ("b", "sam", 0)]
    assert dawid_skene(votes).confusions["rita"][1][1] == pytest.approx(1.0)
    assert 0.5 < dawid_skene(votes, smoothing=1.0).confusions["rita"][1][1] < 0.75


def test_many_votes_on_one_unit_do_not_vanish() -> None:
    votes = [("a", f"r{n}", n % 3 > 0) for n in range(3000)] + [("b", f"r{n}", n % 3 == 0) for n in range(3000)]
    found = dawid_skene(votes)
    assert all(sum(row.values()) == pytest.approx(1.0) for row in found.posteriors.values())
    assert math.isfinite(found.log_likelihood)


def test_without_votes_nothing_is_estimated() -> None:
    with pytest.raises(ValueError, match="Without votes"):
        dawid_skene([])
