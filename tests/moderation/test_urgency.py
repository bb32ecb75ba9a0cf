from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from moderation import urgency

severities = st.integers(0, 4)
shares = st.floats(0, 1)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
views = st.floats(0, 1e12) | st.integers(0, 10**12)


def presses(weight: float, due: datetime, at: datetime) -> float:
    """ln of w · exp((t − due) / τ), from the definition."""
    return weight + (at - due).total_seconds() / urgency.TAU


@given(st.tuples(severities, moments), st.tuples(severities, moments), moments)
def test_the_stored_key_orders_as_urgency_does_at_every_moment(
    one: tuple[int, datetime], other: tuple[int, datetime], at: datetime
) -> None:
    pressing = [presses(urgency.weight(severity), due, at) for severity, due in (one, other)]
    keys = [urgency.urgent_first(urgency.weight(severity), due) for severity, due in (one, other)]
    assume(abs(pressing[0] - pressing[1]) > 1e-6)
    assert (keys[0] > keys[1]) == (pressing[0] > pressing[1])


@given(severities, severities, shares, views)
def test_the_graver_weighs_more(one: int, other: int, probability: float, reach: float) -> None:
    rest = {"probability": probability, "approve": 0.2, "block": 0.9, "reach": reach}
    assume(one < other)
    assert urgency.weight(one, **rest) < urgency.weight(other, **rest)


@given(severities, views, views)
def test_what_more_people_will_see_never_weighs_less(severity: int, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert urgency.weight(severity, reach=low) <= urgency.weight(severity, reach=high)


@given(shares, shares)
def test_what_lies_nearer_the_middle_of_its_band_never_weighs_less(one: float, other: float) -> None:
    near, far = sorted((one, other), key=lambda p: abs(p - 0.55))
    band = {"approve": 0.2, "block": 0.9}
    assert urgency.weight(2, probability=near, **band) >= urgency.weight(2, probability=far, **band) - 1e-12


@given(severities, moments, st.timedeltas(timedelta(seconds=1), timedelta(days=99)))
def test_what_is_due_earlier_comes_first(severity: int, due: datetime, later: timedelta) -> None:
    weight = urgency.weight(severity)
    assert urgency.urgent_first(weight, due) > urgency.urgent_first(weight, due + later)
    assert urgency.oldest_first(due) > urgency.oldest_first(due + later)


@pytest.mark.parametrize("said", [None, "1000", True, -5, 0, float("nan"), [], {}])
def test_what_is_no_number_of_views_changes_nothing(said: object) -> None:
    assert urgency.reach_factor(said) == 1.0


@pytest.mark.parametrize("said", [float("inf"), 10**99])
def test_no_reach_is_without_end(said: float) -> None:
    assert urgency.reach_factor(said) == pytest.approx(10, abs=1e-6)


@pytest.mark.parametrize(
    ("probability", "approve", "block", "factor"),
    [
        (0.55, 0.2, 0.9, 1.0),
        (0.2, 0.2, 0.9, 0.5),
        (0.9, 0.2, 0.9, 0.5),
        (0.99, 0.2, 0.9, 0.5),
        (0.6, 0.2, None, 1.0),
        (None, 0.2, 0.9, 1.0),
        (0.3, None, None, 0.8),
        (0.5, 0.7, 0.7, 1.0),
    ],
)
def test_uncertainty_is_greatest_in_the_middle_of_the_band(
    probability: float | None, approve: float | None, block: float | None, factor: float
) -> None:
    assert urgency.uncertainty_factor(probability, approve, block) == pytest.approx(factor)


def test_a_weight_e_times_as_great_is_worth_one_tau() -> None:
    due = datetime(2026, 11, 21, tzinfo=UTC)
    later = due + timedelta(seconds=urgency.TAU)
    assert urgency.urgent_first(math.log(2), due) == pytest.approx(urgency.urgent_first(math.log(2 * math.e), later))
