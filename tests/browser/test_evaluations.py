"""A version is measured, read and promoted in a real browser, in both themes and on a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from classifiers.models import ClassifierVersion
from moderation.actors import Actor
from moderation.models import Client, TriagePlan, User
from review.evaluations import measuring, orders
from review.models import Evaluation
from tests import world
from tests.browser.conftest import Opener
from tests.browser.test_pages import barriers, in_both_themes, wider_than_window
from tests.review.evaluating import dataset, images, taught, versions

PHONE = {"width": 390, "height": 844}
GATES: dict[str, Any] = {
    "tolerance": 0.02,
    "slices": ["language", "generator"],
    "calibration": 0.15,
    "fairness": {"equal_opportunity": 0.2, "disparate_impact": 0.7},
    "groups": ["language"],
    "alpha": 0.05,
    "delta": 0.1,
}


@pytest.fixture
def row(eyes: TriagePlan, platform: Client, tmp_path: Path, settings: Any) -> Evaluation:
    settings.DATASETS_DIR = tmp_path / "datasets"
    data = dataset(images(platform, 600), backbone="colour-eyes@1")
    new, old = versions(tmp_path)
    world.publish(old.ref, gates=GATES)
    known = taught(new, "3", by=data, privacy={"epsilon": 6.52, "delta": 1e-5, "statement": "Trained with noise."})
    terms = measuring.Terms(alpha=0.05, delta=0.1, plan=TriagePlan.objects.in_force(), replicates=100)
    figures = orders.figures(known, old, dataset=data, split="test", terms=terms)
    return orders.keep(figures, known, old, dataset=data, split="test", actor=Actor.command("evaluate"))


def test_what_an_evaluation_found_can_be_read_and_acted_on(window: Opener, row: Evaluation, ming: User) -> None:
    mine = window()
    page = mine.enter(ming, "/learning/evaluations/")
    assert in_both_themes(mine, "evaluations") == []
    page.get_by_role("link", name=row.candidate.ref).click()
    expect(page.get_by_role("heading", name="At equal risk")).to_be_visible()
    assert in_both_themes(mine, "evaluation") == []
    for part in ("curves", "fairness", "moved"):
        page.locator(f"#{part}").scroll_into_view_if_needed()
        page.evaluate("part => document.getElementById(part).scrollIntoView()", part)
        mine.keep(f"evaluation-{part}")
    assert page.locator("#moved img").first.evaluate("one => one.decode().then(() => one.naturalWidth)") > 0
    page.get_by_role("link", name=row.candidate.ref).first.click()
    assert in_both_themes(mine, "classifier-gates") == []
    mine.open("/learning/evaluations/new/")
    assert in_both_themes(mine, "evaluation-new") == []

    mine.open(f"/learning/{row.candidate.pk}/")
    page.get_by_text("Adopt…").click()
    page.get_by_label("Note").fill("clearer in both languages")
    page.get_by_role("button", name="Yes, ask for approval").click()

    expect(page.get_by_text("waits for a second person")).to_be_visible()


def test_the_pages_fit_a_phone(window: Opener, row: Evaluation, ming: User, paula: User) -> None:
    phone = window(size=PHONE)
    page = f"/learning/evaluations/{row.pk}/"
    paths = {
        "evaluations": "/learning/evaluations/",
        "evaluation": page,
        "classifier-gates": f"/learning/{row.candidate.pk}/",
    }
    for name, path in paths.items():
        assert wider_than_window(phone.enter(ming, path)) <= 0
        assert barriers(phone.page) == []
        phone.keep(f"{name}-390")
    lead = window(size=PHONE)
    assert wider_than_window(lead.enter(paula, "/policies/plans/gates/")) <= 0
    assert in_both_themes(lead, "gates") == []


def test_a_page_that_waits_turns_to_the_figures(window: Opener, row: Evaluation, ming: User) -> None:
    new = ClassifierVersion.objects.get(name="heads", version="2")
    order = orders.ask(
        ming, new, row.incumbent, dataset=row.dataset, split="test", alpha=0.1, delta=0.1, by=["language"]
    )
    page = window().enter(ming, f"/learning/evaluations/orders/{order.pk}/")
    expect(page.get_by_role("heading", name="Waits for a worker")).to_be_visible()

    orders.work_off()

    expect(page.get_by_role("heading", name="At equal risk")).to_be_visible()
