"""Precision, miss rate, recall and prevalence from a day's counts."""

from __future__ import annotations

import pytest

from review.estimates.shares import Sums
from review.estimates.tallies import Seen, Tally
from review.estimates.totals import Quality, Total, ratio

CODE = "HATE"


def worked() -> Tally:
    """1,000 approved of which 10 were audited and 1 found wrong; 40 blocked, 8 audited, 6 rightly; 20 sent to people,
    of which 5 are harmful.
    """
    tally = Tally()
    tally.count("approve", "", 1000)
    tally.count("block", CODE, 30)
    tally.count("block", "NUDITY", 10)
    tally.count("review", "", 20)
    for at in range(10):
        tally.add(Seen("approve", "", 0.01, at == 0, {CODE}))
    for at in range(6):
        tally.add(Seen("block", CODE, 0.2, at < 5, {CODE}))
    for at in range(2):
        tally.add(Seen("block", "NUDITY", 0.2, at == 0, {CODE}))  # blocked for another reason than it should have been
    for at in range(20):
        tally.add(Seen("review", "", 1.0, at < 5, {CODE} if at < 2 else {"NUDITY"}))
    return tally


def test_any_harm() -> None:
    found = worked().quality()
    assert found.precision.value == pytest.approx(6 / 8)
    assert found.miss_rate.value == pytest.approx(1 / 10)
    caught, missed = 40 * 6 / 8 + 5, 1000 / 10
    assert found.recall.value == pytest.approx(caught / (caught + missed))
    assert found.prevalence.value == pytest.approx((caught + missed) / 1060)
    assert (found.images, found.n) == (1060, 38)


def test_a_block_for_one_category_that_violates_another_is_wrong_for_the_one_and_caught_for_the_other() -> None:
    tally = worked()
    hate, nudity = tally.quality(CODE), tally.quality("NUDITY")
    assert hate.precision.value == pytest.approx(5 / 6)
    assert nudity.precision.value == 0.0
    caught = 40 * 6 / 8 + 2
    assert hate.recall.value == pytest.approx(caught / (caught + 100))
    assert nudity.recall.value == 1.0
    assert nudity.recall.low < 0.1  # three found among people's; ten audits of a thousand approvals say little
    assert tally.categories == {CODE, "NUDITY"}


def test_days_add_up_and_come_back_as_they_were_kept() -> None:
    twice = Tally.over([worked(), Tally.load(worked().dump())])
    assert twice.images["approve"] == 2000
    assert twice.quality().recall.value == pytest.approx(worked().quality().recall.value)
    assert Tally.load(twice.dump()).quality(CODE) == twice.quality(CODE)


def test_what_was_blocked_and_never_audited_leaves_recall_unknown_and_the_miss_rate_known() -> None:
    tally = worked()
    tally.seen["block"] = Sums()
    found = tally.quality()
    assert found.precision.value is None
    assert found.recall.value is None
    assert found.recall.low < found.recall.high
    assert found.miss_rate.value == pytest.approx(0.1)


def test_without_a_block_recall_is_what_people_caught() -> None:
    parts = {"approve": Sums.of([(0.1, False)] * 30), "review": Sums.of([(1.0, True)] * 4)}
    found = Quality.of(parts)
    assert (found.recall.value, found.recall.high) == (1.0, 1.0)
    assert 0 < found.recall.low < 0.2
    assert found.precision.value is None


def test_nothing_at_all_is_nothing_known() -> None:
    found = Quality.of({})
    assert [(figure.value, figure.low, figure.high) for _name, figure in found.figures()] == [(None, 0.0, 1.0)] * 4


def test_a_ratio_whose_parts_are_sure_is_sure() -> None:
    assert ratio(Total(30.0, 30.0, 30.0), Total(60.0, 60.0, 60.0)) == pytest.approx((0.5, 0.5))


def test_a_ratio_is_within_the_ends_over_the_ends() -> None:
    low, high = ratio(Total(10.0, 4.0, 20.0), Total(50.0, 40.0, 61.0))
    assert 4 / 61 < low < 10 / 50 < high < 20 / 40
