"""A band is certified in a real browser."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from moderation.models import Client, TriagePlan, User
from tests import world
from tests.browser.conftest import Opener
from tests.browser.test_pages import in_both_themes, wider_than_window
from tests.review.auditing import audited

PHONE = {"width": 390, "height": 844}


def test_a_lead_asks_the_audits_and_stores_what_they_prove(
    window: Opener, eyes: TriagePlan, platform: Client, rita: User, paula: User, settings: Any
) -> None:
    settings.GOLD_SHARE = 0.0
    world.publish(*eyes.body["classifiers"], audit_rate=1.0)
    audited(platform, rita, [0.1] * 16)
    mine = window()
    page = mine.enter(paula, "/certificates/")
    page.get_by_label("Category").select_option("WEAPONS_DANGEROUS")
    page.get_by_label("At most, in %").fill("20")
    page.get_by_role("button", name="Ask the audits").click()
    expect(page.get_by_role("heading", name="at most 20 % of it violates")).to_be_visible()
    assert in_both_themes(mine, "certificates-asked") == []

    page.get_by_role("button", name="Store it with plan 2").click()

    expect(page.get_by_text("✓ holds")).to_be_visible()
    assert in_both_themes(mine, "certificates") == []
    phone = window(size=PHONE)
    assert wider_than_window(phone.enter(paula, "/certificates/")) <= 0
    phone.keep("certificates-390")
    mine.open("/policies/plans/")
    expect(page.get_by_role("link", name="certified").first).to_be_visible()
    mine.keep("plan-certified")
