"""A cap on blocks a day is kept to the image, whoever counts; what comes after it goes to people, and replays so."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, connections, transaction

from moderation.guardrails import caps, choosing, watching
from moderation.guardrails.settings import Guards, UnfitGuards
from moderation.models import Alarm, AuditEvent, BlockTally, Client, OutcomeCount, Submission, TriagePlan, User
from moderation.policies import parsed
from moderation.routing import Context, route
from moderation.triage import work_off
from moderation.triage.replay import evidence_under
from moderation.wording import sentence
from tests import world
from tests.moderation.test_metrics import scraped


def blocked(platform: Client, number: int, *, seed: int = 0) -> list[str]:
    """The routes of so many images that a machine would block."""
    for each in range(number):
        world.submit(platform, world.png(red=0.97, seed=seed + each))
    work_off(rounds=10)
    return sorted(Submission.objects.filter(client=platform).values_list("route", flat=True))


@pytest.mark.parametrize("guards", [Guards(plan_cap=2), Guards(category_cap=2), Guards(client_cap=2)])
def test_what_comes_after_the_last_place_goes_to_people(
    eyes: TriagePlan, platform: Client, paula: User, guards: Guards
) -> None:
    choosing.choose(guards, person=paula)
    assert blocked(platform, 5) == ["block", "block", "review", "review", "review"]

    row = Submission.objects.filter(route="review").earliest("id")
    assert row.reasons[0]["code"] == "capped"
    assert "in a day" in sentence(row.reasons[0])
    assert row.requests.get().reason == "policy"
    assert sum(OutcomeCount.objects.values_list("blocked", flat=True)) == 2


def test_a_route_under_a_cap_replays(eyes: TriagePlan, platform: Client, paula: User) -> None:
    choosing.choose(Guards(plan_cap=1), person=paula)
    blocked(platform, 3)
    rows = list(Submission.objects.order_by("id"))
    plan = parsed(eyes)
    again = [
        route(said, plan, Context.read(row.circumstances)).action
        for said, row in zip(evidence_under(rows, plan), rows, strict=True)
    ]
    assert again == [row.route for row in rows]
    assert sorted(again) == ["block", "review", "review"]


def test_a_category_and_a_client_may_have_caps_of_their_own(
    eyes: TriagePlan, platform: Client, other_platform: Client, paula: User
) -> None:
    choosing.choose(Guards(category_cap=1, caps={"WEAPONS_DANGEROUS": 4, str(other_platform.pk): 1}), person=paula)
    assert blocked(platform, 3) == ["block"] * 3
    assert blocked(other_platform, 2, seed=10) == ["block", "review"]


def test_without_caps_nothing_is_counted(eyes: TriagePlan, platform: Client) -> None:
    assert blocked(platform, 3) == ["block"] * 3
    assert not BlockTally.objects.exists()


def test_what_was_blocked_before_the_cap_was_set_counts(eyes: TriagePlan, platform: Client, paula: User) -> None:
    blocked(platform, 2)
    choosing.choose(Guards(plan_cap=3), person=paula)
    assert blocked(platform, 3, seed=10) == ["block", "block", "block", "review", "review"]


def test_an_alarm_says_that_a_cap_is_reached(eyes: TriagePlan, platform: Client, paula: User) -> None:
    choosing.choose(Guards(plan_cap=2), person=paula)
    blocked(platform, 3)
    watching.look()

    alarm = Alarm.objects.get()
    assert (alarm.scope, alarm.measure, alarm.figures) == ("plan", "cap", {"blocked": 2, "most": 2})


@pytest.mark.django_db(transaction=True)
def test_workers_who_count_at_once_never_block_one_too_many(platform: Client, paula: User) -> None:
    choosing.choose(Guards(plan_cap=100, category_cap=60), person=paula)
    workers, batches = 4, 10
    start = Barrier(workers)

    def work(number: int) -> int:
        allowed = 0
        start.wait(30)
        try:
            for batch in range(batches):
                names = ["HATE", "NUDITY"] if (number + batch) % 2 else ["NUDITY", "HATE"]
                with transaction.atomic():
                    answers = caps.reserve([(name, platform.pk) for name in names * 2], plan=1)
                    if batch % 5 == 4:
                        transaction.set_rollback(True)  # a batch that failed blocks nothing
                    else:
                        allowed += answers.count("")
        finally:
            connections["default"].close()
        return allowed

    with ThreadPoolExecutor(workers) as threads:
        allowed = sum(threads.map(work, range(workers)))

    tallies = {(row.scope, row.key): row.blocked for row in BlockTally.objects.all()}
    assert allowed == tallies["plan", "1"] == 100
    assert tallies["category", "HATE"] + tallies["category", "NUDITY"] == 100
    assert max(tallies["category", "HATE"], tallies["category", "NUDITY"]) <= 60
    connection.close()


class TestSettings:
    def test_a_change_is_on_the_record_with_both_values(self, paula: User) -> None:
        assert choosing.choose(Guards(plan_cap=10), person=paula) is not None
        assert choosing.choose(Guards(plan_cap=10), person=paula) is None
        assert AuditEvent.objects.get(action="guardrails.changed").data["changed"] == {"plan_cap": [0, 10]}
        assert choosing.in_force() == Guards(plan_cap=10)

    @pytest.mark.parametrize(
        "values",
        [
            {"a_month": 0},
            {"a_month": float("nan")},
            {"days": 2},
            {"days": 9.5},
            {"plan_cap": -1},
            {"plan_cap": True},
            {"caps": {"HATE": -1}},
            {"caps": {"HATE": "3"}},
            {"fallback": {"everything"}},
        ],
    )
    def test_nobody_can_make_the_watch_blind(self, values: dict[str, object]) -> None:
        with pytest.raises(UnfitGuards):
            Guards(**values)  # type: ignore[arg-type]

    def test_an_old_edition_stays_readable(self) -> None:
        assert Guards.load({"plan_cap": 5, "gone": 1}) == Guards(plan_cap=5)
        assert Guards.load(Guards(caps={"HATE": 3}, fallback=frozenset({"block"})).dump()).caps == {"HATE": 3}


@pytest.mark.usefixtures("counts_from_zero")
def test_prometheus_hears_what_the_cap_sent_to_people(eyes: TriagePlan, platform: Client, paula: User) -> None:
    choosing.choose(Guards(client_cap=1), person=paula)
    blocked(platform, 3)
    assert scraped()["loupe_guardrail_capped_images_total", ("client",)] == 2
