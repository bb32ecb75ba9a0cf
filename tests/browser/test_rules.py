"""Rules in a real browser: written, refused with the place, tried, published, switched to live."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from moderation.models import Client, TriagePlan, User
from moderation.rules.publishing import in_force
from moderation.triage import run_once
from tests import world
from tests.browser.axe import told, violations
from tests.browser.conftest import Opener, Window
from tests.moderation.rulings import put, rule


@pytest.fixture(autouse=True)
def one_person(settings: Any) -> None:
    settings.SECOND_APPROVER = False


@pytest.fixture
def images(transactional_db: None, eyes: TriagePlan, platform: Client) -> None:
    for number in range(12):
        audience = "teen" if number % 3 == 0 else "general"
        prompt = "a rose on a table" if number % 2 else "a man in uniform, at night"
        world.submit(platform, world.png(red=0.03 * number, seed=number), prompt=prompt, audience=audience)
    run_once()


def test_a_rule_is_written_refused_tried_and_published(window: Opener, images: None, paula: User) -> None:
    mine = window()
    page = mine.enter(paula, "/policies/rules/")
    page.get_by_role("link", name="Write the first rule", exact=True).click()
    page.get_by_label("Name").fill("Uniforms")
    page.get_by_label("When").fill('prompt.contains("uniform") &&\n  audiense == "teen"')
    page.get_by_role("button", name="Try").click()
    page.get_by_text("Line 2, column 3: “audiense” is no field and no function. Is “audience” meant?").wait_for()
    expect(page.get_by_label("Name")).to_have_value("Uniforms")

    page.get_by_label("When").fill('prompt.contains("uniform") &&\n  audience == "teen"')
    page.get_by_label("Mode").select_option("live")
    page.get_by_role("button", name="Try").click()
    page.get_by_text("holds on 2 images").click()
    page.get_by_role("cell", name="a man in uniform, at night").first.wait_for()
    checked(mine, page, "rules-tried")

    page.get_by_label("Note").fill("Uniforms are for a person.")
    page.get_by_role("button", name="Publish").click()
    page.get_by_text("Plan 2 is in force with these rules.").wait_for()
    checked(mine, page, "rules")
    assert in_force() is not None


def test_the_form_asks_only_for_what_an_effect_needs(window: Opener, images: None, paula: User) -> None:
    page = window().enter(paula, "/policies/rules/draft/")
    expect(page.get_by_label("Queue")).to_be_visible()
    expect(page.get_by_label("By, or at")).to_be_hidden()

    page.get_by_label("Then").select_option("tighten")

    expect(page.get_by_label("Queue")).to_be_hidden()
    expect(page.get_by_label("By, or at")).to_be_visible()


def test_a_rule_goes_live_after_one_more_question(window: Opener, images: None, paula: User) -> None:
    put(rule("Uniforms", mode="shadow"))
    page = window().enter(paula, "/policies/rules/")

    page.get_by_text("go live…").click()
    assert TriagePlan.objects.count() == 2
    page.get_by_role("button", name="Yes, with effect from now on").click()

    page.get_by_text("“Uniforms” is live.").wait_for()


def checked(mine: Window, page: Page, name: str) -> None:
    """No fault that axe knows of, in either theme."""
    for theme in ("dark", "light"):
        page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", theme)
        found = violations(page)
        assert found == [], told(found)
        mine.keep(f"{name}-{theme}")
