"""The grid by keyboard, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from moderation.models import User
from review.models import Decision, Look
from tests.browser.conftest import Opener
from tests.browser.desks import eventually
from tests.browser.test_pages import in_both_themes, wider_than_window

Send = Callable[[int], None]


def test_marked_ones_are_blocked_and_the_rest_approved(window: Opener, flats: Send, rita: User) -> None:
    flats(6)
    mine = window()
    page = mine.enter(rita, "/grid/general/?size=12")
    expect(page.locator(".tile")).to_have_count(6)
    for own in page.locator(".own").all():
        own.check()
    page.locator(".face").first.focus()
    page.keyboard.down("Space")
    expect(page.locator(".face canvas:not([hidden])")).to_have_count(1)
    page.keyboard.up("Space")
    expect(page.locator(".face canvas:not([hidden])")).to_have_count(0)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    expect(page.locator(".face[aria-pressed=true]")).to_have_count(1)
    assert in_both_themes(mine, "grid") == []
    assert wider_than_window(page) <= 0
    page.locator(".face[aria-pressed=true]").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("5 approved, 1 blocked.")).to_be_visible()
    eventually(page, lambda: Decision.objects.count() == 6)
    assert sorted(Decision.objects.values_list("verdict", flat=True)) == ["approve"] * 5 + ["block"]
    assert Decision.objects.filter(seen__revealed=True).count() == Look.objects.count() == 1
    expect(page.get_by_role("heading", name="Nothing of low severity waits here")).to_be_visible()


def test_the_senior_pages_have_no_barriers(window: Opener, flats: Send, sam: User, rita: User) -> None:
    from review import queue
    from review.decisions import decide

    flats(4)
    (claim,) = queue.claim(rita, queue.GENERAL)
    decide(claim.pk, rita, verdict="block", labels=[{"category": "HATE", "severity": 3}], note="a note")
    mine = window()
    for path in (
        "/search/?status=in_review",
        "/search/?as=table",
        "/search/bulk?prompt=wall",
        "/held/",
        "/legal-hold/",
    ):
        page = mine.enter(sam, path)
        assert in_both_themes(mine) == []
        assert wider_than_window(page) <= 0
