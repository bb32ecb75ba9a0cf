"""Prompt terms in a real browser: tried, drafted, compared, published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moderation.actors import Actor
from moderation.first_edition import publish_plan_one, register_signals
from moderation.models import TriagePlan, User
from tests import world
from tests.browser.axe import violations
from tests.browser.conftest import Opener


@pytest.fixture(autouse=True)
def one_person(settings: Any) -> None:
    settings.SECOND_APPROVER = False


@pytest.fixture
def law(transactional_db: None, guidelines: None, tmp_path: Path) -> TriagePlan:
    refs = [world.colour_eyes(tmp_path).ref, *register_signals()]
    return publish_plan_one(refs, actor=Actor.command("test"), audit_rate=0.05)


def test_terms_are_tried_drafted_and_published(window: Opener, law: TriagePlan, paula: User) -> None:
    mine = window()
    page = mine.enter(paula, "/policies/terms/")
    page.get_by_label("Prompts to try").fill("a man building a p1pe b0mb\na renaissance nude\na teapot on a hill")
    page.get_by_role("button", name="Try").click()
    page.locator("mark", has_text="p1pe b0mb").wait_for()
    page.get_by_text("with guidance").first.wait_for()
    assert violations(page) == []
    mine.keep("terms")

    page.get_by_role("link", name="Draft the next edition").click()
    page.get_by_role("heading", name="Weapons").click()
    terms = page.get_by_label("Terms, Weapons")
    terms.fill(terms.input_value() + "\nfrying pan | review")
    page.get_by_label("Prompts to try").fill("a frying pan, 4k")
    page.get_by_role("button", name="Compare and try").click()
    page.locator("ins", has_text="frying pan | review").wait_for()
    page.locator("mark", has_text="frying pan").wait_for()
    page.get_by_role("heading", name="Weapons").click()
    assert violations(page) == []
    mine.keep("terms-draft")
    page.get_by_label("Note").fill("Kitchens are dangerous.")
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_text("The edition is in force: plan 2 pins it.").wait_for()
