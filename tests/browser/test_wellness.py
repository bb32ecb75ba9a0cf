"""The pages of wellness: free of barriers, at three sizes, and the preview shows what is set."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from moderation.models import User
from review.models import Exposure, Look
from review.wellness import choosing
from review.wellness.settings import Comfort, House
from tests.browser.conftest import NARROW, WIDE, Opener
from tests.browser.desks import DESK, at_desk, card, eventually
from tests.browser.test_pages import in_both_themes, wider_than_window

Send = Callable[[int], None]
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


def looking(window: Opener, rita: User, **comfort: object) -> Page:
    choosing.choose(rita, comfort=comfort, avoided=[], volunteers=False)
    return at_desk(window().enter(rita, DESK))


def canvas(page: Page) -> Locator:
    return card(page).locator("canvas.clear")


def test_a_look_ends_by_itself_after_ones_own_time(window: Opener, flats: Send, rita: User) -> None:
    flats(1)
    page = looking(window, rita, reblur=1)
    page.keyboard.press("v")
    expect(canvas(page)).to_be_visible()
    expect(canvas(page)).to_be_hidden()
    eventually(page, lambda: 0 < Look.objects.get().seconds < 4)


def test_one_press_shows_and_the_next_hides(window: Opener, flats: Send, rita: User) -> None:
    flats(1)
    page = looking(window, rita, reveal="click")
    card(page).locator(".picture").click()
    expect(canvas(page)).to_be_visible()
    card(page).locator(".picture").click()
    expect(canvas(page)).to_be_hidden()


def test_pointing_shows_for_as_long_as_one_points(window: Opener, flats: Send, rita: User) -> None:
    flats(1)
    page = looking(window, rita, reveal="hover")
    card(page).locator(".picture").hover()
    expect(canvas(page)).to_be_visible()
    page.mouse.move(2, 2)
    expect(canvas(page)).to_be_hidden()


def test_the_desk_shows_images_as_one_has_set(window: Opener, flats: Send, rita: User) -> None:
    flats(1)
    page = looking(window, rita, blur=8, muted=True)
    expect(card(page).locator("img.blurred")).to_have_css("filter", "blur(8px)")
    page.keyboard.press("v")
    expect(canvas(page)).to_have_css("filter", "saturate(0.35)")
    page.keyboard.press("g")
    expect(canvas(page)).to_have_css("filter", "grayscale(1)")


def test_a_floor_holds_at_the_desk_too(window: Opener, flats: Send, rita: User, adam: User) -> None:
    flats(1)
    choosing.set_house(House(comfort=Comfort(grey=True), floors=frozenset({"grey", "reveal"})), person=adam)
    page = looking(window, rita, grey=False, reveal="hover")
    page.keyboard.press("v")
    page.keyboard.down("Space")
    expect(canvas(page)).to_be_visible()
    page.keyboard.press("g")
    expect(canvas(page)).to_have_css("filter", "grayscale(1)")
    page.keyboard.up("Space")
    expect(canvas(page)).to_be_hidden()


def test_a_used_up_budget_is_said_calmly(window: Opener, flats: Send, rita: User) -> None:
    flats(1)
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    used = House().comfort.budget
    Exposure.objects.create(reviewer=rita, hour=hour, severity=3, looks=1, seconds=used, weighted=used)
    mine = window()
    page = mine.enter(rita, DESK)
    expect(page.get_by_role("heading", name="Nothing more for now")).to_be_visible()
    expect(page.get_by_text("enough for this shift")).to_be_visible()
    assert in_both_themes(mine, "desk-enough") == []


def test_nearly_all_of_a_budget_is_said_once(window: Opener, flats: Send, rita: User) -> None:
    flats(1)
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    used = 0.85 * House().comfort.budget
    Exposure.objects.create(reviewer=rita, hour=hour, severity=3, looks=1, seconds=used, weighted=used)
    page = at_desk(window().enter(rita, DESK))
    expect(page.get_by_text("85 % of this shift’s exposure budget is used.")).to_be_visible()


def test_a_break_is_suggested_and_never_forced(window: Opener, flats: Send, rita: User) -> None:
    flats(2)
    choosing.choose(rita, comfort={"breaks": 1}, avoided=[], volunteers=False)
    mine = window()
    mine.page.clock.install()
    page = at_desk(mine.enter(rita, DESK))
    page.clock.run_for(61_000)
    expect(page.get_by_text("1 minutes at the desk")).to_be_visible()
    expect(card(page)).to_be_visible()
    page.get_by_role("button", name="Take a break").click()
    page.wait_for_url("**/queues/")


def test_images_in_lists_are_as_large_as_one_has_set(window: Opener, flats: Send, rita: User) -> None:
    flats(3)
    choosing.choose(rita, comfort={"thumbnail": 300}, avoided=[], volunteers=False)
    page = window().enter(rita, reverse("grid", args=["general"]))
    expect(page.locator(".tile").first).to_be_visible()
    assert page.locator(".tile").first.evaluate("(tile) => tile.clientWidth") >= 300
