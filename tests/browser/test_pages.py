"""Every screen: reachable by role, free of barriers that axe can see, kept as pictures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from moderation.models import TriagePlan, User
from tests.browser.axe import told, violations
from tests.browser.conftest import NARROW, Opener, Window
from tests.browser.desks import DESK, at_desk, card, decide, settle

Send = Callable[[int], None]
ZOOMED = {"width": 720, "height": 450}  # 1440 × 900 at 200 %


def barriers(page: Page, theme: str = "dark") -> list[str]:
    """What axe calls serious or critical. The themes differ only in colour, so of the light one that alone is asked."""
    options = {"runOnly": ["color-contrast"]} if theme == "light" else {}
    grave = [one for one in violations(page, **options) if one["impact"] in {"serious", "critical"}]
    return told(grave)


def wider_than_window(page: Page) -> int:
    pixels: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return pixels


def in_both_themes(mine: Window, name: str = "") -> list[str]:
    """The barriers in the dark theme and then in the light one; keeps a picture of each under `name`."""
    page, found = mine.page, []
    for theme, other in (("dark", "Light theme"), ("light", "Dark theme")):
        found += [f"{theme} {page.url} {barrier}" for barrier in barriers(page, theme)]
        if name:
            mine.keep(f"{name}-{theme}")
        page.get_by_role("button", name=other).click()
    return found


def test_a_barrier_is_told_however_often_it_is_asked_for(window: Opener) -> None:
    page = window().page
    for _document in range(2):
        page.set_content("<html lang=en><title>A page</title><main><h1>A page</h1><button></button></main></html>")
        assert [one.split(":")[0] for one in barriers(page) + barriers(page)] == ["button-name", "button-name"]


def test_the_desk_has_no_barriers(window: Opener, scenes: Send, rita: User) -> None:
    scenes(4)
    mine = window()
    page = at_desk(mine.enter(rita, DESK))
    assert in_both_themes(mine) == []
    page.keyboard.press("v")
    expect(card(page).locator("canvas")).to_be_visible()
    assert in_both_themes(mine) == []
    page.keyboard.press("b")
    assert in_both_themes(mine, "desk-blocking") == []
    for key, dialog in (("0", "Block as"), ("?", "Keys of the desk"), ("h", "My last decisions")):
        page.keyboard.press(key)
        expect(page.get_by_role("dialog", name=dialog)).to_be_visible()
        assert barriers(page) == []
        page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    decide(page, "a")
    assert in_both_themes(mine, "desk") == []


def test_pages_have_no_barriers(
    window: Opener, flats: Send, eyes: TriagePlan, paula: User, ming: User, ari: User, rita: User
) -> None:
    flats(3)
    law = [
        "",
        "WEAPONS_DANGEROUS/",
        "WEAPONS_DANGEROUS/edit/",
        "WEAPONS_DANGEROUS/older/",
        "proposals/",
        "files/",
        "plans/",
        "plans/draft/",
        "plans/bands/",
        "plans/simulate/",
        "guardrails/",
        "guardrails/settings/",
    ]
    taught = ["/concepts/", "/concepts/new/"]
    visits = {
        rita: ["/queues/"],
        paula: [*(f"/policies/{path}" for path in law), *taught],
        ming: ["/learning/"],
        ari: ["/audit/"],
    }
    stranger = window()
    stranger.open("/accounts/login/")
    assert in_both_themes(stranger, "login") == []
    for person, paths in visits.items():
        mine = window()
        for path in paths:
            mine.enter(person, path)
            assert in_both_themes(mine, path.strip("/").replace("/", "-").lower()) == []


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
