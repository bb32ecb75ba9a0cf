"""A decision taken back while nobody outside has heard of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from moderation.models import Status, Submission, User
from review import effects
from review.models import Claim, Decision, Effect, EffectState
from tests.browser.conftest import Opener
from tests.browser.desks import DESK, at_desk, card, decide, recorded, settle, shown
from tests.browser.test_pages import barriers

Send = Callable[[int], None]


@pytest.fixture(autouse=True)
def window_of_ten_seconds(settings: Any) -> None:
    settings.REVIEW_UNDO_SECONDS = 10


@pytest.mark.parametrize("key", ["u", "Control+z"])
def test_undo_brings_the_image_back_with_what_was_written(window: Opener, flats: Send, rita: User, key: str) -> None:
    flats(3)
    page = at_desk(window().enter(rita, DESK))
    image = card(page).locator("img.blurred").get_attribute("src") or ""
    page.keyboard.press("n")
    page.keyboard.type("the toy one")
    page.keyboard.press("Escape")
    before = decide(page, "a")
    (made,) = recorded(page)

    page.keyboard.press(key)

    expect(page.locator(".said")).to_contain_text("Taken back: Approved")
    settle(page)
    assert shown(page) != before
    assert image.split("?")[0] in (card(page).locator("img.blurred").get_attribute("src") or "")
    expect(card(page).locator(".note")).to_have_value("the toy one")
    assert Effect.objects.get(decision=made).state == EffectState.UNDONE
    assert str(Claim.objects.get(pk=shown(page)).request_id) == str(made.claim.request_id)
    decide(page, "b", "1")
    assert [one.verdict for one in recorded(page)] == ["approve", "block"]


def test_undo_again_takes_the_one_before_back(window: Opener, flats: Send, rita: User) -> None:
    flats(3)
    page = at_desk(window().enter(rita, DESK))
    decide(page, "a")
    decide(page, "s")
    recorded(page)
    for words in ("Skipped", "Approved"):
        page.keyboard.press("u")
        expect(page.locator(".said")).to_contain_text(f"Taken back: {words}")
        settle(page)
    expect(page.get_by_role("button", name="Undo")).to_be_hidden()
    assert set(Effect.objects.values_list("state", flat=True)) == {EffectState.UNDONE}


def test_the_line_counts_down_and_goes(window: Opener, flats: Send, rita: User) -> None:
    flats(2)
    mine = window()
    page = at_desk(mine.enter(rita, DESK))
    decide(page, "a")
    recorded(page)
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_contain_text("s")
    settle(page)
    mine.keep("desk-undo")
    assert barriers(page) == []
    page.evaluate("Date.now = ((now) => () => now() + 11_000)(Date.now)")
    expect(undo).to_be_hidden()


def test_too_late_says_so_and_the_decision_stands(window: Opener, flats: Send, rita: User) -> None:
    flats(2)
    mine = window()
    mine.expected = ("409",)
    page = at_desk(mine.enter(rita, DESK))
    decide(page, "a")
    (made,) = recorded(page)
    Effect.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    effects.apply_due()

    page.keyboard.press("u")

    expect(page.get_by_text("“Approved” stands. This decision is in effect already.")).to_be_visible()
    assert Submission.objects.get(pk=made.submission_id).status == Status.APPROVED
    assert Decision.objects.count() == 1
