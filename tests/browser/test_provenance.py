"""Where an image says it comes from, on the desk, in both themes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import PngImagePlugin
from playwright.sync_api import expect

import classifiers
from classifiers import registry
from classifiers.scenes import draw
from moderation.first_edition import bands
from moderation.models import Client, User
from moderation.triage import run_once
from tests import world
from tests.browser.conftest import NARROW, Opener
from tests.browser.desks import DESK, at_desk, card
from tests.browser.test_pages import in_both_themes, wider_than_window
from tests.classifiers.provenance import files, signing


def test_differences_stand_beside_the_image(window: Opener, platform: Client, guidelines: None, rita: User) -> None:
    known: Any = bands()
    world.publish(registry.register(Path(classifiers.__file__).parent / "signals" / "provenance.toml").ref, bands=known)
    buffer = io.BytesIO()
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", files.A1111)
    draw(21, size=512).image.save(buffer, "PNG", pnginfo=info, exif=files.exif(gps=True))
    world.submit(
        platform,
        signing.signed("PNG", image=buffer.getvalue()),
        prompt="a bowl of fruit on a table",
        generator={"name": "Midjourney", "version": "7", "seed": 5},
        territories=("DE",),
    )
    run_once()
    mine = window()
    page = at_desk(mine.enter(rita, DESK))
    section = card(page).locator(".provenance")
    section.scroll_into_view_if_needed()
    expect(section).to_contain_text("Valid, signer not on the trust list.")
    expect(section).to_contain_text("≠ declared Midjourney")
    section.get_by_text("What else the file says").click()
    expect(section).to_contain_text("Use for training")
    section.get_by_text("The file’s own words").click()
    expect(section).to_contain_text("a lighthouse at dusk")
    assert in_both_themes(mine, "desk-provenance") == []
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    mine.keep("desk-provenance-narrow")
    assert wider_than_window(page) == 0
