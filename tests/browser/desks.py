"""What tests do at a desk: wait for an image, press a key, read what was recorded."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from review.models import Decision

DESK = "/desk/general/"
PAINTED = 200  # ms: longer than the desk wants an image on screen before a key counts


def card(page: Page) -> Locator:
    return page.locator("article.claim:not([hidden])")


def at_desk(page: Page) -> Page:
    """The page once an image is up and may be decided on."""
    expect(card(page)).to_be_visible()
    settle(page)
    return page


def settle(page: Page) -> None:
    """Until what is on screen has been painted for long enough that keys count: frames are watched, not guessed."""
    page.evaluate(
        """(ms) => new Promise((done) => {
          let from;
          const look = (now) => { from ??= now; now - from > ms ? done() : requestAnimationFrame(look); };
          requestAnimationFrame(look);
        })""",
        PAINTED,
    )


def shown(page: Page) -> str:
    """The claim on screen."""
    return card(page).get_attribute("data-claim") or ""


def decide(page: Page, *keys: str) -> str:
    """Keys of which the last one is to bring up the next image (or none); returns the claim decided on."""
    before = shown(page)
    for key in keys:
        page.keyboard.press(key)
    expect(page.locator(f'article.claim[data-claim="{before}"]:not([hidden])')).to_have_count(0)
    settle(page)
    return before


def recorded(page: Page) -> list[Decision]:
    """Every decision, once nothing is on its way any more; oldest first."""
    expect(page.locator("main.desk[data-saving='0']")).to_be_attached()
    return list(Decision.objects.order_by("id"))


def eventually(page: Page, holds: Callable[[], bool], *, within: float = 20.0) -> None:
    """Looks again and again, for what the page itself cannot tell: requests it sent while it went away."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        page.wait_for_timeout(20)


def painted(page: Page) -> int:
    """How many pixels of the clear image hold anything: 0 while it is hidden."""
    count: int = (
        card(page)
        .locator("canvas")
        .evaluate(
            """(canvas) => {
          if (canvas.hidden || !canvas.width) return 0;
          const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          let some = 0;
          for (let at = 3; at < pixels.length; at += 4) some += pixels[at] > 0;
          return some;
        }"""
        )
    )
    return count
