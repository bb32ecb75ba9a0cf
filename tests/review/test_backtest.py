"""A simulated plan against what people said, by API, by command and as figures."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from moderation.models import Client, Reason, Submission, TriagePlan, User
from moderation.policies import parsed
from moderation.simulation.comparison import compare
from review import queue
from review.backtest import backtest, estimate
from review.decisions import decide
from review.effects import apply_due
from review.models import Claim, Decision
from review.service_times import service_times
from tests import world
from tests.moderation.callers import stranger, with_key, with_session
from tests.review.arranging import sampled, waiting

SIMULATE = "/api/v1/plans/{}/simulate"
BLOCK = {"verdict": "block", "labels": [{"category": "WEAPONS_DANGEROUS", "severity": 2}]}


def looser(plan: TriagePlan) -> dict[str, Any]:
    """Mid-red images are approved, and full red still blocked."""
    return {**plan.body, "bands": {**plan.body["bands"], "WEAPONS_DANGEROUS": {"approve": 0.6, "block": 0.9}}}


@pytest.fixture
def judged(eyes: TriagePlan, platform: Client, rita: User, settings: Any) -> TriagePlan:
    """Four mid-red images wait for people, who block one and approve three."""
    settings.REVIEW_UNDO_SECONDS = 0
    waiting(platform, 4)
    for number, claim in enumerate(queue.claim(rita, queue.GENERAL, 4)):
        said: dict[str, Any] = BLOCK if number == 0 else {"verdict": "approve"}
        decide(claim.pk, rita, **said)
    apply_due()
    return eyes


def test_what_people_said_tells_how_often_a_draft_would_be_wrong(judged: TriagePlan) -> None:
    plan = parsed(judged)
    draft = type(plan).from_body(looser(judged), number=0)

    found = backtest(compare(plan, draft))

    assert found.labels == 4
    assert found.before.missed.value is None
    assert (found.after.missed.value, found.after.missed.labels) == (0.25, 4)
    assert found.after.missed.low < 0.25 < found.after.missed.high
    assert found.after.recall.value == 0.0


def test_each_label_weighs_what_its_chance_leaves_unseen() -> None:
    found = estimate(np.array([True, False]), np.array([1.0, 9.0]))

    assert found.value == 0.1
    assert found.effective == pytest.approx(100 / 82)


def answered(platform: Client, person: User, count: int, *, seconds: float) -> float:
    """That many images are approved in one sitting, begun so long ago; how many seconds it took, exactly."""
    waiting(platform, count)
    claims = [one for _each in range(0, count, 10) for one in queue.claim(person, queue.GENERAL, min(count, 10))]
    begun = claims[0].claimed_at - timedelta(seconds=seconds)
    Claim.objects.filter(pk__in=[one.pk for one in claims]).update(claimed_at=begun)
    for claim in claims:
        decide(claim.pk, person, verdict="approve")
    return (Decision.objects.latest("pk").decided_at - begun).total_seconds()


def test_hours_follow_the_measured_time_of_an_answer(eyes: TriagePlan, platform: Client, rita: User) -> None:
    taken = answered(platform, rita, 20, seconds=60)
    plan = parsed(eyes)

    hours = backtest(compare(plan, type(plan).from_body(looser(eyes), number=0))).hours

    assert hours.decisions == 20
    assert hours.seconds == pytest.approx(taken / 20)
    assert hours.before == pytest.approx(taken / 3600)
    assert hours.after == 0


def test_no_hours_are_told_of_few_answers(judged: TriagePlan) -> None:
    hours = backtest(compare(parsed(judged), parsed(judged))).hours

    assert (hours.before, hours.after, hours.seconds, hours.decisions) == (None, None, None, 4)


def test_a_programs_pace_is_no_service_time_and_neither_is_a_break(
    eyes: TriagePlan, platform: Client, rita: User, sam: User
) -> None:
    answered(platform, rita, 20, seconds=0)
    assert (service_times().answers, service_times().seconds) == (20, None)

    answered(platform, sam, 1, seconds=3600)
    assert (service_times().answers, service_times().seconds) == (20, None)


def test_a_category_with_few_answers_takes_as_long_as_all(eyes: TriagePlan, platform: Client, rita: User) -> None:
    taken = answered(platform, rita, 20, seconds=60)

    times = service_times()

    assert times.of("WEAPONS_DANGEROUS") == pytest.approx(taken / 20)
    assert times.of("HATE") == times.seconds


def test_reports_and_appeals_are_no_labels(judged: TriagePlan, platform: Client, rita: User) -> None:
    request = sampled(platform, judged, world.png(red=0.05))
    assert request.reason == Reason.AUDIT_SAMPLE
    (claim,) = queue.claim(rita, request.queue)
    decide(claim.pk, rita, verdict="approve")
    apply_due()
    plan = parsed(judged)
    before = backtest(compare(plan, plan)).labels

    type(request).objects.filter(pk=request.pk).update(reason=Reason.REPORT)

    assert (before, backtest(compare(plan, plan)).labels) == (5, 4)


def test_the_api_simulates_a_draft_against_the_plan_in_force(judged: TriagePlan, paula: User) -> None:
    answer = with_session(paula).post(SIMULATE.format("draft"), {"plan": looser(judged)}, format="json")

    assert answer.status_code == 200, answer.json()
    said = answer.json()
    assert (said["against"], said["images"], said["moved"]) == (1, 4, 4)
    assert said["routes"]["approve"] == {"before": 0, "after": 4}
    assert said["people"]["after"]["missed"]["value"] == 0.25


def test_the_api_simulates_a_published_plan_by_its_number(judged: TriagePlan, paula: User) -> None:
    answer = with_session(paula).post(SIMULATE.format(1), {}, format="json")

    assert answer.json()["moved"] == 0


@pytest.mark.parametrize(
    ("which", "body", "status"),
    [
        ("7", {}, 404),
        ("no-plan", {}, 404),
        ("draft", {}, 422),
        ("draft", {"plan": {"bands": {}}}, 422),
        ("draft", {"plan": {"bands": {"HATE": 3}}}, 422),
        ("1", {"last": 0}, 422),
        ("1", {"last": "many"}, 422),
    ],
)
def test_the_api_says_what_is_wrong(judged: TriagePlan, paula: User, which: str, body: Any, status: int) -> None:
    answer = with_session(paula).post(SIMULATE.format(which), body, format="json")

    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")


def test_the_api_is_for_those_who_read_plans(eyes: TriagePlan, eve: User, api_key: str) -> None:
    assert with_session(eve).post(SIMULATE.format(1), {}, format="json").status_code == 403
    assert with_key(api_key).post(SIMULATE.format(1), {}, format="json").status_code == 403
    assert stranger().post(SIMULATE.format(1), {}, format="json").status_code == 401


def test_the_command_simulates_a_file(judged: TriagePlan, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(looser(judged)))
    told, counted = StringIO(), StringIO()

    call_command("simulate", "--plan", str(file), stdout=told)
    call_command("simulate", "--plan", str(file), "--json", stdout=counted)

    assert "4 images against plan 1; 4 go elsewhere." in told.getvalue()
    assert "missed violations, of approved: no labels → 25.00 %" in told.getvalue()
    assert json.loads(counted.getvalue())["moves"] == [{"from": "review", "to": "approve", "images": 4}]
    assert Submission.objects.filter(status="approved").count() == 3


@pytest.mark.parametrize(("text", "code"), [("not json", 2), ('{"bands": {}}', 1), ("[]", 2), (None, 2)])
def test_the_command_refuses_what_is_no_plan(eyes: TriagePlan, tmp_path: Path, text: str | None, code: int) -> None:
    file = tmp_path / "plan.json"
    if text is not None:
        file.write_text(text)

    with pytest.raises(CommandError) as refused:
        call_command("simulate", "--plan", str(file))

    assert refused.value.returncode == code
