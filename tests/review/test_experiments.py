"""Two plans compared: on the hours they shared, with what people found in their audits, for who may see it."""

from __future__ import annotations

import csv
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from moderation import rollouts
from moderation.actors import Actor
from moderation.experiments import comparing
from moderation.experiments.comparing import Measured
from moderation.models import Client, OutcomeCount, Reason, ReviewRequest, TriagePlan, User
from moderation.triage import run_once
from review import experiments, queue
from review.decisions import decide
from tests import world
from tests.moderation.guardrails.planting import plant, side_by_side, this_hour

PAGE = "/experiments/"
CALL = "/api/v1/experiments"


def as_person(person: User) -> Browser:
    browser = Browser()
    browser.force_login(person)
    return browser


@pytest.fixture
def plans(eyes: TriagePlan) -> tuple[TriagePlan, TriagePlan]:
    return eyes, world.publish(*eyes.body["classifiers"], audit_rate=1.0)


def measures(first: TriagePlan, second: TriagePlan) -> dict[str, Measured]:
    return {str(one.name): one for one in experiments.compare(first, second).measured}


def test_a_difference_is_told_with_its_interval(plans: tuple[TriagePlan, TriagePlan], platform: Client) -> None:
    side_by_side(platform, blocked=(450, 150), images=5000)
    found = measures(*plans)

    assert (found["block"].first.images, found["block"].first.hits) == (145_000, 29 * 450)  # less the first hour
    assert found["block"].difference.estimate == pytest.approx(-0.06)
    assert found["block"].difference.low < -0.06 < found["block"].difference.high < 0
    assert {name: one.verdict for name, one in found.items()} == {
        "block": "lower",
        "approve": "higher",
        "review": "same",
        "wrong_approval": "open",
        "wrong_block": "open",
    }


def test_plans_that_only_followed_each_other_are_not_compared(
    plans: tuple[TriagePlan, TriagePlan], platform: Client
) -> None:
    for back in range(40, 0, -1):
        plant(platform, this_hour() - timedelta(hours=back), images=100, blocked=9, plan=1 if back > 20 else 2)
    plant(platform, this_hour() - timedelta(hours=20), images=50, blocked=3, plan=1)

    assert comparing.hours_of(1, 2).count == 0


def test_the_hour_in_which_it_ended_is_left_out(plans: tuple[TriagePlan, TriagePlan], platform: Client) -> None:
    side_by_side(platform, blocked=(9, 9), hours=10)
    OutcomeCount.objects.filter(hour=this_hour(), plan=2).delete()

    assert comparing.hours_of(1, 2).until == this_hour() - timedelta(hours=1)


def test_what_people_find_in_audits_counts_for_the_plan_that_was_wrong(
    plans: tuple[TriagePlan, TriagePlan], platform: Client, rita: User, settings: Any
) -> None:
    settings.GOLD_SHARE = 0.0
    side_by_side(platform, blocked=(90, 30))
    for seed, red in enumerate((0.05, 0.06, 0.97)):
        world.triaged(platform, world.png(red=red, seed=seed))
    for _each in range(3):
        (claim,) = queue.claim(rita, queue.GENERAL)
        decide(claim.pk, rita, verdict="block", labels=[{"category": "WEAPONS_DANGEROUS", "severity": 2}])
    assert set(ReviewRequest.objects.values_list("reason", flat=True)) == {Reason.AUDIT_SAMPLE}

    found = measures(*plans)
    assert (found["wrong_approval"].second.images, found["wrong_approval"].second.hits) == (2, 2)
    assert (found["wrong_block"].second.images, found["wrong_block"].second.hits) == (1, 0)
    assert found["wrong_approval"].first.images == 0


def test_the_page_says_when_to_stop_and_gives_the_numbers(
    plans: tuple[TriagePlan, TriagePlan], platform: Client, paula: User, django_assert_max_num_queries: Any
) -> None:
    side_by_side(platform, blocked=(90, 30))
    browser, both = as_person(paula), {"first": "1", "second": "2"}
    browser.get(PAGE, both)
    with django_assert_max_num_queries(15):
        page = browser.get(PAGE, both).text
    assert "Plan 2 beside plan 1" in page
    assert "The intervals are made for looking" in page
    assert "different shares audited" in page
    rows = list(csv.DictReader(browser.get(PAGE, {**both, "csv": ""}).text.splitlines()))
    assert [row["measure"] for row in rows] == list(comparing.MEASURES)
    assert float(rows[0]["difference"]) == pytest.approx(-0.06)


def test_a_rollout_is_compared_with_the_plan_in_force(eyes: TriagePlan, platform: Client, paula: User) -> None:
    rollout = rollouts.begin(eyes.body, 0.5, note="a trial", actor=Actor.person(paula), person=paula, based_on=1)
    for seed in range(12):
        world.submit(platform, world.png(red=0.97, seed=seed))
    run_once()
    assert set(OutcomeCount.objects.values_list("plan", flat=True)) == {1, rollout.candidate.number}
    assert sum(OutcomeCount.objects.values_list("blocked", flat=True)) == 12
    OutcomeCount.objects.all().delete()
    side_by_side(platform, blocked=(90, 30))

    assert "Plan 2 beside plan 1" in as_person(paula).get(PAGE).text


def test_with_nothing_to_compare_it_says_how_to_begin(eyes: TriagePlan, paula: User) -> None:
    assert "start a rollout" in as_person(paula).get(PAGE).text
    assert as_person(paula).get(PAGE, {"first": "1", "second": "99"}).status_code == 200


def test_programs_get_the_same(plans: tuple[TriagePlan, TriagePlan], platform: Client, ari: User) -> None:
    side_by_side(platform, blocked=(90, 30))
    answer = as_person(ari).get(CALL, {"first": 1, "second": 2}).json()
    assert (answer["hours"], answer["confidence"], answer["same_audits"]) == (29, 0.95, False)
    block = answer["measures"][0]
    assert (block["measure"], block["verdict"]) == ("block", "lower")
    assert block["low"] < block["difference"] < block["high"]


@pytest.mark.parametrize("asked", [{}, {"first": "1"}, {"first": "1", "second": "1"}, {"first": "x", "second": "2"}])
def test_a_call_without_two_plans_is_refused(plans: object, paula: User, asked: dict[str, str]) -> None:
    answer = as_person(paula).get(CALL, asked)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("#/")


def test_who_has_no_part_in_policies_sees_nothing(plans: object, eve: User) -> None:
    assert as_person(eve).get(PAGE).status_code == 403
    assert as_person(eve).get(CALL, {"first": 1, "second": 2}).status_code == 403
    assert Browser().get(PAGE).status_code == 302
    assert Browser().get(CALL).status_code == 401
