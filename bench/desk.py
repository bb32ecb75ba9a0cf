"""How soon the next image is painted after the key that decides, in Chromium, at the web server of production.

The image comes from what the desk fetched ahead. Between keys the desk is left alone for as long as somebody looks, so
that what it fetches is there; the figure is from the key's own time stamp to the frame after the one that shows the
next image, decoded. `desk.reveal_p95_ms` is the same from holding Space to the clear image.

    .venv/bin/python -m bench.desk
"""

from __future__ import annotations

import os
import statistics
import sys
from typing import Final

from playwright.sync_api import ViewportSize, sync_playwright

from bench.backlog import Session, house, reviewers
from bench.harness import Web, django_on_own_services, emit, images, machine, web_server
from bench.review import Databases
from tests import chromium

OPEN: Final = 400
WARM_UP: Final = 10  # decisions
DECISIONS: Final = 150
LOOK: Final = 400  # ms between keys
SIZE: Final[ViewportSize] = {"width": 1440, "height": 900}
FLAGS: Final = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]

# Resolves with the milliseconds from the key to the frame after the one in which `seen()` holds.
WATCH: Final = """
window.watched = null;
window.watch = (seen) => new Promise((done) => {
  document.addEventListener("keydown", (event) => {
    const look = async () => {
      if (!seen()) return requestAnimationFrame(look);
      const image = document.querySelector("article.claim:not([hidden]) img.blurred");
      await image.decode();
      requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - event.timeStamp)));
    };
    requestAnimationFrame(look);
  }, { capture: true, once: true });
});
"""
NEXT: Final = """() => {
  const before = document.querySelector("article.claim:not([hidden])").dataset.claim;
  window.watched = window.watch(() => {
    const card = document.querySelector("article.claim:not([hidden])");
    return card && card.dataset.claim !== before;
  });
}"""
CLEAR: Final = """() => {
  window.watched = window.watch(() => document.querySelector("article.claim:not([hidden]) canvas:not([hidden])"));
}"""


def main() -> None:
    os.environ["LOUPE_API_RATE"] = "1000000000"
    with django_on_own_services() as folder:
        house()
        (session,) = reviewers(1)
        Databases(folder).seed("loupe", start=0, stop=OPEN)
        source = pictures()
        with web_server(workers=2) as web:
            shown, revealed = work(web, session)
        check(len(shown) + WARM_UP)
    params = {"open": OPEN, "images": source, "window": f"{SIZE['width']}x{SIZE['height']}", **machine()}
    for name, found in (("next_paint", shown), ("reveal", revealed)):
        emit("desk", f"desk.{name}_p50_ms", statistics.median(found), "ms", n=len(found), params=params)
        emit("desk", f"desk.{name}_p95_ms", statistics.quantiles(found, n=20)[-1], "ms", n=len(found), params=params)


def check(decided: int) -> None:
    from review.models import Decision

    if (found := Decision.objects.count()) != decided:
        sys.exit(f"bench: {decided} decisions were made, {found} are on record")


def pictures() -> str:
    """Real images for the backlog's submissions; of what kind."""
    from django.conf import settings
    from django.core.files.base import ContentFile
    from django.core.files.storage import storages

    from moderation.images import verify

    found, source = images(40)
    store = storages["derivatives"]
    for number, picture in enumerate(found):
        made = verify(picture, max_bytes=settings.MAX_IMAGE_BYTES, max_pixels=settings.MAX_IMAGE_PIXELS)
        for copy in range(number, OPEN, len(found)):
            store.save(f"w/{copy}", ContentFile(made.working))
            store.save(f"b/{copy}", ContentFile(made.blurred))
    return source


def work(web: Web, session: Session) -> tuple[list[float], list[float]]:
    """Milliseconds to the next image, and to the clear one."""
    shown: list[float] = []
    revealed: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), headless=True, args=FLAGS)
        context = browser.new_context(viewport=SIZE, locale="en-GB")
        cookies = [one.split("=", 1) for one in session.headers["Cookie"].split("; ")]
        address = f"http://127.0.0.1:{web.port}"
        context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies])
        page = context.new_page()
        page.add_init_script(WATCH)
        page.goto(f"{address}/desk/general/")
        page.wait_for_selector("article.claim:not([hidden])")
        for number in range(WARM_UP + DECISIONS):
            page.wait_for_timeout(LOOK)
            page.evaluate(CLEAR)
            page.keyboard.down("Space")
            clear = page.evaluate("window.watched")
            page.keyboard.up("Space")
            page.evaluate(NEXT)
            page.keyboard.press("a")
            painted = page.evaluate("window.watched")
            if number >= WARM_UP:
                revealed.append(clear)
                shown.append(painted)
        page.wait_for_selector("main.desk[data-saving='0']", state="attached")
        browser.close()
    return shown, revealed


if __name__ == "__main__":
    main()
