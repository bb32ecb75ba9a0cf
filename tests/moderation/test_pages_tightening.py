"""Conditional rules of a plan, and what to do when a classifier fails: drafted, previewed, published, read."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser

from moderation import policies, simulation
from moderation.actors import Actor
from moderation.models import Client, TriagePlan, User
from moderation.policies import parsed
from moderation.triage import run_once
from tests import world
from tests.moderation.test_pages_plans import DRAFT, draft

RULE = {"when": "REGULATED", "above": 0.5, "category": "PRIVACY", "by": 0.1}
LINE = {"when_0": "REGULATED", "above_0": "0.5", "category_0": "PRIVACY", "by_0": "0.1"}


@pytest.fixture(autouse=True)
def one_person(settings: Any) -> None:
    settings.SECOND_APPROVER = False


@pytest.fixture
def browser(client: Browser, paula: User) -> Browser:
    client.force_login(paula)
    return client


@pytest.fixture
def tightened(eyes: TriagePlan) -> TriagePlan:
    body = {**eyes.body, "tightening": [RULE], "on_error": "wait"}
    return policies.publish_plan(body, note="Care.", actor=Actor.command("test"))


def in_force() -> dict[str, Any]:
    plan = TriagePlan.objects.in_force()
    assert plan is not None
    return plan.body


def test_a_rule_that_was_filled_in_is_published(browser: Browser, eyes: TriagePlan) -> None:
    browser.post(DRAFT, draft(eyes, **LINE, on_error="wait"))

    assert (in_force()["tightening"], in_force()["on_error"]) == ([RULE], "wait")


def test_a_draft_starts_with_the_rules_in_force_and_an_empty_line(browser: Browser, tightened: TriagePlan) -> None:
    form = browser.get(DRAFT).context["form"]

    assert [row.when.value() for row in form.tightening_rows()] == ["REGULATED", None]
    assert form["on_error"].value() == "wait"


def test_one_left_alone_stays(browser: Browser, tightened: TriagePlan) -> None:
    browser.post(DRAFT, draft(tightened))

    assert (in_force()["tightening"], in_force()["on_error"]) == ([RULE], "wait")


@pytest.mark.parametrize("change", [{"remove_0": "on"}, {"when_0": ""}])
def test_one_marked_or_emptied_is_removed(browser: Browser, tightened: TriagePlan, change: dict[str, str]) -> None:
    browser.post(DRAFT, draft(tightened, **change))

    assert in_force()["tightening"] == []


def test_a_full_form_offers_one_more_line(browser: Browser, tightened: TriagePlan) -> None:
    answer = browser.post(DRAFT, draft(tightened, action="preview"))

    assert len(list(answer.context["form"].tightening_rows())) == 2


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"by_0": ""}, "by_0", "Fill in the whole line"),
        ({"by_0": "0"}, "by_0", "greater than or equal to 0.001"),
        ({"above_0": "1.5"}, "above_0", "less than or equal to 1"),
        ({"category_0": "HATE"}, "category_0", "Hate has no cuts in this plan."),
        ({"when_0": "NOT_A_CODE"}, "when_0", "Select a valid choice"),
        ({"on_error": "approve"}, "on_error", "Select a valid choice"),
    ],
)
def test_what_cannot_be_followed_is_said_beside_its_line(
    browser: Browser, eyes: TriagePlan, change: dict[str, str], field: str, words: str
) -> None:
    answer = browser.post(DRAFT, draft(eyes, **{**LINE, **change}))

    assert words in str(answer.context["form"].errors[field])
    assert words in answer.content.decode()
    assert TriagePlan.objects.count() == 1


def test_a_preview_says_what_comes_and_goes_and_where_images_go_then(
    browser: Browser, tightened: TriagePlan, platform: Client
) -> None:
    world.submit(platform, world.png(green=0.6, blue=0.15))
    world.submit(platform, world.png(red=0.3, blue=0.15))
    world.submit(platform, world.png(red=0.1, blue=0.15))
    run_once()
    sent = draft(tightened, when_0="WEAPONS_DANGEROUS", above_0="0.05", on_error="review", action="preview")

    answer = browser.post(DRAFT, sent)

    page = answer.content.decode()
    assert "gone: where Regulated goods scores above 0.50, the cuts of Privacy are 0.10 lower" in page
    assert "new: where Weapons scores above 0.05, the cuts of Privacy are 0.10 lower" in page
    assert "an image that a classifier failed on goes to a person" in page
    assert answer.context["effect"].moves == {("approve", "review"): 1}


def test_the_plan_page_says_it_in_words(browser: Browser, tightened: TriagePlan) -> None:
    page = browser.get("/policies/plans/").content.decode()

    assert "Where Regulated goods scores above 0.50, the cuts of Privacy are 0.10 lower." in page
    assert "An image that a classifier failed on waits until it answers." in page


def test_a_plan_published_meanwhile_shows_its_rules(browser: Browser, eyes: TriagePlan) -> None:
    mine = draft(eyes)
    policies.publish_plan({**eyes.body, "tightening": [RULE]}, note="", actor=Actor.command("test"))

    answer = browser.post(DRAFT, mine)

    assert answer.status_code == 409
    assert "new: where Regulated goods scores above" in answer.content.decode()


def test_the_same_rules_are_no_change(tightened: TriagePlan) -> None:
    assert simulation.tightening_changes(parsed(tightened), parsed(tightened)) == []
