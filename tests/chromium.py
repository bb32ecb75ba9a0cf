"""Which browser the tests drive: an installed Chromium or Chrome, else Playwright's own.

`python -m tests.chromium` prints its path, or exits with 1 when there is none yet (the Makefile then gets one).
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
APPLICATIONS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def find() -> str | None:
    """The path of a browser that is there, or None."""
    installed = [path for path in map(shutil.which, NAMES) if path]
    installed += [path for path in APPLICATIONS if Path(path).exists()]
    return installed[0] if installed else _playwrights_own()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


if __name__ == "__main__":
    found = find()
    print(found or "no Chromium or Chrome is installed", file=sys.stdout if found else sys.stderr)
    sys.exit(0 if found else 1)
