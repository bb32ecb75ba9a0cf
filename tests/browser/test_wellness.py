"""The pages of wellness: free of barriers, at three sizes, and the preview shows what is set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from moderation.models import User
from review.models import Exposure
from tests.browser.conftest import NARROW, WIDE, Opener
from tests.browser.test_pages import in_both_themes, wider_than_window

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def seen(rita: User) -> None:
    """Four weeks of looks, with days off, each seen a while ago or a moment ago."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    for day in range(28):
        for severity in range(5):
            if (day + 2) % 7 < 2 or (severity == 4 and day % 3):
                continue
            seconds = 60.0 * ((day * 7 + severity * 5) % 11) + 20
            hour = now - timedelta(days=day)
            Exposure.objects.create(
                reviewer=rita,
                hour=hour,
                severity=severity,
                looks=9,
                seconds=seconds,
                weighted=seconds * (0.25, 1, 2, 4, 8)[severity],
            )


@pytest.mark.parametrize("size", [WIDE, NARROW, PHONE], ids=["1440", "1024", "390"])
def test_pages_have_no_barriers_at_any_size(
    window: Opener, seen: None, rita: User, adam: User, size: dict[str, int]
) -> None:
    for person, path in ((rita, "/me/exposure/"), (rita, "/me/settings/"), (adam, "/settings/wellness/")):
        mine = window(size=size)
        page = mine.enter(person, path)
        name = f"{path.strip('/').replace('/', '-')}-{size['width']}"
        assert in_both_themes(mine, name) == []
        assert wider_than_window(page) <= 0, path


def test_the_preview_follows_what_is_set(window: Opener, rita: User) -> None:
    page = window().enter(rita, "/me/settings/")
    page.get_by_label("Show the clear image in grey").check()
    page.get_by_label("More blur before you look").fill("40")
    preview = page.locator(".preview")
    expect(preview.locator(".clear")).to_have_css("filter", "grayscale(1) saturate(1)")
    expect(preview.locator("figure .before").first).to_have_css("filter", "grayscale(1) blur(32px)")


def test_the_account_menu_leads_there(window: Opener, rita: User) -> None:
    page = window().enter(rita, "/queues/")
    page.get_by_label("Account of rita").click()
    page.get_by_role("link", name="My exposure").click()
    expect(page.get_by_role("heading", name="My exposure", level=1)).to_be_visible()
