"""Looking closely: at the revealed image only, and at each as if it were the first."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from moderation.models import User
from tests.browser.conftest import Opener
from tests.browser.desks import DESK, at_desk, card, decide, eventually, recorded, settle
from tests.browser.test_pages import ZOOMED, barriers, wider_than_window

Send = Callable[[int], None]
TABLET = {"width": 1024, "height": 768}


def scale(page: Page) -> float:
    """Of the clear image, over the size that fits."""
    found: float = (
        card(page)
        .locator("canvas.clear")
        .evaluate(
            "(canvas) => Math.hypot(...new DOMMatrix(getComputedStyle(canvas).transform).toFloat64Array().slice(0, 2))"
        )
    )
    return round(found, 3)


def place(page: Page) -> tuple[int, int]:
    found: list[int] = (
        card(page)
        .locator("canvas.clear")
        .evaluate("(canvas) => { const m = new DOMMatrix(getComputedStyle(canvas).transform); return [m.e, m.f]; }")
    )
    return round(found[0]), round(found[1])


def reveal(page: Page) -> None:
    page.keyboard.press("v")
    expect(card(page).locator("canvas.clear")).to_be_visible()


def test_zoom_pan_turn_and_loupe_by_keyboard(window: Opener, scenes: Send, rita: User) -> None:
    scenes(2)
    mine = window()
    page = at_desk(mine.enter(rita, DESK))
    page.keyboard.press("+")
    expect(page.get_by_role("group", name="Looking closely")).to_be_hidden()
    reveal(page)
    assert scale(page) == 1
    for _press in range(4):
        page.keyboard.press("+")
    assert scale(page) == pytest.approx(1.25**4, abs=0.01)
    page.keyboard.press("ArrowRight")
    assert place(page) == (-60, 0)
    mine.keep("desk-zoomed")
    page.keyboard.press("p")
    expect(page.get_by_role("group", name="Looking closely").locator("output")).to_have_text("100 %")
    page.keyboard.press("f")
    assert (scale(page), place(page)) == (1, (0, 0))
    page.keyboard.press("t")
    page.keyboard.press("m")
    expect(card(page).locator("canvas.lens")).to_be_visible()
    page.keyboard.press("ArrowDown")
    settle(page)
    mine.keep("desk-loupe")
    assert barriers(page) == []

    page.keyboard.press("v")
    expect(card(page).locator("canvas.lens")).to_be_hidden()
    decide(page, "a")
    reveal(page)
    assert (scale(page), place(page)) == (1, (0, 0))
    expect(card(page).locator("canvas.lens")).to_be_hidden()
    decide(page, "a")
    first, second = recorded(page)
    assert (first.seen["zoomed"], first.seen["loupe"], first.seen["variant"]) == (True, True, "working")
    assert (second.seen["zoomed"], second.seen["loupe"]) == (False, False)


def test_the_wheel_zooms_where_the_pointer_is_and_dragging_moves(window: Opener, scenes: Send, rita: User) -> None:
    scenes(1)
    page = at_desk(window().enter(rita, DESK))
    reveal(page)
    box = card(page).locator(".picture").bounding_box()
    assert box
    left, top = box["x"] + box["width"] / 4, box["y"] + box["height"] / 2
    page.mouse.move(left, top)
    page.mouse.wheel(0, -400)
    eventually(page, lambda: scale(page) == pytest.approx(2.718, abs=0.01))
    moved = place(page)
    assert moved[0] > 0
    page.mouse.down()
    page.mouse.move(left - 50, top + 30)
    page.mouse.up()
    eventually(page, lambda: place(page) == (moved[0] - 50, moved[1] + 30))
    expect(card(page).locator("canvas.clear")).to_be_visible()


def test_two_fingers_zoom_on_a_tablet(window: Opener, scenes: Send, rita: User) -> None:
    scenes(1)
    page = at_desk(window(size=TABLET).enter(rita, DESK))
    touch = page.context.new_cdp_session(page)
    page.get_by_role("button", name="Show").click()
    expect(card(page).locator("canvas.clear")).to_be_visible()
    box = card(page).locator(".picture").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def fingers(kind: str, spread: int) -> None:
        points = [{"x": x - spread, "y": y, "id": 0}, {"x": x + spread, "y": y, "id": 1}] if spread else []
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", 50)
    for spread in range(50, 101, 10):
        fingers("touchMove", spread)
    fingers("touchEnd", 0)
    eventually(page, lambda: scale(page) == pytest.approx(2, abs=0.25))
    page.mouse.move(x, y)
    expect(card(page).locator("canvas.clear")).to_be_visible()


@pytest.mark.parametrize("size", [TABLET, ZOOMED, {"width": 390, "height": 844}], ids=["tablet", "200%", "phone"])
def test_looking_closely_fits_small_windows(window: Opener, scenes: Send, rita: User, size: dict[str, int]) -> None:
    scenes(2)
    mine = window(size=size)
    page = at_desk(mine.enter(rita, DESK))
    reveal(page)
    settle(page)
    assert wider_than_window(page) <= 0
    for button in page.get_by_role("group", name="Looking closely").get_by_role("button").all():
        expect(button).to_be_in_viewport()
    mine.keep(f"desk-looking-{size['width']}")
    assert barriers(page) == []
