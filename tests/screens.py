"""Pictures of every screen, of a desk that went round the circle once and was then lived in: `make screenshots`.

    python -m tests.screens [NAME …] [--size 1440x900] [--theme dark]

They lie in artefacts/screenshots/, which git ignores; the desk they show keeps its data in artefacts/house/.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, sync_playwright

from tests import chromium

PROJECT: Final = Path(__file__).resolve().parents[1]
HOUSE: Final = PROJECT / "artefacts" / "house"
PICTURES: Final = PROJECT / "artefacts" / "screenshots"
SIZES: Final = ("1440x900", "1024x768", "390x844")
TOUCHED: Final = ("1024x768", "390x844")  # a tablet and a phone: fingers, no keys
THEMES: Final = ("dark", "light")
FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
START_SECONDS: Final = 300


SEVERAL: Final = (
    "/certificates/?category=WEAPONS_DANGEROUS&more=PRIVACY&more=REGULATED&more=CSAE&risk=FOR&limit=20&confidence=95"
)


def nothing(page: Page) -> None:
    """The page as it opens, with every image in it, also those that wait to be scrolled to."""
    page.evaluate("for (const one of document.images) one.loading = 'eager'")
    page.wait_for_load_state("networkidle")
    page.evaluate("Promise.allSettled([...document.images].map(one => one.decode()))")


def look(page: Page) -> None:
    """Past those that are shown without scores: the pictures explain the usual image."""
    for _ in range(6):
        page.locator("article.claim:not([hidden]) .stage, .rest.done:not([hidden])").first.wait_for()
        page.wait_for_load_state("networkidle")
        if not page.locator("article.claim:not([hidden])").filter(has_text="Judge for yourself").count():
            return
        page.wait_for_timeout(600)
        page.keyboard.press("s")
        page.wait_for_timeout(600)
        page.reload()


def reveal(page: Page) -> None:
    look(page)
    page.keyboard.press("v")
    page.wait_for_timeout(700)


def remember(page: Page) -> None:
    look(page)
    page.keyboard.press("h")
    page.locator("#past .past").first.wait_for()
    nothing(page)


def ask(page: Page) -> None:
    look(page)
    page.keyboard.press("b")


def tiles(page: Page) -> None:
    """With two of them marked."""
    page.locator(".tile").first.wait_for()
    for key in ("x", "ArrowRight", "ArrowRight", "x"):
        page.keyboard.press(key)
    page.wait_for_load_state("networkidle")


def simulate(page: Page) -> None:
    """A draft that approves more, tried on what is stored."""
    page.locator("[name=approve_NUDITY]").fill("0.4")
    page.get_by_role("button", name="Simulate").click()
    nothing(page)


def propose(page: Page) -> None:
    """The plan that waits for a colleague; where there is none yet, one is asked for."""
    if not page.locator("a[href*='/plans/proposals/']").count():
        page.goto(page.url.replace("/plans/", "/plans/draft/"))
        page.locator("[name=approve_NUDITY]").fill("0.15")
        page.locator("[name=note]").fill("Nudity is approved a little less readily.")
        page.get_by_role("button", name="Ask for approval").click()
        return nothing(page)
    return first_of("a[href*='/plans/proposals/']")(page)


def first_of(selector: str) -> Callable[[Page], None]:
    """Follows the first such link."""

    def follow(page: Page) -> None:
        link = page.locator(selector).first
        if link.count():
            page.goto(page.evaluate("node => node.href", link.element_handle()))

    return follow


@dataclass(frozen=True, slots=True)
class Screen:
    name: str
    path: str
    role: str = "moderator"
    act: Callable[[Page], None] = nothing


SCREENS: Final = (
    Screen("login", "/accounts/login/", role=""),
    Screen("home", "/", role="senior", act=look),
    Screen("queues", "/queues/", role="senior"),
    Screen("desk-blurred", "/desk/general/", act=look),
    Screen("desk-revealed", "/desk/general/", act=reveal),
    Screen("desk-blocking", "/desk/general/", act=ask),
    Screen("desk-escalated", "/desk/escalated/", role="senior", act=look),
    Screen("desk-history", "/desk/general/", act=remember),
    Screen("my-exposure", "/me/exposure/"),
    Screen("my-settings", "/me/settings/"),
    Screen("wellness", "/settings/wellness/", role="policy_lead"),
    Screen("quality", "/quality/", role="senior"),
    Screen("quality-mine", "/quality/me/"),
    Screen("gold", "/quality/gold/", role="senior"),
    Screen("sessions", "/quality/sessions/", role="senior"),
    Screen("plan-bands", "/policies/plans/bands/", role="policy_lead"),
    Screen("plan-simulation", "/policies/plans/draft/", role="policy_lead", act=simulate),
    Screen("queue-definitions", "/policies/queues/", role="policy_lead"),
    Screen("queue-new", "/policies/queues/new/", role="policy_lead"),
    Screen("search", "/search/?status=in_review", role="senior"),
    Screen("search-table", "/search/?as=table", role="senior"),
    Screen("grid", "/grid/general/", act=tiles),
    Screen("bulk", "/search/bulk?status=in_review", role="senior"),
    Screen("held", "/held/", role="senior"),
    Screen("legal-hold", "/legal-hold/", role="policy_lead"),
    Screen("policies", "/policies/", role="policy_lead"),
    Screen("policy", "/policies/WEAPONS_DANGEROUS/", role="policy_lead"),
    Screen("policy-edit", "/policies/WEAPONS_DANGEROUS/edit/", role="policy_lead"),
    Screen("policy-drafts", "/policies/proposals/", role="policy_lead"),
    Screen("policy-older", "/policies/WEAPONS_DANGEROUS/older/", role="policy_lead"),
    Screen("certificates", "/certificates/", role="policy_lead"),
    Screen("certificates-several", SEVERAL, role="policy_lead"),
    Screen("plan-proposal", "/policies/plans/", role="policy_lead", act=propose),
    Screen("monitoring", "/learning/monitoring/", role="ml_engineer"),
    Screen("monitoring-lines", "/learning/monitoring/settings/", role="ml_engineer"),
    Screen("plan", "/policies/plans/1/", role="policy_lead"),
    Screen("plan-draft", "/policies/plans/draft/", role="policy_lead"),
    Screen("guardrails", "/policies/guardrails/", role="policy_lead"),
    Screen("experiments", "/experiments/", role="policy_lead"),
    Screen("guardrail-settings", "/policies/guardrails/settings/", role="policy_lead"),
    Screen("terms", "/policies/terms/", role="policy_lead"),
    Screen("rules", "/policies/rules/", role="policy_lead"),
    Screen("banks", "/banks/", role="policy_lead"),
    Screen("learning", "/learning/", role="ml_engineer"),
    Screen("classifier", "/learning/", role="ml_engineer", act=first_of("main table a[href^='/learning/']")),
    Screen("datasets", "/learning/datasets/", role="ml_engineer"),
    Screen("dataset-new", "/learning/datasets/new/", role="ml_engineer"),
    Screen("dataset", "/learning/datasets/", role="ml_engineer", act=first_of("#made tbody a")),
    Screen("label-audits", "/learning/label-audits/", role="ml_engineer"),
    Screen("label-audit", "/learning/label-audits/", role="ml_engineer", act=first_of("main tbody a")),
    Screen("selection", "/learning/selection/", role="ml_engineer"),
    Screen("selection-draw", "/learning/selection/", role="ml_engineer", act=first_of("#draws ~ .scroll tbody a")),
    Screen("selection-settings", "/learning/selection/settings/", role="ml_engineer"),
    Screen("evaluations", "/learning/evaluations/", role="ml_engineer"),
    Screen("evaluation", "/learning/evaluations/", role="ml_engineer", act=first_of("main tbody th a")),
    Screen("evaluation-new", "/learning/evaluations/new/", role="ml_engineer"),
    Screen("gates", "/policies/plans/gates/", role="policy_lead"),
    Screen("trainings", "/learning/trainings/", role="ml_engineer"),
    Screen("training", "/learning/trainings/", role="ml_engineer", act=first_of("tr:has(.chip.ok) th a")),
    Screen("training-new", "/learning/trainings/new/", role="ml_engineer"),
    Screen("concepts", "/concepts/", role="policy_lead"),
    Screen("audit", "/audit/", role="auditor"),
)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.screens", description="Take pictures of every screen.")
    parser.add_argument("names", nargs="*", help="only these screens")
    parser.add_argument("--size", action="append", choices=SIZES, help="only windows of this size")
    parser.add_argument("--theme", action="append", choices=THEMES, help="only this theme")
    parser.add_argument("--port", type=int, default=8077)
    options = parser.parse_args(arguments)
    wanted = [one for one in SCREENS if not options.names or one.name in options.names]
    PICTURES.mkdir(parents=True, exist_ok=True)
    with house(options.port) as logins, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=list(FLAGS))
        for size in options.size or SIZES:
            for role in dict.fromkeys(one.role for one in wanted):
                shoot(browser, logins, role, [one for one in wanted if one.role == role], size, options.theme or THEMES)
        browser.close()
    print(PICTURES.relative_to(PROJECT))
    return 0


def shoot(
    browser: Browser, logins: dict[str, Any], role: str, screens: Sequence[Screen], size: str, themes: Sequence[str]
) -> None:
    width, height = map(int, size.split("x"))
    context = browser.new_context(
        viewport={"width": width, "height": height},
        has_touch=size in TOUCHED,
        is_mobile=size in TOUCHED,
        reduced_motion="reduce",
        locale="en-GB",
    )
    page = context.new_page()
    base = logins["base_url"]
    if role:
        page.goto(f"{base}/accounts/login/")
        page.get_by_label("User name").fill(logins["users"][role]["username"])
        page.get_by_label("Password").fill(logins["users"][role]["password"])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(re.compile(r"^(?!.*/accounts/login)"))
    for theme in themes:
        context.add_cookies([{"name": "loupe_theme", "value": theme, "url": base}])
        for screen in screens:
            page.goto("about:blank")  # what the desk held goes back before it is asked for again
            page.goto(f"{base}{screen.path}")
            screen.act(page)
            page.screenshot(path=PICTURES / f"{screen.name}-{size}-{theme}.png")
            print(f"{screen.name} {size} {theme}", flush=True)
    context.close()


@contextmanager
def house(port: int) -> Iterator[dict[str, Any]]:
    """For the block, a demo desk whose circle has closed once; how to sign in there."""
    environment = {**os.environ, "LOUPE_DATA_DIR": str(HOUSE), "DEBUG": "1"}
    command = [sys.executable, "manage.py", "demo", "--port", str(port)]
    if not (HOUSE / "demo.json").exists():
        subprocess.run([*command, "--check"], cwd=PROJECT, env=environment, check=True)
    subprocess.run([sys.executable, "-m", "tests.lived"], cwd=PROJECT, env=environment, check=True)
    (HOUSE / "demo.json").unlink(missing_ok=True)
    desk = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield await_ready(desk, port)
    finally:
        desk.terminate()  # not SIGINT, which a job in the background has been told to ignore
        desk.wait(60)


def await_ready(desk: subprocess.Popen[bytes], port: int) -> dict[str, Any]:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and desk.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                logins: dict[str, Any] = json.loads((HOUSE / "demo.json").read_text())
                return logins
        except (urllib.error.URLError, OSError, json.JSONDecodeError):
            time.sleep(0.5)
    sys.exit("The demo desk did not come up.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
