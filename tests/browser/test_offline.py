"""A link that breaks, a page that is loaded again, a second window: no decision is lost, none counts twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from moderation.models import ReviewRequest, User
from review.models import Claim, Decision
from tests.browser.conftest import Opener, Window
from tests.browser.desks import DESK, at_desk, card, decide, eventually, recorded, shown
from tests.browser.test_pages import barriers

Send = Callable[[int], None]
LOST = "Failed to load resource"


def cut_off(mine: Window) -> Page:
    mine.expected = (LOST,)
    mine.context.set_offline(True)
    return mine.page


def state(page: Page) -> str:
    return page.locator(".link").get_attribute("data-state") or ""


def test_what_is_decided_offline_is_kept_and_sent_when_the_link_is_back(
    window: Opener, flats: Send, rita: User
) -> None:
    flats(5)
    mine = window()
    page = at_desk(mine.enter(rita, DESK))
    page.wait_for_load_state("networkidle")
    cut_off(mine)
    decided = [decide(page, "a"), decide(page, "b", "1"), decide(page, "s")]
    expect(page.locator(".link")).to_contain_text("Offline · 3 kept here")
    # What was fetched ahead is there, blurred: a clear image leaves the house only as the answer to a look on record.
    assert card(page).locator("img.blurred").evaluate("(image) => image.complete && image.naturalWidth") > 0
    assert barriers(page) == []
    mine.keep("desk-offline")
    assert not Decision.objects.exists()

    mine.context.set_offline(False)

    assert [str(one.claim_id) for one in sorted(recorded(page), key=lambda one: decided.index(str(one.claim_id)))] == (
        decided
    )
    expect(page.locator(".link")).to_contain_text("Saved")


def test_a_reload_neither_loses_nor_doubles_what_was_not_sent(window: Opener, flats: Send, rita: User) -> None:
    flats(4)
    mine = window()
    mine.expected = (LOST,)
    page = at_desk(mine.enter(rita, DESK))
    page.on("dialog", lambda dialog: dialog.accept())
    page.route("**/api/v1/claims/*/decision", lambda route: route.abort())
    decided = {decide(page, "a"), decide(page, "a")}
    expect(page.locator(".link")).to_contain_text("Offline · 2 kept here")
    page.unroute("**/api/v1/claims/*/decision")

    page.reload()
    at_desk(page)

    assert {str(one.claim_id) for one in recorded(page)} == decided
    assert shown(page) not in decided
    assert ReviewRequest.objects.filter(closed_at__isnull=True).count() == 2


def test_what_the_house_refuses_later_is_told_with_the_note(window: Opener, flats: Send, rita: User) -> None:
    flats(2)
    mine = window()
    page = at_desk(mine.enter(rita, DESK))
    page.wait_for_load_state("networkidle")
    page.keyboard.press("n")
    page.keyboard.type("a toy, I think")
    page.keyboard.press("Escape")
    cut_off(mine)
    decide(page, "a")
    over = timezone.now() - timedelta(seconds=1)
    Claim.objects.update(expires_at=over)
    mine.context.set_offline(False)
    expect(page.get_by_text("“Approved” was not recorded")).to_contain_text("“a toy, I think”")
    assert recorded(page) == []


def test_a_slow_answer_shows_that_it_is_on_its_way(window: Opener, flats: Send, rita: User) -> None:
    flats(2)
    page = at_desk(window().enter(rita, DESK))
    held: list[Route] = []
    page.route("**/api/v1/claims/*/decision", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks the handler
    decide(page, "a")
    expect(page.locator(".link")).to_contain_text("Sending 1")
    held[0].continue_()
    expect(page.locator(".link")).to_contain_text("Saved")


def test_the_newest_window_works_and_the_other_says_so(window: Opener, flats: Send, rita: User) -> None:
    flats(6)
    mine = window()
    old = at_desk(mine.enter(rita, DESK))
    before = shown(old)
    new = mine.context.new_page()
    new.goto(old.url)
    at_desk(new)
    assert shown(new) == before
    expect(old.get_by_role("heading", name="You work in another window")).to_be_visible()
    assert barriers(old) == []
    old.keyboard.press("a")
    decide(new, "a")
    recorded(new)
    assert Decision.objects.count() == 1

    old.get_by_role("button", name="Work here instead").click()

    at_desk(old)
    assert shown(old) != before
    expect(new.get_by_role("heading", name="You work in another window")).to_be_visible()
    assert Claim.objects.filter(ended_at__isnull=True).count() == 5
    new.close()
    eventually(old, lambda: Claim.objects.filter(ended_at__isnull=True).count() == 5)


def test_two_windows_that_decide_at_once_leave_one_decision(window: Opener, flats: Send, rita: User) -> None:
    """Windows that cannot hear each other: another browser of the same person."""
    flats(1)
    one, other = window(), window()
    other.expected = (LOST,)
    hers, twin = at_desk(one.enter(rita, DESK)), at_desk(other.enter(rita, DESK))
    assert shown(hers) == shown(twin)
    twin.route("**/desk/heartbeat", lambda route: route.abort())  # which would tell that the claim is over
    decide(hers, "a")
    recorded(hers)
    decide(twin, "b", "1")
    expect(twin.get_by_text("was not recorded")).to_be_visible()
    assert [one.verdict for one in recorded(twin)] == ["approve"]
