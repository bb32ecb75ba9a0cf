"""Every screen: reachable by role, free of barriers that axe can see, kept as pictures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from moderation.models import TriagePlan, User
from tests.browser.conftest import NARROW, Opener
from tests.browser.desks import DESK, at_desk, card, decide, settle

Send = Callable[[int], None]
ZOOMED = {"width": 720, "height": 450}  # 1440 × 900 at 200 %


def barriers(page: Page) -> list[str]:
    """What axe calls serious or critical."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:160]} {node.get('failureSummary', '')}"
        for one in found
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


def wider_than_window(page: Page) -> int:
    pixels: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return pixels


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_desk_has_no_barriers(window: Opener, scenes: Send, rita: User, theme: str) -> None:
    scenes(4)
    mine = window()
    mine.wear(theme)
    page = at_desk(mine.enter(rita, DESK))
    assert barriers(page) == []
    page.keyboard.press("v")
    expect(card(page).locator("canvas")).to_be_visible()
    assert barriers(page) == []
    page.keyboard.press("b")
    assert barriers(page) == []
    mine.keep(f"desk-blocking-{theme}")
    for key, dialog in (
        ("0", "Block as"),
        ("Escape", ""),
        ("Escape", ""),
        ("?", "Keys of the desk"),
        ("Escape", ""),
        ("h", "My last"),
    ):
        page.keyboard.press(key)
        if dialog:
            expect(page.get_by_role("dialog", name=dialog)).to_be_visible()
            assert barriers(page) == []
    page.keyboard.press("Escape")
    decide(page, "a")
    mine.keep(f"desk-{theme}")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_pages_have_no_barriers(
    window: Opener, flats: Send, eyes: TriagePlan, paula: User, ming: User, ari: User, rita: User, theme: str
) -> None:
    flats(3)
    visits = {
        rita: ["/queues/"],
        paula: [
            "/policies/",
            "/policies/WEAPONS_DANGEROUS/",
            "/policies/WEAPONS_DANGEROUS/edit/",
            "/policies/plans/",
            "/policies/plans/draft/",
        ],
        ming: ["/learning/"],
        ari: ["/audit/"],
    }
    stranger = window()
    stranger.wear(theme)
    assert barriers(stranger.open("/accounts/login/")) == []
    for person, paths in visits.items():
        mine = window()
        mine.wear(theme)
        for path in paths:
            page = mine.enter(person, path)
            assert (path, barriers(page)) == (path, [])
            mine.keep(f"{path.strip('/').replace('/', '-').lower()}-{theme}")


@pytest.mark.parametrize("size", [NARROW, ZOOMED], ids=["1024x768", "200%"])
def test_nothing_is_cut_off_in_a_small_window(window: Opener, scenes: Send, rita: User, size: dict[str, int]) -> None:
    scenes(4)
    mine = window(size=size)
    page = at_desk(mine.enter(rita, DESK))
    assert wider_than_window(page) <= 0
    mine.keep(f"desk-{size['width']}")
    page.keyboard.press("b")
    for button in card(page).locator(".cat").all():
        expect(button).to_be_in_viewport()
    assert wider_than_window(page) <= 0
    mine.keep(f"desk-blocking-{size['width']}")
    page.keyboard.press("Escape")
    for name in ("Approve", "Block", "Escalate", "Skip"):
        expect(card(page).get_by_role("button", name=name, exact=False).first).to_be_in_viewport()
    mine.open("/queues/")
    assert wider_than_window(page) <= 0


def test_each_role_lands_on_its_own_page(
    window: Opener, eyes: TriagePlan, rita: User, paula: User, ming: User, ari: User, eve: User
) -> None:
    for person, path in (
        (rita, "/desk/general/"),
        (paula, "/policies/"),
        (ming, "/learning/"),
        (ari, "/audit/"),
        (eve, "/"),
    ):
        mine = window()
        page = mine.enter(person, "/")
        assert page.url == f"{mine.address}{path}"
    expect(page.get_by_role("heading", name="Welcome, eve")).to_be_visible()


def test_who_may_not_review_is_told_so_kindly(window: Opener, paula: User) -> None:
    mine = window()
    mine.expected = ("403",)
    page = mine.enter(paula, DESK)
    expect(page.get_by_role("heading", name="This page is not yours to open")).to_be_visible()
    assert barriers(page) == []


def test_the_theme_stays_chosen(window: Opener, rita: User) -> None:
    mine = window()
    page = mine.enter(rita, "/queues/")
    expect(page.locator("html[data-theme=dark]")).to_be_attached()
    page.get_by_role("button", name="Light theme").click()
    page.reload()
    expect(page.locator("html[data-theme=light]")).to_be_attached()


def test_a_wrong_password_is_answered_beside_the_form(window: Opener, rita: User) -> None:
    mine = window()
    page = mine.open("/accounts/login/")
    page.get_by_label("User name").fill("rita")
    page.get_by_label("Password").fill("not it")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert barriers(page) == []


def test_signing_out_by_the_menu(window: Opener, rita: User) -> None:
    mine = window()
    page = mine.enter(rita, "/queues/")
    page.get_by_label("Account of rita").click()
    settle(page)
    mine.keep("menu")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/**")
