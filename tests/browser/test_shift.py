"""A stretch of work on a slow link, while the web server is started anew: every decision is on record, once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from moderation.models import ReviewRequest, Status, Submission, User
from moderation.triage import run_once
from review.models import Decision, Verdict
from tests.browser.conftest import Opener
from tests.browser.desks import DESK, card, recorded, settle, shown
from tests.browser.webserver import web_server

Send = Callable[[int], None]
SLOW = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 200_000,
    "uploadThroughput": 95_000,
}  # ms, bytes a second
DOWN = 2  # decisions while nobody answers
WAIT = 30_000  # ms


def test_fifty_decisions_by_keyboard_are_fifty_labels(
    window: Opener, flats: Send, rita: User, tmp_path: Path, decisions: int
) -> None:
    flats(decisions)
    while run_once().claimed:  # a batch of triage is smaller than a shift
        pass
    mine = window()
    mine.expected = ("Failed to load resource",)
    with web_server(tmp_path / "store") as server:
        mine.address = server.address
        page = mine.enter(rita, DESK)
        mine.context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW)
        expected: dict[str, tuple[str, bool]] = {}
        for number in range(decisions):
            if number == decisions // 2:
                server.stop()
            if number == decisions // 2 + DOWN:
                server.start()
            expect(card(page)).to_be_visible(timeout=WAIT)
            settle(page)
            claim = shown(page)
            assert claim not in expected
            is_down = decisions // 2 <= number < decisions // 2 + DOWN
            expected[claim] = work(page, 0 if is_down else number % 4, block=number % 3 == 0)
            expect(page.locator(f'article.claim[data-claim="{claim}"]:not([hidden])')).to_have_count(0)
        expect(page.locator("main.desk[data-saving='0']")).to_be_attached(timeout=WAIT)
        made = recorded(page)
        expect(page.get_by_role("heading", name="All done here")).to_be_visible(timeout=WAIT)

    assert {str(one.claim_id): (one.verdict, one.seen["revealed"]) for one in made} == expected
    assert len(made) == len({one.submission_id for one in made}) == decisions
    assert not ReviewRequest.objects.filter(closed_at__isnull=True).exists()
    settled = Submission.objects.filter(status__in=[Status.APPROVED, Status.BLOCKED]).count()
    assert settled == decisions == Decision.objects.count()


@pytest.fixture(params=[10, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
def decisions(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def work(page: Page, way: int, *, block: bool) -> tuple[str, bool]:
    """One decision, blurred (0) or revealed, by holding the key (1, 2) or by switching (3); what is to be on record."""
    canvas = card(page).locator("canvas.clear")
    if way in {1, 2}:
        page.keyboard.down("Space")
        expect(canvas).to_be_visible(timeout=WAIT)
    if way == 2:
        page.keyboard.up("Space")
        expect(canvas).to_be_hidden()
    if way == 3:
        page.keyboard.press("v")
        expect(canvas).to_be_visible(timeout=WAIT)
    for key in ("b", "1") if block else ("a",):
        page.keyboard.press(key)
    if way == 1:
        page.keyboard.up("Space")
    return (Verdict.BLOCK if block else Verdict.APPROVE), way > 0
