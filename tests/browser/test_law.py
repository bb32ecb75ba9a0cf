"""The law in a real browser: a plan is drafted, previewed, published and taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from moderation.actors import Actor
from moderation.first_edition import publish_plan_one
from moderation.models import Client, TriagePlan, User
from moderation.triage import run_once
from tests import world
from tests.browser.axe import violations
from tests.browser.conftest import NARROW, Opener


@pytest.fixture
def law(transactional_db: None, guidelines: None, tmp_path: Path, platform: Client) -> TriagePlan:
    """The first edition in force over a real classifier, and ten triaged images."""
    plan = publish_plan_one([world.colour_eyes(tmp_path).ref], actor=Actor.command("test"), audit_rate=0.05)
    for tenth in range(10):
        world.submit(platform, world.png(red=(tenth + 0.5) / 10, size=32))
    run_once()
    return plan


def test_a_plan_is_drafted_previewed_and_published(window: Opener, law: TriagePlan, paula: User, settings: Any) -> None:
    settings.SECOND_APPROVER = False
    mine = window(size=NARROW)
    page = mine.enter(paula, "/policies/plans/")
    page.get_by_role("link", name="Draft the next plan").click()
    page.get_by_label("Approve below, Weapons").fill("0.40")
    rail = page.locator("tr[data-band]", has_text="Weapons").locator(".zone-ok")
    expect(rail).to_have_attribute("width", "40.00%")

    page.get_by_role("button", name="Preview").click()
    page.get_by_text("Weapons: approve below 0.15 → 0.40").wait_for()
    page.get_by_text("2 of the last 10 images go elsewhere").wait_for()
    assert violations(page) == []
    mine.keep("plan-preview")
    page.get_by_label("Note").fill("Toys need no second look.")
    page.get_by_role("button", name="Publish").click()

    page.get_by_text("Plan 2 is in force.").wait_for()
    plan = TriagePlan.objects.get(number=2)
    assert plan.body["bands"]["WEAPONS_DANGEROUS"] == {"approve": 0.4, "block": 0.93}
    assert (plan.note, plan.published_by) == ("Toys need no second look.", paula)


def test_a_roll_back_asks_once_more(window: Opener, law: TriagePlan, paula: User, settings: Any) -> None:
    settings.SECOND_APPROVER = False
    page = window().enter(paula, "/policies/plans/draft/")
    page.get_by_label("Note").fill("Same again.")
    page.get_by_role("button", name="Publish").click()
    page.get_by_role("link", name="1 First edition.").click()

    page.get_by_text("Roll back to plan 1…").click()
    assert TriagePlan.objects.count() == 2
    page.get_by_role("button", name="Yes, publish what plan 1 says").click()

    page.get_by_text("Plan 3 is in force: what plan 1 said.").wait_for()
