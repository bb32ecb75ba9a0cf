"""What the desk says when something is lost, refused or out of reach: what happened, and what was kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone
from playwright.sync_api import Route, expect

from moderation.models import ReviewRequest, User
from review.models import Claim, Decision, Verdict
from tests.browser.conftest import Opener
from tests.browser.desks import DESK, at_desk, card, decide, recorded, shown

Send = Callable[[int], None]
LOST = "Failed to load resource"


def end_leases() -> None:
    over = timezone.now() - timedelta(seconds=1)
    Claim.objects.filter(ended_at__isnull=True).update(expires_at=over)
    ReviewRequest.objects.update(leased_until=over)


def test_a_lost_lease_drops_the_image_and_says_so(window: Opener, flats: Send, rita: User, settings: Any) -> None:
    settings.REVIEW_LEASE_SECONDS = 10  # a heartbeat every two seconds
    flats(2)
    page = at_desk(window().enter(rita, DESK))
    before = shown(page)
    end_leases()
    expect(page.get_by_text("leases on 2 images ended")).to_be_visible()
    expect(page.locator(f'article[data-claim="{before}"]')).to_have_count(0)
    assert recorded(page) == []


def test_a_heartbeat_keeps_the_lease_while_somebody_works(
    window: Opener, flats: Send, rita: User, settings: Any
) -> None:
    settings.REVIEW_LEASE_SECONDS = 10
    flats(1)
    page = at_desk(window().enter(rita, DESK))
    first = Claim.objects.get().expires_at
    with page.expect_response("**/desk/heartbeat"):
        page.mouse.move(40, 200)
    assert Claim.objects.get().expires_at > first


def test_a_decision_after_the_lease_is_not_recorded_and_says_so(window: Opener, flats: Send, rita: User) -> None:
    flats(2)
    mine = window()
    mine.expected = (LOST,)
    page = at_desk(mine.enter(rita, DESK))
    end_leases()
    decide(page, "a")
    expect(page.get_by_text("“Approved” was not recorded")).to_be_visible()
    assert recorded(page) == []


def test_a_decision_that_met_no_answer_is_sent_again_and_counts_once(window: Opener, flats: Send, rita: User) -> None:
    flats(2)
    mine = window()
    mine.expected = (LOST,)
    page = at_desk(mine.enter(rita, DESK))
    tries: list[str] = []

    def cut(route: Route) -> None:
        tries.append(route.request.headers["idempotency-key"])
        if len(tries) == 1:
            route.fetch()  # it arrives, but its answer is lost
            route.abort()
        else:
            route.continue_()

    page.route("**/api/v1/claims/*/decision", cut)
    decide(page, "a")
    assert [one.verdict for one in recorded(page)] == [Verdict.APPROVE]
    assert len(tries) == 2
    assert tries[0] == tries[1]


def test_a_decision_that_failed_comes_back_next(window: Opener, flats: Send, rita: User) -> None:
    flats(3)
    mine = window()
    mine.expected = (LOST,)
    page = at_desk(mine.enter(rita, DESK))
    page.route("**/api/v1/claims/*/decision", lambda route: route.fulfill(status=500, body=""))
    first = decide(page, "a")
    expect(page.get_by_role("alert")).to_contain_text("“Approved” was not saved")
    page.unroute("**/api/v1/claims/*/decision")
    decide(page, "a")
    assert shown(page) == first
    decide(page, "a")
    assert len(recorded(page)) == 2


def test_what_was_decided_while_signed_out_is_kept_and_sent_after_signing_in(
    window: Opener, flats: Send, rita: User
) -> None:
    flats(1)
    mine = window()
    mine.expected = (LOST,)
    page = at_desk(mine.enter(rita, DESK))
    mine.context.clear_cookies()
    before = decide(page, "a")
    expect(page.get_by_role("alert")).to_contain_text("You are signed out")
    assert not Decision.objects.exists()

    mine.enter(rita, DESK)

    assert [str(one.claim_id) for one in recorded(page)] == [before]
    expect(page.get_by_role("heading", name="All done here")).to_be_visible()


def test_who_walks_away_gives_the_images_back_and_gets_no_more(window: Opener, flats: Send, rita: User) -> None:
    flats(2)
    mine = window()
    mine.page.clock.install()
    page = at_desk(mine.enter(rita, DESK))
    end_leases()
    page.clock.fast_forward(400_000)
    expect(page.get_by_role("heading", name="You were away")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    expect(card(page)).to_be_visible()
    assert Claim.objects.count() == 4


def test_an_image_that_cannot_be_fetched_says_so(window: Opener, flats: Send, rita: User) -> None:
    flats(1)
    mine = window()
    mine.expected = (LOST,)
    mine.page.route("**/api/v1/claims/*/looks", lambda route: route.abort())
    page = at_desk(mine.enter(rita, DESK))
    page.keyboard.press("v")
    expect(page.get_by_text("The image could not be fetched")).to_be_visible()
    assert not recorded(page)
