"""What axe has to say about a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_axe = Axe()


def violations(page: Page, **options: Any) -> list[dict[str, Any]]:
    """All that axe finds wrong. What it finds right, each element of the page for each rule, it need not tell.

    Half a megabyte of axe is read in once a document, however often the document is asked about.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe.axe_script)
    found: dict[str, Any] = page.evaluate("(options) => axe.run(options)", {"resultTypes": ["violations"], **options})
    wrong: list[dict[str, Any]] = found["violations"]
    return wrong


def told(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """The violations in words, one for each element."""
    return [
        f"{one['id']}: {node['html'][:160]} {node.get('failureSummary', '')}" for one in found for node in one["nodes"]
    ]
