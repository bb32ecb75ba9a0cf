"""Publishing the law: to change is to add, and nobody overwrites another unseen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from classifiers.models import ClassifierVersion
from moderation import policies
from moderation.actors import Actor
from moderation.models import AuditEvent, Client, Finding, OutboxMessage, PolicyVersion, Topic, TriagePlan, User
from moderation.policies import Outdated, publish_plan, publish_policy, roll_back
from moderation.routing import PlanError
from moderation.taxonomy import PEOPLE_ONLY, Category, Severity
from tests import world

COMMAND = Actor.command("test")


def wording(**changes: Any) -> dict[str, Any]:
    return {
        "headline": "Our rule.",
        "definition": "Our words.",
        "allowed": ["this"],
        "not_allowed": ["that"],
        "exceptions": "",
        "severity": Severity.S2,
        "actor": COMMAND,
        **changes,
    }


def test_a_new_wording_is_a_new_version_and_the_old_one_stays(guidelines: None, paula: User) -> None:
    first = policies.in_force()[Category.HATE]

    second = publish_policy(Category.HATE, **wording(actor=Actor.person(paula), person=paula, based_on=first.number))

    assert second.number == first.number + 1
    assert policies.in_force()[Category.HATE] == second
    assert PolicyVersion.objects.get(pk=first.pk).headline == first.headline
    event = AuditEvent.objects.order_by("-pk")[0]
    assert (event.actor_label, event.action, event.subject) == ("paula", "policy.published", "policy:HATE")


def test_a_wording_drafted_over_an_older_version_is_refused(guidelines: None) -> None:
    publish_policy(Category.HATE, **wording(based_on=1))

    with pytest.raises(Outdated, match="Version 2"):
        publish_policy(Category.HATE, **wording(based_on=1))

    assert PolicyVersion.objects.filter(category=Category.HATE).count() == 2


def test_a_plan_is_numbered_announced_and_recorded(eyes: TriagePlan) -> None:
    plan = publish_plan(eyes.body, note="Same again.", actor=COMMAND, based_on=1)

    assert (plan.number, TriagePlan.objects.in_force()) == (2, plan)
    assert OutboxMessage.objects.filter(topic=Topic.PLAN_PUBLISHED, payload__number=2).exists()
    event = AuditEvent.objects.get(action="plan.published", subject="plan:2")
    assert (event.data["note"], event.data["replaces"], event.data["body"]) == ("Same again.", 1, eyes.body)


def test_a_plan_drafted_over_an_older_one_is_refused(eyes: TriagePlan) -> None:
    publish_plan(eyes.body, note="", actor=COMMAND, based_on=1)

    with pytest.raises(Outdated, match="Plan 2 is in force"):
        publish_plan(eyes.body, note="", actor=COMMAND, based_on=1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"classifiers": ["nobody@1"]}, "Not registered: nobody@1"),
        ({"bands": {"WEAPONS_DANGEROUS": {"approve": 0.1}}}, "colour-eyes@1 scores PRIVACY, REGULATED"),
        ({"bands": {"UNKNOWN": {"approve": 0.1}}}, "Not in the taxonomy: UNKNOWN"),
    ],
)
def test_a_plan_that_does_not_fit_the_house_is_refused(eyes: TriagePlan, change: dict[str, Any], words: str) -> None:
    with pytest.raises(PlanError, match=words):
        publish_plan({**eyes.body, **change}, note="", actor=COMMAND)

    assert TriagePlan.objects.count() == 1


def test_going_back_is_a_new_plan_with_the_old_words(eyes: TriagePlan, paula: User) -> None:
    looser = {**eyes.body, "audit_rate": 0.5}
    publish_plan(looser, note="Try this.", actor=COMMAND)

    back = roll_back(1, actor=Actor.person(paula), person=paula)

    assert (back.number, back.body, back.note) == (3, eyes.body, "Back to plan 1.")
    assert TriagePlan.objects.count() == 3


def test_there_is_no_going_back_to_a_plan_that_never_was(eyes: TriagePlan) -> None:
    with pytest.raises(TriagePlan.DoesNotExist):
        roll_back(9, actor=COMMAND)


@pytest.mark.parametrize("model", [PolicyVersion, TriagePlan, ClassifierVersion, Finding])
@pytest.mark.parametrize("change", ["UPDATE {} SET id = gen_random_uuid()", "DELETE FROM {}"])
def test_the_database_refuses_to_change_what_is_published(
    eyes: TriagePlan, platform: Client, model: Any, change: str
) -> None:
    world.triaged(platform)
    before = list(model.objects.order_by("pk").values())
    assert before

    with (
        pytest.raises(IntegrityError, match="never changed or removed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change.format(model._meta.db_table))

    assert list(model.objects.order_by("pk").values()) == before


def test_a_published_row_cannot_be_saved_again(eyes: TriagePlan) -> None:
    eyes.note = "Rewritten."

    with pytest.raises(IntegrityError), transaction.atomic():
        eyes.save()


def test_the_plan_in_force_routes_the_next_image(eyes: TriagePlan, platform: Client, tmp_path: Path) -> None:
    strict = {**eyes.body, "bands": {**eyes.body["bands"], "WEAPONS_DANGEROUS": {"approve": 0.0}}}
    publish_plan(strict, note="Look at everything.", actor=COMMAND)

    submission = world.triaged(platform, world.png())

    assert (submission.status, submission.plan) == ("in_review", TriagePlan.objects.in_force())


@pytest.mark.parametrize("category", sorted(PEOPLE_ONLY))
def test_no_plan_lets_a_machine_block_the_gravest_harms(eyes: TriagePlan, category: str) -> None:
    bands = {**world.BANDS, category: {"approve": 0.01, "block": 0.99}}
    with pytest.raises(PlanError, match="only people block"):
        world.publish("colour-eyes@1", bands=bands)
