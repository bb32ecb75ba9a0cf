"""Cuts moved on a histogram, with the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from moderation.models import TriagePlan, User
from tests.browser.conftest import Opener
from tests.browser.test_pages import in_both_themes


def test_a_cut_moves_by_key_and_the_draft_takes_it(
    window: Opener, flats: Callable[[int], None], eyes: TriagePlan, paula: User
) -> None:
    flats(3)
    mine = window()
    page = mine.enter(paula, "/policies/plans/bands/?category=WEAPONS_DANGEROUS")
    slider = page.get_by_label("Approve below")
    expect(page.locator('[data-figure="review"]')).not_to_have_text("–")
    calls: list[str] = []
    page.on("request", lambda request: calls.append(request.url))

    slider.press("ArrowRight")

    expect(slider).to_have_attribute("aria-valuetext", "0.201")
    expect(page.locator("#slack")).to_have_text("Exact for these images.")
    assert calls == []
    assert in_both_themes(mine, "plan-bands") == []
    page.get_by_role("button", name="Into the draft").click()
    expect(page.locator("[name=approve_WEAPONS_DANGEROUS]")).to_have_value("0.201")
    page.get_by_role("button", name="Simulate").click()
    expect(page.get_by_role("heading", name="Simulation of a draft")).to_be_visible()
    assert in_both_themes(mine, "plan-simulation") == []
