"""What the worker counts of a day, and what the pages make of the sums."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from moderation.models import Client, Reason, Submission, TriagePlan, User
from moderation.roles import Role
from review import effects, queue
from review.decisions import decide
from review.models import Measure, QualityRollup
from review.quality import figures, gold, krippendorff_alpha, rollups
from review.quality.figures import Period
from review.tasks import roll_up_quality
from tests import world
from tests.conftest import person
from tests.review.arranging import another, sampled, waiting

WEAPON = {"category": "WEAPONS_DANGEROUS", "severity": 2}
BLOCK: dict[str, Any] = {"verdict": "block", "labels": [WEAPON]}
APPROVE: dict[str, Any] = {"verdict": "approve"}
CODE = "WEAPONS_DANGEROUS"


@pytest.fixture(autouse=True)
def no_gold(settings: Any) -> None:
    settings.GOLD_SHARE = 0.0


@pytest.fixture
def tom(db: None) -> User:
    return person("tom", Role.MODERATOR)


@pytest.fixture
def careful(eyes: TriagePlan) -> TriagePlan:
    return world.publish(*eyes.body["classifiers"], consensus={CODE: 2})


def voted(platform: Client, rita: User, tom: User, one: dict[str, Any], other: dict[str, Any]) -> Submission:
    """An image that both judged."""
    (request,) = waiting(platform, 1, red=0.3 + 0.01 * Submission.objects.count())
    for reviewer, said in ((rita, one), (tom, other)):
        (claim,) = queue.claim(reviewer, queue.GENERAL)
        assert claim.request_id == request.pk
        decide(claim.pk, reviewer, **said)
    return request.submission


def counted(measure: Measure, category: str = "", who: User | None = None) -> dict[str, Any]:
    row = QualityRollup.objects.filter(measure=measure, category=category, person=who).first()
    return dict(row.counts) if row else {}


def this_month() -> Period:
    return Period.last(28, today=timezone.now().date())


def test_votes_on_one_image_are_counted_by_category(
    careful: TriagePlan, platform: Client, rita: User, tom: User
) -> None:
    voted(platform, rita, tom, BLOCK, BLOCK)
    apart = voted(platform, rita, tom, BLOCK, APPROVE)
    rollups.roll_up()
    assert counted(Measure.VOTES, CODE) == counted(Measure.VOTES) == {"2 2": 1, "0 2": 1}
    row = QualityRollup.objects.get(measure=Measure.VOTES, category=CODE)
    assert row.examples == [str(apart.pk)]
    found = {one.category: one for one in figures.agreement(this_month().rows(Measure.VOTES))}
    assert found[CODE].alpha == krippendorff_alpha([[1, 1], [1, 0]])
    assert found[CODE].units == 2
    assert found[CODE].positive == pytest.approx(2 / 3)


def test_counting_again_counts_nothing_twice(careful: TriagePlan, platform: Client, rita: User, tom: User) -> None:
    voted(platform, rita, tom, BLOCK, BLOCK)
    assert roll_up_quality() == roll_up_quality()
    assert counted(Measure.VOTES) == {"2 2": 1}


def test_what_was_taken_back_counts_no_more(
    careful: TriagePlan, platform: Client, rita: User, tom: User, settings: Any
) -> None:
    settings.REVIEW_UNDO_SECONDS = 3600
    waiting(platform, 1)
    (claim,) = queue.claim(rita, queue.GENERAL)
    decision = decide(claim.pk, rita, **BLOCK)
    effects.undo(decision.pk, rita)
    rollups.roll_up()
    assert not QualityRollup.objects.exists()


def test_who_adjudicates_is_no_independent_vote(
    careful: TriagePlan, platform: Client, rita: User, tom: User, sam: User
) -> None:
    voted(platform, rita, tom, BLOCK, APPROVE)
    (claim,) = queue.claim(sam, queue.ESCALATED)
    decide(claim.pk, sam, **BLOCK)
    rollups.roll_up()
    assert counted(Measure.VOTES) == {"0 2": 1}
    assert counted(Measure.ADJUDICATED) == {"n": 1, "block": 1}
    assert counted(Measure.REFERENCE, who=rita) == {"tp": 1}
    assert counted(Measure.REFERENCE, who=tom) == {"fn": 1}
    assert figures.adjudicated(this_month().rows(Measure.ADJUDICATED)) == [("", 1, 1), (CODE, 1, 1)]


def test_gold_answers_are_scored_for_the_person_and_the_category(
    eyes: TriagePlan, platform: Client, rita: User, sam: User, settings: Any
) -> None:
    gold.add(world.triaged(platform, world.png()), sam, verdict="approve", labels=[], category=CODE, why="A wall.")
    waiting(platform, 1)
    settings.GOLD_SHARE = 1.0
    (claim,) = queue.claim(rita, queue.GENERAL)
    decide(claim.pk, rita, **BLOCK)
    rollups.roll_up()
    assert counted(Measure.GOLD, CODE, rita) == counted(Measure.GOLD, CODE) == {"fp": 1}
    assert not QualityRollup.objects.filter(measure=Measure.VOTES).exists()
    (skill,) = figures.skills(this_month().rows(Measure.GOLD), {rita.pk: rita})
    assert (skill.specificity.hits, skill.specificity.trials, skill.sensitivity.trials) == (0, 1, 0)
    covered = {one.category: one for one in figures.coverage(this_month().rows(Measure.GOLD))}
    assert (covered[CODE].harmless, covered[CODE].harmful, covered[CODE].missed) == (1, 0, 1)


def test_audit_samples_weigh_what_their_lot_was_worth(
    eyes: TriagePlan, platform: Client, rita: User, sam: User
) -> None:
    for index, (said, chance) in enumerate([(BLOCK, 0.1), (APPROVE, 0.5), (APPROVE, 0.5)]):
        request = sampled(platform, eyes, world.png(seed=index))
        Submission.objects.filter(pk=request.submission_id).update(inclusion_probability=chance)
        (claim,) = queue.claim(rita, queue.GENERAL)
        decide(claim.pk, rita, **said)
    rollups.roll_up()
    (error,) = [one for one in figures.automation(this_month().rows(Measure.AUTOMATION)) if not one.category]
    assert (error.route, error.raw.part, error.raw.of) == ("approve", 1, 3)
    assert error.rate == pytest.approx(10 / (10 + 2 + 2))
    assert 0 < error.low < 10 / 14 < error.high < 1


def test_what_another_person_settled_anew_is_overturned(
    eyes: TriagePlan, platform: Client, rita: User, sam: User
) -> None:
    (request,) = waiting(platform, 1)
    (claim,) = queue.claim(rita, queue.GENERAL)
    decide(claim.pk, rita, **BLOCK)
    another(request, Reason.APPEAL)
    (claim,) = queue.claim(sam, queue.GENERAL)
    decide(claim.pk, sam, **APPROVE)
    rollups.roll_up()
    found = dict(figures.overturned(this_month().rows(Measure.OVERTURNED)))
    assert {code: (share.part, share.of) for code, share in found.items()} == {"": (1, 1), CODE: (1, 1)}


def test_dawid_and_skenes_estimate_is_kept_for_each(
    careful: TriagePlan, platform: Client, rita: User, tom: User
) -> None:
    for said in (BLOCK, BLOCK, APPROVE):
        voted(platform, rita, tom, said, said)
    rollups.roll_up()
    kept = counted(Measure.SKILL, who=rita)
    assert kept["votes"] == 3
    assert 0.5 < kept["sensitivity"] < 1.0
    assert 0.5 < kept["specificity"] < 1.0


def test_reading_a_month_costs_one_query(
    careful: TriagePlan, platform: Client, rita: User, tom: User, django_assert_num_queries: Any
) -> None:
    voted(platform, rita, tom, BLOCK, BLOCK)
    rollups.roll_up()
    with django_assert_num_queries(1):
        figures.agreement(this_month().rows(Measure.VOTES))


def test_weeks_begin_on_mondays_and_miss_none() -> None:
    period = Period(date(2026, 11, 1), date(2026, 11, 20))
    rows = [QualityRollup(day=date(2026, 11, 4), measure=Measure.VOTES, counts={"0 2": 1, "2 2": 1, "0 0": 2})]
    found = figures.weeks(rows, "", period)
    assert [week.start for week in found] == [date(2026, 10, 26) + timedelta(days=7 * n) for n in range(4)]
    assert [week.units for week in found] == [0, 4, 0, 0]
    assert found[1].alpha == krippendorff_alpha([[0, 1, 0, 0], [1, 1, 0, 0]])


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30), st.integers(1, 4))
def test_days_add_up_to_the_month(pairs: list[tuple[int, int]], days: int) -> None:
    """α of the sums of days is α of all images at once."""
    rows = []
    for day in range(days):
        counts = Counter(" ".join(map(str, sorted(pair))) for pair in pairs[day::days])
        rows.append(QualityRollup(day=date(2026, 11, 1 + day), measure=Measure.VOTES, counts=dict(counts)))
    (found,) = figures.agreement(rows)
    table = [[int(one > 0) for one, _ in pairs], [int(other > 0) for _, other in pairs]]
    assert found.units == len(pairs)
    assert found.alpha == (pytest.approx(krippendorff_alpha(table)) if krippendorff_alpha(table) is not None else None)
    severities = krippendorff_alpha([[one for one, _ in pairs], [other for _, other in pairs]], "ordinal")
    assert found.ordinal == (pytest.approx(severities) if severities is not None else None)
