"""Ratios of weighted sums and their intervals, at their ends and against what is known in closed form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from review.estimates.shares import Sums, share

CHANCES = st.floats(min_value=0.005, max_value=1.0)
LOOKED_AT = st.lists(st.tuples(CHANCES, st.booleans()), min_size=1, max_size=60)


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (1, 20), (7, 50), (50, 50)])
def test_with_equal_and_small_chances_it_is_clopper_and_pearsons(hits: int, n: int) -> None:
    found = share(Sums.of([(1e-7, at < hits) for at in range(n)]))
    assert found.value == pytest.approx(hits / n)
    low = beta.ppf(0.025, hits, n - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, n - hits) if hits < n else 1.0
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-5)


def test_each_image_stands_for_as_many_as_its_chance_says() -> None:
    assert share(Sums.of([(0.1, True), (0.5, False), (0.5, False)])).value == pytest.approx(10 / 14)


def test_what_was_looked_at_whole_has_no_doubt_left() -> None:
    found = share(Sums.of([(1.0, at < 3) for at in range(10)]))
    assert (found.low, found.value, found.high) == (0.3, 0.3, 0.3)


def test_what_nobody_has_come_to_yet_leaves_doubt() -> None:
    whole = share(Sums.of([(1.0, at < 3) for at in range(10)], images=10))
    half = share(Sums.of([(1.0, at < 3) for at in range(10)], images=20))
    assert whole.high - whole.low < half.high - half.low


def test_of_nothing_nothing_is_known() -> None:
    found = share(Sums())
    assert (found.value, found.low, found.high, found.n) == (None, 0.0, 1.0, 0)


@given(LOOKED_AT)
def test_it_holds_its_own_estimate_and_mirrors(seen: list[tuple[float, bool]]) -> None:
    found, mirrored = share(Sums.of(seen)), share(Sums.of([(chance, not hit) for chance, hit in seen]))
    assert found.value is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert mirrored.low == pytest.approx(1 - found.high, abs=1e-9)
    assert mirrored.high == pytest.approx(1 - found.low, abs=1e-9)


@given(LOOKED_AT, LOOKED_AT)
def test_sums_add_up(some: list[tuple[float, bool]], more: list[tuple[float, bool]]) -> None:
    added, whole = Sums.of(some) + Sums.of(more), Sums.of([*some, *more])
    for name in Sums.__slots__:
        assert getattr(added, name) == pytest.approx(getattr(whole, name))
