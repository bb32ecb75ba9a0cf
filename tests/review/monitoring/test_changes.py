"""Evidence that a share changed: it cries wolf as seldom as it says, and sees what is planted. Seeds are fixed."""

from __future__ import annotations

from datetime import date, timedelta
from math import exp, log

import numpy as np
import pytest

from review.monitoring.changes import SPAN, Day, change, span_of

START = date(2026, 1, 1)
WEEKS = 26
PER_WEEK = 56
DOUBT = 0.05


def weeks(rng: np.random.Generator, shares: list[float]) -> list[Day]:
    return [
        Day(START + timedelta(days=7 * at), PER_WEEK, int(rng.binomial(PER_WEEK, share)))
        for at, share in enumerate(shares)
    ]


def alarmed(days: list[Day]) -> int | None:
    """The first week at whose look the evidence was enough."""
    return next((at for at in range(len(days)) if change(days[: at + 1]).evidence >= log(1 / DOUBT)), None)


@pytest.mark.parametrize("share", [0.02, 0.15, 0.5])
def test_while_nothing_changes_a_half_year_of_looks_seldom_alarms(share: float) -> None:
    rng = np.random.default_rng(21)
    false = sum(alarmed(weeks(rng, [share] * WEEKS)) is not None for _run in range(100))
    assert false <= 100 * DOUBT


def test_a_share_that_doubles_is_seen_within_weeks_and_dated() -> None:
    rng = np.random.default_rng(22)
    seen, dated = [], []
    for _run in range(30):
        days = weeks(rng, [0.15] * 10 + [0.3] * 16)
        at = alarmed(days)
        seen.append(at if at is not None else WEEKS)
        found = change(days)
        dated.append(abs((found.since or START) - days[10].day) <= timedelta(days=21))
        assert found.rising
    assert min(seen) >= 10
    assert np.median(seen) <= 16
    assert np.mean(dated) >= 0.7


def test_a_share_that_falls_is_told_as_falling() -> None:
    found = change(weeks(np.random.default_rng(23), [0.5] * 10 + [0.2] * 10))
    assert found.evidence > log(1 / DOUBT)
    assert not found.rising


def test_of_nothing_and_of_one_day_nothing_is_told() -> None:
    assert change([]).since is None
    assert change([Day(START, 40, 4)]).since is None
    assert exp(change([Day(START, 40, 4)]).evidence) == 1.0


def test_days_without_any_change_nothing() -> None:
    days = weeks(np.random.default_rng(24), [0.1] * 6 + [0.5] * 6)
    gaps = sorted([*days, *(Day(one.day + timedelta(days=1), 0, 0) for one in days)], key=lambda one: one.day)
    assert change(gaps) == change(days)


def test_a_span_is_half_a_year() -> None:
    assert span_of(date(2026, 6, 30)) == date(2026, 1, 1)
    assert span_of(date(2026, 12, 31)) == date(2026, 7, 1)
    assert (date(2026, 12, 31) - span_of(date(2026, 12, 31))).days < SPAN
