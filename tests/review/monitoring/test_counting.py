"""A day's counts: what came in, what people saw of it by lot, and when it is counted anew."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from moderation.models import Client, Reason, ReviewRequest, Submission, TriagePlan, User
from review import queue
from review.decisions import decide
from review.models import AuditTally
from review.monitoring import counting, weekly
from tests import world
from tests.review.arranging import another
from tests.review.auditing import BLOCK, CODE, audited


@pytest.fixture(autouse=True)
def no_gold(settings: Any) -> None:
    settings.GOLD_SHARE = 0.0


@pytest.fixture
def all_audited(eyes: TriagePlan) -> TriagePlan:
    return world.publish(*eyes.body["classifiers"], audit_rate=1.0)


def course(category: str = "", group: str = "") -> weekly.Course:
    counting.count()
    return weekly.course(today=timezone.now().date(), weeks=2, category=category, group=group)


def test_figures_are_of_what_came_in_and_what_people_found(
    all_audited: TriagePlan, platform: Client, rita: User
) -> None:
    """Of five approved one violates; of three blocked two do; of four sent to people two do."""
    audited(platform, rita, [0.05, 0.06, 0.07, 0.08])
    audited(platform, rita, [0.09], violating=0.0)
    audited(platform, rita, [0.93, 0.96, 0.97], violating=0.95)
    audited(platform, rita, [0.3, 0.4, 0.6, 0.7], violating=0.5)

    week = course(CODE).weeks[-1]

    assert week.quality.precision.value == pytest.approx(2 / 3)
    assert week.quality.miss_rate.value == pytest.approx(1 / 5)
    assert week.quality.recall.value == pytest.approx(4 / 5)
    assert week.quality.prevalence.value == pytest.approx(5 / 12)
    assert (week.quality.images, week.quality.n, week.waiting, week.unlotted) == (12, 12, 0, 0)
    assert not week.provisional


def test_an_audit_weighs_what_its_stored_chance_says(eyes: TriagePlan, platform: Client, rita: User) -> None:
    world.publish(*eyes.body["classifiers"], audit_rate=0.5)
    audited(platform, rita, [0.1] * 12, violating=0.0)
    drawn = ReviewRequest.objects.filter(reason=Reason.AUDIT_SAMPLE).count()

    found = course()

    assert 0 < drawn < 12
    assert found.whole.seen["approve"].n == drawn
    assert found.whole.seen["approve"].w == 2 * drawn
    assert found.weeks[-1].quality.images == 12
    assert found.weeks[-1].quality.miss_rate.value == 1.0
    assert found.weeks[-1].quality.prevalence.value == 1.0


def test_what_nobody_has_answered_yet_is_told_and_makes_the_week_provisional(
    all_audited: TriagePlan, platform: Client, rita: User
) -> None:
    audited(platform, rita, [0.1, 0.1])
    world.triaged(platform, world.png(red=0.5, seed=77))

    week = course().weeks[-1]

    assert (week.waiting, week.quality.n, week.quality.images) == (1, 2, 3)
    assert week.provisional


def test_images_that_no_lot_could_bring_up_are_not_spoken_for(eyes: TriagePlan, platform: Client, rita: User) -> None:
    world.triaged(platform, world.png(red=0.1))
    found = course()
    assert (found.unlotted, found.weeks[-1].quality.images) == (1, 0)


def test_a_report_brings_nothing_in_and_corrects_what_is_in(
    all_audited: TriagePlan, platform: Client, rita: User, sam: User
) -> None:
    (one,) = audited(platform, rita, [0.1])
    world.publish(*all_audited.body["classifiers"], audit_rate=0.000001)
    (never_drawn,) = audited(platform, rita, [0.1])
    assert course().whole.hits == {}
    for submission in (one, never_drawn):
        another(ReviewRequest(submission=submission, queue=queue.GENERAL), Reason.REPORT)
        (claim,) = queue.claim(sam, queue.GENERAL, 1)
        decide(claim.pk, sam, **BLOCK)

    found = course().whole

    assert found.seen["approve"].n == 1
    assert {key: sums.hits for key, sums in found.hits.items()} == {("", "approve"): 1, (CODE, "approve"): 1}


def test_a_draw_to_learn_from_answers_for_an_image_in_review_and_for_no_other(
    eyes: TriagePlan, platform: Client, rita: User
) -> None:
    world.publish(*eyes.body["classifiers"], audit_rate=0.000001)
    for red in (0.1, 0.5):  # approved, and sent to people
        submission = world.triaged(platform, world.png(red=red))
        ReviewRequest.objects.filter(submission=submission).update(closed_at=timezone.now())
        another(ReviewRequest(submission=submission, queue=queue.GENERAL), Reason.LEARNING)
        (claim,) = queue.claim(rita, queue.GENERAL, 1)
        decide(claim.pk, rita, **BLOCK)

    found = course()

    assert {part: sums.n for part, sums in found.whole.seen.items()} == {"review": 1}
    assert (found.waiting, found.whole.quality().miss_rate.value) == (0, None)


def test_clients_and_generators_have_rows_of_their_own(
    all_audited: TriagePlan, platform: Client, other_platform: Client, rita: User
) -> None:
    audited(platform, rita, [0.1, 0.1], generator={"name": "brush", "version": "2"})
    audited(other_platform, rita, [0.1], violating=0.0)

    counting.count()
    today = timezone.now().date()
    clients = dict(weekly.by_group(today=today, weeks=1, kind="client", most=9))
    generators = dict(weekly.by_group(today=today, weeks=1, kind="generator", most=9))

    assert {key: found.images for key, found in clients.items()} == {str(platform.pk): 2, str(other_platform.pk): 1}
    assert clients[str(other_platform.pk)].miss_rate.value == 1.0
    assert {name: (found.images, found.miss_rate.value) for name, found in generators.items()} == {"brush": (2, 0.0)}


def test_an_old_day_is_counted_anew_when_its_images_are_judged(
    all_audited: TriagePlan, platform: Client, rita: User
) -> None:
    """An image of last month, answered today."""
    submission = world.triaged(platform, world.png(red=0.1))
    day = counting.day_of(submission.pk)
    assert day == timezone.now().date()
    later = timezone.now() + timedelta(days=40)
    AuditTally.objects.create(day=later.date(), group="", counts={"images": {}, "own": {}, "seen": {}, "hits": {}})
    assert day not in counting.stale(later)
    (claim,) = queue.claim(rita, queue.GENERAL, 1)
    decide(claim.pk, rita, verdict="approve")

    assert day in counting.stale(timezone.now())


def test_counting_costs_two_queries_a_day(
    all_audited: TriagePlan, platform: Client, rita: User, django_assert_max_num_queries: Any
) -> None:
    audited(platform, rita, [0.1, 0.5, 0.97])
    today = timezone.now().date()
    counting.count_day(today)
    with django_assert_max_num_queries(7):  # a lock, two to read, one to clear, one to write, and the savepoint
        counting.count_day(today)
    assert Submission.objects.count() == 3
