"""The pages of the learning loop on a phone, where tables scroll: free of barriers, whole, every table with a name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from classifiers.models import ClassifierVersion
from moderation.actors import Actor
from moderation.models import Client, TriagePlan, User
from review.exports import asking as exports
from review.exports import running as exporting
from review.label_audits import running as auditing
from review.labels.queries import Query
from review.models import Training, TrainingState
from review.selection import drawing
from review.trainings import asking
from tests import world
from tests.browser.conftest import Opener
from tests.browser.test_pages import in_both_themes, wider_than_window
from tests.review import trainable
from tests.review.label_audits.arranging import dataset, decided

PHONE = {"width": 390, "height": 844}
UNNAMED = """() => [...document.querySelectorAll("main table")]
  .filter((one) => !one.caption?.textContent.trim() && !one.ariaLabel).map((one) => one.textContent.slice(0, 60))"""
SKIPPED = """() => [...document.querySelectorAll("main :is(h1, h2, h3, h4)")]
  .filter((one) => one.checkVisibility()).map((one) => [Number(one.tagName[1]), one.textContent])
  .filter(([level], at, all) => level > (all[at - 1]?.[0] ?? 0) + 1).map(([, words]) => words)"""
SCOPELESS = """() => [...document.querySelectorAll("main th:not([scope])")].map((one) => one.textContent)"""


@pytest.fixture
def pages(platform: Client, eyes: TriagePlan, rita: User, ming: User, tmp_path: Path, settings: Any) -> list[str]:
    """Addresses of lists and of one of everything that they list."""
    settings.DATASETS_DIR, settings.DATA_DIR = tmp_path / "datasets", tmp_path / "data"
    settings.REVIEW_UNDO_SECONDS = 0
    actor = Actor.person(ming)
    images, truly = decided(platform, eyes, rita)
    audit = auditing.ask(dataset(images, truly, rita), actor=actor, person=ming)
    auditing.run(audit.pk)
    export = exports.ask(ming, query=Query(), kind="labels", format="jsonl")
    exporting.work_off(export.pk)
    eyes_of_all = ClassifierVersion.objects.get(name="colour-eyes")
    labels = trainable.dataset(eyes_of_all, n=20)
    trained, failed = (asking.ask(ming, dataset=labels.pk) for _ in range(2))
    heads = world.heads(tmp_path, eyes_of_all, {"REGULATED": (1.0, 0, 0, 0)})
    tell(trained, "", 3, state=TrainingState.DONE, version=heads, ended_at=trained.asked_at)
    tell(failed, "", 0, state=TrainingState.FAILED, words="no column says so", ended_at=failed.asked_at)
    draw = drawing.ask("random", 4, actor=actor, person=ming)
    drawing.draw(draw.pk)
    details: dict[str, list[Any]] = {
        "dataset": [export],
        "label-audit": [audit],
        "selection-draw": [draw],
        "training": [trained, failed],
    }
    lists = ["learning", "datasets", "dataset_new", "dataset_compare", "label-audits", "selection"]
    lists += ["selection-settings", "trainings", "training_new", "evaluations", "evaluation_new", "monitoring_settings"]
    return [
        *map(reverse, lists),
        *(reverse(name, args=[row.pk]) for name, rows in details.items() for row in rows),
    ]


def test_the_pages_of_learning_have_no_barriers_on_a_phone(window: Opener, pages: list[str], ming: User) -> None:
    phone = window(size=PHONE)
    page = phone.enter(ming, pages[0])
    found: list[Any] = []
    for path in pages:
        phone.open(path)
        page.evaluate("() => { for (const one of document.querySelectorAll('main details')) one.open = true; }")
        found += in_both_themes(phone)
        found += [(path, said) for script in (UNNAMED, SKIPPED, SCOPELESS) for said in page.evaluate(script)]
        if wider_than_window(page) > 0:
            found.append((path, "wider than the window"))
    assert found == []


@pytest.fixture
def watched(eyes: TriagePlan, ming: User, tmp_path: Path, settings: Any) -> Training:
    settings.DATASETS_DIR = tmp_path / "datasets"
    labels = trainable.dataset(ClassifierVersion.objects.get(name="colour-eyes"), n=20)
    return asking.ask(ming, dataset=labels.pk)


def test_what_a_person_opened_stays_while_a_training_runs(window: Opener, watched: Training, ming: User) -> None:
    tell(watched, "fitting", 1)
    page = window().enter(ming, reverse("training", args=[watched.pk]))
    page.get_by_text("As a table", exact=True).click()
    page.get_by_role("button", name="Cancel the training").focus()

    tell(watched, "fitting", 2)
    expect(page.get_by_role("row", name="2 0.5000")).to_be_visible()

    expect(page.get_by_role("button", name="Cancel the training")).to_be_focused()
    expect(page.locator("#told")).to_be_empty()
    tell(watched, "calibrating", 3)
    expect(page.locator("#told")).to_have_text("Running calibrating")


def tell(training: Training, stage: str, steps: int, **more: Any) -> None:
    """What its worker would have written down by then."""
    points = [{"step": at + 1, "loss": 1 / (at + 1)} for at in range(steps)]
    now = training.asked_at
    said = {"state": TrainingState.RUNNING, "attempts": 1, "heartbeat": now, "started_at": now, "share": 0.5}
    Training.objects.filter(pk=training.pk).update(**(said | {"stage": stage, "points": points} | more))
