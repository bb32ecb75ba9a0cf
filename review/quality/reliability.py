"""Agreement between people, corrected for chance. Pure: no Django, no clock; random only by the seed given.

A measure that the data cannot give (nothing was rated twice; nobody ever differed in what could be said) is None,
never a number: an alpha of 1 where only one value was ever used would be praise for nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np

Level = Literal["nominal", "ordinal"]
Unit = tuple[Any, ...]  # the values that one unit was given, missing ones left out
Distance = Callable[[Any, Any], float]

DRAWS: Final = 1000


def krippendorff_alpha(table: Sequence[Sequence[Any]], level: Level = "nominal") -> float | None:
    """Krippendorff's α = 1 − D_o / D_e; `table` has a row a rater, a column a unit, and None for what is missing.

    Any number of raters; a unit with fewer than two values counts for nothing. Ordinal values are ranked by their own
    order. None where nothing was rated twice, or where only one value was ever used. Raises ValueError for an unknown
    level or rows of unequal length.

    Source: Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, sections C and D.
    """
    return alpha_of(Counter(units_of(table)), level)


def krippendorff_interval(
    table: Sequence[Sequence[Any]], level: Level = "nominal", *, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float] | None:
    """95 % of the values that α takes when as many units are drawn again with replacement (percentile bootstrap over
    units; Efron 1979). None where α itself is.
    """
    return interval_of(Counter(units_of(table)), level, draws=draws, seed=seed)


def units_of(table: Sequence[Sequence[Any]]) -> list[Unit]:
    if len({len(row) for row in table}) > 1:
        raise ValueError("Every rater has a value, or None, for every unit: the rows are of unequal length.")
    return [tuple(value for value in column if value is not None) for column in zip(*table, strict=True)]


def alpha_of(units: Mapping[Unit, int], level: Level = "nominal") -> float | None:
    """α of units given as patterns of values with how often each occurred: patterns of several days simply add up."""
    if level not in {"nominal", "ordinal"}:
        raise ValueError(f"The level is nominal or ordinal, not {level!r}.")
    pairs = coincidences(units)
    totals: Counter[Any] = Counter()
    for (one, _other), weight in pairs.items():
        totals[one] += weight  # type: ignore[assignment] # a float: units of three raters count by halves
    if len(totals) < 2:
        return None
    distance = distance_of(totals, level)
    n = sum(totals.values())
    observed = sum(weight * distance(one, other) for (one, other), weight in pairs.items())
    expected = sum(totals[one] * totals[other] * distance(one, other) for one in totals for other in totals)
    return 1 - (n - 1) * observed / expected


def coincidences(units: Mapping[Unit, int]) -> dict[tuple[Any, Any], float]:
    """The coincidence matrix: every ordered pair of values within a unit of m values counts 1 / (m − 1)."""
    pairs: dict[tuple[Any, Any], float] = defaultdict(float)
    for values, times in units.items():
        if len(values) < 2 or not times:
            continue
        for first, one in enumerate(values):
            for second, other in enumerate(values):
                if first != second:
                    pairs[one, other] += times / (len(values) - 1)
    return pairs


def distance_of(totals: Mapping[Any, float], level: Level) -> Distance:
    """Squared distances: any two values differ by 1; or, ordinal, by how many values lie from one up to the other, the
    ends counted by half.
    """
    if level == "nominal":
        return lambda one, other: float(one != other)
    ranked = sorted(totals)
    below: dict[Any, float] = {}
    reached = 0.0
    for value in ranked:
        below[value] = reached + totals[value] / 2
        reached += totals[value]
    return lambda one, other: (below[one] - below[other]) ** 2


def interval_of(
    units: Mapping[Unit, int], level: Level = "nominal", *, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float] | None:
    """As `krippendorff_interval`, of patterns. A draw in which only one value occurs says nothing and is left out."""
    rated = {values: times for values, times in units.items() if len(values) > 1}
    if alpha_of(rated, level) is None:
        return None
    patterns, n = list(rated), sum(rated.values())
    dice = np.random.default_rng(seed)
    drawn = dice.multinomial(n, [times / n for times in rated.values()], size=draws)
    alphas = (alpha_of(dict(zip(patterns, map(int, one), strict=True)), level) for one in drawn)
    found = sorted(alpha for alpha in alphas if alpha is not None)
    return (found[int(0.025 * len(found))], found[int(0.975 * len(found))]) if found else None


def cohen_kappa(a: Sequence[Hashable], b: Sequence[Hashable]) -> float | None:
    """Cohen's κ = (p_o − p_e) / (1 − p_e) of two raters' values for the same units, in the same order.

    A unit that either left out (None) does not count. None where nothing is left, or where chance alone would make
    them agree on everything. Raises ValueError for sequences of unequal length. Source: Cohen (1960), A coefficient of
    agreement for nominal scales.
    """
    return kappa_of(
        Counter((one, other) for one, other in zip(a, b, strict=True) if not (one is None or other is None))
    )


def kappa_of(table: Mapping[tuple[Hashable, Hashable], int]) -> float | None:
    """κ of a table of counts: (first's value, second's value) → units."""
    n = sum(table.values())
    firsts: Counter[Hashable] = Counter()
    seconds: Counter[Hashable] = Counter()
    for (one, other), count in table.items():
        firsts[one] += count
        seconds[other] += count
    agreed = n * sum(count for (one, other), count in table.items() if one == other)
    by_chance = sum(firsts[value] * seconds[value] for value in firsts)
    return (agreed - by_chance) / (n * n - by_chance) if n * n != by_chance else None


def positive_agreement(units: Mapping[Unit, int]) -> float | None:
    """Of the pairs of raters in which one said yes, the share in which the other did, each yes counted: for two raters
    2a / (2a + b + c). κ and α fall towards 0 where yes is rare, this does not. Values are truthy or not; None where
    nobody said yes on anything rated twice.

    Source: Fleiss (1975) for two raters; for more, over all pairs: Uebersax (1982), A design-independent method for
    measuring the reliability of psychiatric diagnosis.
    """
    both = sum(times * yes * (yes - 1) for values, times in units.items() for yes in [yeses(values)])
    any_ = sum(times * yeses(values) * (len(values) - 1) for values, times in units.items())
    return both / any_ if any_ else None


def gwet_ac1(units: Mapping[Unit, int]) -> float | None:
    """Gwet's AC1 of yes and no: (p_a − p_e) / (1 − p_e) with p_e = 2 π (1 − π), π the share of yes. It holds still
    where yes is rare and κ does not. None where nothing was rated twice.

    Source: Gwet (2008), Computing inter-rater reliability and its variance in the presence of high agreement.
    """
    rated = {values: times for values, times in units.items() if len(values) > 1}
    n = sum(rated.values())
    if not n:
        return None
    share = sum(times * yeses(values) / len(values) for values, times in rated.items()) / n
    agreed = sum(times * agreeing(yeses(values), len(values)) for values, times in rated.items()) / n
    by_chance = 2 * share * (1 - share)
    return (agreed - by_chance) / (1 - by_chance)


def yeses(values: Unit) -> int:
    return sum(1 for value in values if value)


def agreeing(yes: int, of: int) -> float:
    """The share of ordered pairs of raters that said the same."""
    return (yes * (yes - 1) + (of - yes) * (of - yes - 1)) / (of * (of - 1))
