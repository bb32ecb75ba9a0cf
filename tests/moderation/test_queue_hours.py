from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.queues.hours import Hours, after

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = Hours(BERLIN, frozenset(range(5)), time(9), time(17), frozenset({date(2026, 12, 25)}))
MINUTE = timedelta(minutes=1)

# Around both changes of the clock, in zones of either hemisphere and one with a half-hour change.
zones = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"])
quarters = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
hours = st.builds(
    Hours,
    zones.map(ZoneInfo),
    st.frozensets(st.integers(0, 6), min_size=1),
    quarters,
    quarters,
    st.frozensets(st.dates(date(2026, 3, 1), date(2026, 11, 30)), max_size=4),
)
starts = st.datetimes(datetime(2026, 3, 20), datetime(2026, 11, 20), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(second=0, microsecond=0)
)
works = st.integers(0, 36 * 60).map(lambda minutes: minutes * MINUTE)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("start", "work", "due"),
    [
        (at(2026, 11, 18, 10), 4, at(2026, 11, 18, 14)),
        (at(2026, 11, 18, 15), 4, at(2026, 11, 19, 11)),
        (at(2026, 11, 20, 16), 4, at(2026, 11, 23, 12)),  # over a weekend
        (at(2026, 11, 21, 3), 1, at(2026, 11, 23, 10)),  # begins on a Saturday
        (at(2026, 12, 24, 16), 2, at(2026, 12, 28, 10)),  # a holiday, then a weekend
        (at(2026, 11, 18, 10), 7, at(2026, 11, 18, 17)),  # to the last minute
    ],
)
def test_working_time_passes_in_working_hours_only(start: datetime, work: int, due: datetime) -> None:
    assert after(start, timedelta(hours=work), OFFICE) == due


def test_without_hours_time_always_passes() -> None:
    assert after(at(2026, 11, 21, 3), timedelta(hours=5), None) == at(2026, 11, 21, 8)


def test_a_night_shift_over_a_changed_clock_is_as_long_as_it_is() -> None:
    night = Hours(BERLIN, frozenset(range(7)), time(22), time(6))
    # 29 March 2026: from 22:00 to 06:00 are seven hours.
    assert after(at(2026, 3, 28, 22), timedelta(hours=7), night) == at(2026, 3, 29, 6)
    assert after(at(2026, 3, 28, 22), timedelta(hours=8), night) == at(2026, 3, 29, 23)
    # 25 October 2026: nine.
    assert after(at(2026, 10, 24, 22), timedelta(hours=9), night) == at(2026, 10, 25, 6)


def test_around_the_clock_all_time_counts() -> None:
    always = Hours(BERLIN, frozenset(range(7)), time(0), time(0))
    assert after(at(2026, 3, 28, 12), timedelta(hours=48), always) == at(2026, 3, 28, 12).astimezone(UTC) + timedelta(
        hours=48
    )


@given(starts, works, hours)
def test_between_start_and_due_lies_exactly_that_much_work(start: datetime, work: timedelta, hours: Hours) -> None:
    due = after(start, work, hours)
    spans = []
    for opens, closes in hours.spans(start):
        if opens >= due:
            break
        spans.append((opens, min(closes, due)))
    assert sum((closes - opens for opens, closes in spans), timedelta(0)) == work or due == start + work
    assert due >= start + work


@given(starts, hours)
def test_spans_lie_in_local_working_hours_and_do_not_overlap(start: datetime, hours: Hours) -> None:
    last = start
    for _number, (opens, closes) in zip(range(10), hours.spans(start), strict=False):
        assert last <= opens < closes
        last = closes
        noon = opens + (closes - opens) / 2
        local = noon.astimezone(hours.zone)
        begun = (
            local.date() if hours.closes > hours.opens or local.time() >= hours.opens else local.date() - timedelta(1)
        )
        touched = {begun, begun - timedelta(days=1), begun + timedelta(days=1)}
        assert any(day.weekday() in hours.weekdays and day not in hours.holidays for day in touched)


@given(starts, works, works, hours)
def test_more_work_is_never_due_earlier(start: datetime, one: timedelta, other: timedelta, hours: Hours) -> None:
    low, high = sorted((one, other))
    assert after(start, low, hours) <= after(start, high, hours)


@given(starts, st.timedeltas(timedelta(0), timedelta(days=3)), works, hours)
def test_what_comes_later_is_never_due_earlier(
    start: datetime, later: timedelta, work: timedelta, hours: Hours
) -> None:
    assert after(start, work, hours) <= after(start + later, work, hours)
