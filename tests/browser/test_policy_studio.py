"""A change of the law from its first word to its effect, by two people in two browsers."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from moderation.models import Client, PolicyVersion, Reason, ReviewRequest, Status, TriagePlan, User
from moderation.roles import Role
from review import queue
from review.decisions import decide
from review.models import Decision
from tests import world
from tests.browser.axe import violations
from tests.browser.conftest import Opener, Window
from tests.conftest import person
from tests.review.arranging import waiting

WEAPONS = "/policies/WEAPONS_DANGEROUS/"


@pytest.fixture
def decided(settings: Any, transactional_db: None, platform: Client, eyes: TriagePlan, rita: User) -> list[Decision]:
    """Two images that rita approved under version 1."""
    settings.REVIEW_UNDO_SECONDS = 0
    waiting(platform, 2)
    return [decide(claim.pk, rita, verdict="approve") for claim in queue.claim(rita, queue.GENERAL, 2)]


@pytest.mark.timeout(300)
def test_a_guideline_and_a_band_change_and_come_back(
    window: Opener, decided: list[Decision], platform: Client, paula: User
) -> None:
    lead, second = window(), window()
    lead.enter(paula, WEAPONS)
    second.enter(person("pia", Role.POLICY_LEAD), "/policies/proposals/")
    reword(lead, second)
    look_again(lead)
    move_a_band(lead, second, platform)
    go_back(lead, second, platform)
    first, _second, third = PolicyVersion.objects.of("WEAPONS_DANGEROUS").order_by("number")
    assert third.headline == first.headline
    assert {one.policy_id for one in Decision.objects.all()} == {first.pk}


def reword(lead: Window, second: Window) -> None:
    """paula writes, the preview follows, pia approves."""
    page = lead.open(WEAPONS)
    page.get_by_role("link", name="Change", exact=True).click()
    page.get_by_label("Headline").fill("Toy weapons count, too.")
    expect(page.locator("#preview .rule")).to_have_text("Toy weapons count, too.")
    expect(page.locator("#preview ins").first).to_be_visible()
    page.get_by_label("What changes").fill("Toys")
    lead.keep("policy-editor")
    page.get_by_role("button", name="Save and ask for approval").click()
    expect(page.get_by_text("You wrote some of it, so another policy lead answers.")).to_be_visible()

    other = second.open("/policies/proposals/")
    other.get_by_role("link", name="Toys").click()
    expect(other.locator("ins").first).to_be_visible()
    assert violations(other) == []
    second.keep("policy-proposal")
    other.get_by_role("button", name="Approve and publish").click()
    other.get_by_text("Version 2 of Weapons is in force.").wait_for()


def look_again(lead: Window) -> None:
    """Old decisions show the old version; the list of them fills, and one is looked at again."""
    page = lead.page
    page.goto(f"{lead.address}{WEAPONS}")
    page.get_by_role("link", name="2 images to look at again").click()
    expect(page.get_by_role("link", name="version 1")).to_have_count(2)
    lead.keep("policy-older-decisions")
    assert violations(page) == []
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Look again at what is ticked").click()
    page.get_by_text("1 image waits for somebody to look again.").wait_for()
    assert ReviewRequest.objects.filter(reason=Reason.SECOND_OPINION, closed_at__isnull=True).count() == 1


def move_a_band(lead: Window, second: Window, platform: Client) -> None:
    """Simulated before anybody is asked; pia approves, and new images follow it."""
    page, other = lead.page, second.page
    page.goto(f"{lead.address}/policies/plans/draft/")
    page.get_by_label("Approve below, Weapons").fill("0.6")
    page.get_by_role("button", name="Simulate").click()
    expect(page.get_by_role("heading", name="Simulation of a draft")).to_be_visible()
    page.goto(f"{lead.address}/policies/plans/draft/")
    page.get_by_label("Approve below, Weapons").fill("0.6")
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("Weapons: approve below 0.20 → 0.60").wait_for()
    page.get_by_label("Note").fill("Toys are for people of version 2.")
    page.get_by_role("button", name="Ask for approval").click()
    page.get_by_text("A colleague must approve it before it is in force.").wait_for()
    other.goto(f"{second.address}{page.url.removeprefix(lead.address)}")
    other.get_by_role("button", name="Approve and publish").click()
    expect(other.get_by_role("button", name="Approve and publish")).to_have_count(0)
    current = TriagePlan.objects.in_force()
    assert current is not None
    assert (current.number, current.body["bands"]["WEAPONS_DANGEROUS"]["approve"]) == (2, 0.6)
    assert world.triaged(platform, world.png(red=0.5, seed=77)).status == Status.APPROVED


def go_back(lead: Window, second: Window, platform: Client) -> None:
    """The plan at once, the guideline by two."""
    page, other = lead.page, second.page
    page.goto(f"{lead.address}/policies/plans/1/")
    page.get_by_text("Roll back to plan 1…").click()
    page.get_by_role("button", name="Yes, publish what plan 1 says").click()
    page.get_by_text("Plan 3 is in force: what plan 1 said.").wait_for()
    assert world.triaged(platform, world.png(red=0.5, seed=78)).status == Status.IN_REVIEW
    page.goto(f"{lead.address}{WEAPONS}?version=1")
    page.get_by_text("Go back to version 1…").click()
    page.get_by_role("button", name="Yes, ask a second person for it").click()
    other.goto(f"{second.address}{page.url.removeprefix(lead.address)}")
    other.get_by_role("button", name="Approve and publish").click()
    other.get_by_text("Version 3 of Weapons is in force.").wait_for()
