"""Agreement, held against worked examples as they were published, and against the definitions done by brute force."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.quality import (
    cohen_kappa,
    gwet_ac1,
    krippendorff_alpha,
    krippendorff_interval,
    positive_agreement,
)
from review.quality.reliability import Level, units_of

N = None
# Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, example C: 4 observers, 12 units, 5 values, some data
# missing. Printed there: nominal 0.743, ordinal 0.815.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3],
    [N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N],
]
# The same paper's coincidence matrix, which it prints in full: o_ck with totals 9, 13, 10, 5, 3 and n = 40.
COINCIDENCES = {
    (1, 1): Fraction(7),
    (1, 2): Fraction(4, 3),
    (1, 3): Fraction(1, 3),
    (1, 4): Fraction(1, 3),
    (2, 2): Fraction(10),
    (2, 3): Fraction(4, 3),
    (2, 4): Fraction(1, 3),
    (3, 3): Fraction(8),
    (3, 4): Fraction(1, 3),
    (4, 4): Fraction(4),
    (5, 5): Fraction(3),
}
TOTALS = {1: 9, 2: 13, 3: 10, 4: 5, 5: 3}


def exact(level: Level) -> Fraction:
    """The paper's arithmetic on its printed matrix, in fractions."""

    def distance(one: int, other: int) -> Fraction:
        if level == "nominal":
            return Fraction(one != other)
        between = sum(TOTALS[value] for value in range(min(one, other), max(one, other) + 1))
        return (between - Fraction(TOTALS[one] + TOTALS[other], 2)) ** 2 if one != other else Fraction(0)

    observed = sum((weight * distance(*pair) for pair, weight in COINCIDENCES.items()), start=Fraction(0))
    pairs = [(one, other) for one in TOTALS for other in TOTALS if one < other]
    expected = sum((TOTALS[one] * TOTALS[other] * distance(one, other) for one, other in pairs), start=Fraction(0))
    return 1 - (sum(TOTALS.values()) - 1) * observed / expected


@pytest.mark.parametrize(("level", "printed"), [("nominal", 0.743), ("ordinal", 0.815)])
def test_alpha_of_krippendorffs_example(level: Level, printed: float) -> None:
    alpha = krippendorff_alpha(OBSERVERS, level)
    assert alpha == pytest.approx(float(exact(level)), abs=1e-12)
    assert round(float(exact(level)), 3) == printed


def by_definition(table: list[list[Any]], level: Level) -> float | None:
    """α from the pairs themselves, without a coincidence matrix: observed within units, expected over all values."""
    units = [[value for value in column if value is not None] for column in zip(*table, strict=True)]
    units = [unit for unit in units if len(unit) > 1]
    values = [value for unit in units for value in unit]

    def distance(one: int, other: int) -> float:
        if level == "nominal" or one == other:
            return float(one != other)
        low, high = min(one, other), max(one, other)
        between: float = sum(low <= value <= high for value in values)
        return (between - (values.count(one) + values.count(other)) / 2) ** 2

    observed = sum(distance(*pair) / (len(unit) - 1) for unit in units for pair in permutations(unit, 2))
    expected = sum(distance(*pair) for pair in permutations(values, 2)) / max(len(values) - 1, 1)
    return 1 - observed / expected if expected else None


TABLES = st.integers(1, 6).flatmap(
    lambda units: st.lists(
        st.lists(st.one_of(st.none(), st.integers(0, 4)), min_size=units, max_size=units), min_size=2, max_size=4
    )
)


@given(TABLES, st.sampled_from(["nominal", "ordinal"]))
def test_alpha_is_what_the_definition_says(table: list[list[Any]], level: Level) -> None:
    assert krippendorff_alpha(table, level) == pytest.approx(by_definition(table, level), abs=1e-9)


def test_alpha_does_not_praise_what_says_nothing() -> None:
    assert krippendorff_alpha([[1, 1, 1], [1, 1, 1]]) is None
    assert krippendorff_alpha([[1, N, 2], [N, 3, N]]) is None
    assert krippendorff_alpha([]) is None
    assert krippendorff_interval([[1, 1], [1, 1]]) is None


def test_alpha_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="nominal or ordinal"):
        krippendorff_alpha(OBSERVERS, "ratio")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unequal length"):
        krippendorff_alpha([[1, 2], [1]])


def test_the_interval_of_alpha_lies_around_it_and_is_repeatable() -> None:
    low, high = krippendorff_interval(OBSERVERS) or (1.0, 0.0)
    assert low < (krippendorff_alpha(OBSERVERS) or 0) < high <= 1.0
    assert krippendorff_interval(OBSERVERS) == (low, high)


# Cohen's table of two judges' diagnoses of 200 cases, as proportions (1960, again 1968, Table 1): κ is printed as .492.
DIAGNOSES = [[0.44, 0.07, 0.09], [0.05, 0.20, 0.05], [0.01, 0.03, 0.06]]


def test_kappa_of_cohens_example() -> None:
    cells = [
        (i, j) for i, row in enumerate(DIAGNOSES) for j, share in enumerate(row) for _ in range(round(200 * share))
    ]
    kappa = cohen_kappa([i for i, _j in cells], [j for _i, j in cells])
    observed = Fraction(88 + 40 + 12, 200)
    by_chance = Fraction(120 * 100 + 60 * 60 + 20 * 40, 200 * 200)
    assert kappa == pytest.approx(float((observed - by_chance) / (1 - by_chance)), abs=1e-12)
    assert round(kappa or 0, 3) == 0.492


def test_kappa_knows_what_it_cannot_say() -> None:
    assert cohen_kappa([1, 1], [1, 1]) is None
    assert cohen_kappa([1, None], [None, 1]) is None
    assert cohen_kappa([1, None, 2], [1, 2, 1]) == cohen_kappa([1, 2], [1, 1])
    with pytest.raises(ValueError, match="argument 2"):
        cohen_kappa([1, 2], [1])


def test_positive_agreement_of_two_is_the_familiar_one() -> None:
    """a = 20 both yes, b + c = 10 one of them, d = 970 neither: 2a / (2a + b + c) = 40 / 50."""
    table = [[1] * 20 + [1] * 4 + [0] * 6 + [0] * 970, [1] * 20 + [0] * 4 + [1] * 6 + [0] * 970]
    units = dict.fromkeys(units_of(table), 0)
    for unit in units_of(table):
        units[unit] += 1
    assert positive_agreement(units) == pytest.approx(40 / 50)
    share = (2 * 20 + 10) / 2000
    chance = 2 * share * (1 - share)
    assert gwet_ac1(units) == pytest.approx((0.99 - chance) / (1 - chance))


def test_without_a_yes_there_is_no_positive_agreement() -> None:
    assert positive_agreement({(0, 0): 5, (1,): 3}) is None
    assert gwet_ac1({(0, 0): 5}) == 1.0
    assert gwet_ac1({(1,): 5}) is None
