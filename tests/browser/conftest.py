"""A real Chromium at the real desk. A console error, a page error or a breach of the CSP fails the test at fault."""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client as HttpClient
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from classifiers.scenes import draw
from moderation.models import Client, TriagePlan, User
from moderation.triage import run_once
from tests import chromium, world

ARTEFACTS: Final = Path(__file__).resolve().parents[2] / "artefacts" / "browser"
WIDE: Final = {"width": 1440, "height": 900}
NARROW: Final = {"width": 1024, "height": 768}
PATIENCE: Final = 20_000  # ms; a machine that does other work too answers late, and nothing is proved by that
expect.set_options(timeout=PATIENCE)
FLAGS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


@pytest.fixture(scope="session")
def chromium_browser() -> Iterator[Browser]:
    """Playwright's synchronous API keeps an event loop on this thread, which Django takes for asynchronous code.

    To Django the thread inside the loop is another one, with a connection of its own: none may outlive its side.
    """
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    connections.close_all()
    try:
        with sync_playwright() as playwright:
            browser = launch(playwright)
            yield browser
            browser.close()
            connections.close_all()
    finally:
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
        else:
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


def launch(playwright: Playwright) -> Browser:
    path = chromium.find()
    if path is None:
        pytest.fail("no Chromium is installed; `make install` gets one")
    return playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)


class Window:
    """One person's browser window, with their session in it."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context = context
        self.address = address
        self.troubles: list[str] = []
        self.expected: tuple[str, ...] = ()
        self.page: Page = context.new_page()
        self.page.on("console", self.hear)
        self.page.on("pageerror", lambda error: self.troubles.append(f"page error: {error}"))
        self.page.set_default_timeout(PATIENCE)

    def hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(words in message.text for words in self.expected):
            self.troubles.append(f"{message.text} ({message.location.get('url', '')})")

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.address}{path}")
        return self.page

    def log_in(self, person: User) -> Page:
        """By the form, as a person does."""
        page = self.open("/")
        page.get_by_label("User name").fill(person.username)
        page.get_by_label("Password").fill(f"{person.username}-likes-to-look-closely")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/accounts/login" not in url)
        return page

    def enter(self, person: User, path: str) -> Page:
        """With a session made beforehand: hashing a password in every test would take most of its time."""
        client = HttpClient()
        client.force_login(person)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        self.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.address}])
        return self.open(path)

    def keep(self, name: str) -> None:
        """A screenshot among the artefacts."""
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{name}.png")


Opener = Callable[..., Window]


@pytest.fixture
def window(chromium_browser: Browser, live_server: LiveServer, transactional_db: None) -> Iterator[Opener]:
    """Opens windows that share nothing with one another; each must stay without a complaint in its console."""
    opened: list[Window] = []

    def opener(*, size: dict[str, int] = WIDE) -> Window:
        context = chromium_browser.new_context(viewport=size, reduced_motion="reduce", locale="en-GB")  # type: ignore[arg-type]
        opened.append(Window(context, live_server.url))
        return opened[-1]

    yield opener
    troubles = [trouble for one in opened for trouble in one.troubles]
    for one in opened:
        # A page that goes away says goodbye; the next test must not hear it. That it cannot is no trouble of the page.
        one.context.set_offline(True)
        one.context.close()
    fall_silent()
    assert not troubles, "\n".join(troubles)


def fall_silent(*, within: float = 10.0) -> None:
    """Waits until the live server answers nobody any more: a late request would meet the next test's empty tables."""
    deadline = time.monotonic() + within
    while any("process_request_thread" in thread.name for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "the live server is still busy"
        time.sleep(0.01)


@pytest.fixture
def flats(platform: Client, eyes: TriagePlan) -> Callable[[int], None]:
    """Sends flat colours, quickly made: each goes to a person for Weapons, every other category being far below."""

    def send(count: int) -> None:
        for seed in range(count):
            world.submit(platform, world.png(red=0.5, seed=seed), prompt=f"a red wall, number {seed}")
        run_once()

    return send


@pytest.fixture
def scenes(platform: Client, eyes: TriagePlan) -> Callable[[int], None]:
    """Sends drawn scenes, for screenshots; their colours put every one of them in front of a person."""

    def send(count: int) -> None:
        for seed in range(count):
            scene = draw(seed + 20, size=768)
            buffer = io.BytesIO()
            scene.image.save(buffer, "PNG")
            world.submit(
                platform,
                buffer.getvalue(),
                prompt=scene.prompt,
                negative_prompt="text, watermark",
                generator={"name": "Loupe scenes", "version": "1", "seed": seed},
                external_id=f"scene-{seed}",
                territories=("DE", "FR"),
            )
        run_once()

    return send
