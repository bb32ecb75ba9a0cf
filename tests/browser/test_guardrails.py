"""The guardrails' page in Chromium: an alarm is seen from any page, looked at, and closed."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from moderation.guardrails import choosing, watching
from moderation.guardrails.settings import Guards
from moderation.models import Client, TriagePlan, User
from tests import world
from tests.browser.conftest import NARROW, Opener
from tests.browser.test_pages import in_both_themes, wider_than_window
from tests.moderation.guardrails.planting import calm, plant, side_by_side, this_hour

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def rung(platform: Client, paula: User, transactional_db: None) -> None:
    """A client of which far too much is blocked, with the house stopping it."""
    choosing.choose(Guards(fallback=frozenset({"block"}), plan_cap=200), person=paula)
    calm(platform)
    plant(platform, this_hour(), images=300, blocked=100)
    watching.look()


def test_an_alarm_is_seen_looked_at_and_closed(window: Opener, rung: None, paula: User) -> None:
    mine = window()
    page = mine.enter(paula, "/policies/")
    page.get_by_role("link", name="1 alarm").click()
    expect(page.get_by_text("Plan 1: machines block 33.3 % of 300 images").first).to_be_visible()
    assert in_both_themes(mine, "guardrails-rung") == []
    alarm = page.locator(".alarms > li").filter(has_text="Plan 1: machines block")
    alarm.get_by_text("7 more alarms of the same hours").click()
    expect(alarm.get_by_text("Client Atelier: machines block").first).to_be_visible()
    alarm.get_by_text("Close…").click()
    alarm.get_by_label("What you found").fill("A head that was trained on the wrong labels.")
    assert in_both_themes(mine, "guardrails-closing") == []
    alarm.get_by_role("button", name="Close those ticked").click()
    expect(page.get_by_text("What the house stopped stays")).to_be_visible()
    expect(page.get_by_role("link", name="1 alarm")).to_have_count(0)


def test_two_plans_are_compared(window: Opener, eyes: TriagePlan, platform: Client, paula: User) -> None:
    world.publish("colour-eyes@1", audit_rate=0.05)
    side_by_side(platform, blocked=(90, 30))
    mine = window()
    page = mine.enter(paula, "/experiments/?first=1&second=2")
    expect(page.get_by_role("row", name="Blocked by machine")).to_contain_text("lower")
    assert in_both_themes(mine, "experiments") == []


@pytest.mark.parametrize("size", [NARROW, PHONE], ids=["1024x768", "390x844"])
def test_it_fits_a_small_window(window: Opener, rung: None, paula: User, size: dict[str, int]) -> None:
    mine = window(size=size)
    for path in ("/policies/guardrails/", "/policies/guardrails/settings/"):
        page = mine.enter(paula, path)
        mine.keep(f"{path.strip('/').replace('/', '-')}-{size['width']}")
        assert wider_than_window(page) <= 0
