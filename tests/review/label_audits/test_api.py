"""Label audits and selections by API, for ML engineers who have signed in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser

from moderation.models import Client, Reason, ReviewRequest, TriagePlan, User
from moderation.triage import run_once
from review.label_audits import running
from review.models import Dataset, LabelAudit, Selection
from review.selection import drawing
from tests import world
from tests.moderation.callers import stranger, with_key, with_session
from tests.moderation.test_api_schema import assert_fits
from tests.review.label_audits.arranging import IMAGES, dataset, decided, hold

AUDITS, SELECTIONS = "/api/v1/label-audits", "/api/v1/selections"


@pytest.fixture(autouse=True)
def at_once(settings: Any, tmp_path: Path) -> None:
    settings.REVIEW_UNDO_SECONDS = 0
    settings.DATASETS_DIR = tmp_path / "datasets"


@pytest.fixture
def schema() -> dict[str, Any]:
    described: dict[str, Any] = Browser().get("/api/schema/").json()
    return described


@pytest.fixture
def made(platform: Client, eyes: TriagePlan, rita: User) -> Dataset:
    images, truly = decided(platform, eyes, rita)
    return dataset(images, truly, rita)


def test_an_audit_is_asked_for_read_and_sent(made: Dataset, ming: User, schema: dict[str, Any]) -> None:
    caller = with_session(ming)
    answer = caller.post(AUDITS, {"dataset": str(made.pk)}, format="json")
    assert answer.status_code == 201
    assert (answer.json()["done"], answer.json()["made_by"]) == (False, "ming")
    path = f"{AUDITS}/{answer.json()['id']}"
    running.run_pending()
    found = caller.get(path).json()
    assert (found["done"], found["fingerprint"], found["flagged"]) == (True, made.fingerprint, 3)
    assert [one["place"] for one in found["suspects"]] == list(range(1, IMAGES + 1))
    assert caller.post(f"{path}/send", {"count": 2}, format="json").json() == {"opened": 2, "open_before": 0}
    assert [one["came"] for one in caller.get(path).json()["suspects"]].count("waiting") == 2
    assert ReviewRequest.objects.filter(reason=Reason.SECOND_OPINION, closed_at__isnull=True).count() == 2
    hold(found["suspects"][-1]["submission_id"])
    whole, listed = caller.get(path).json(), caller.get(AUDITS).json()
    assert len(whole["suspects"]) == IMAGES - 1
    assert [one["id"] for one in listed["results"]] == [found["id"]]
    assert_fits(whole, "OneLabelAudit", schema)
    assert_fits(listed, "PaginatedLabelAuditAnswerList", schema)


def test_a_draw_is_asked_for_and_read(platform: Client, eyes: TriagePlan, ming: User, schema: dict[str, Any]) -> None:
    for at, red in enumerate((0.02, 0.1, 0.18)):
        world.submit(platform, world.png(red=red, seed=at))
    while run_once().claimed:
        pass
    caller = with_session(ming)
    answer = caller.post(SELECTIONS, {"budget": 2, "strategy": "random", "seed": 7}, format="json")
    assert answer.status_code == 201
    drawing.draw_pending()
    found = caller.get(f"{SELECTIONS}/{answer.json()['id']}").json()
    assert (found["done"], found["opened"], found["candidates"], found["seed"]) == (True, 2, 3, 7)
    assert [one["probability"] for one in found["images"]] == pytest.approx([2 / 3, 2 / 3])
    asked = ReviewRequest.objects.filter(reason=Reason.LEARNING).values_list("submission_id", flat=True)
    assert {one["submission_id"] for one in found["images"]} == {str(key) for key in asked}
    listed = caller.get(SELECTIONS).json()
    assert [one["id"] for one in listed["results"]] == [found["id"]]
    assert_fits(found, "OneSelection", schema)
    assert_fits(listed, "PaginatedSelectionAnswerList", schema)


@pytest.mark.parametrize(
    ("path", "order", "pointer"),
    [
        (AUDITS, {"dataset": "00000000-0000-7000-8000-000000000000"}, "#/dataset"),
        (AUDITS, {}, "#/dataset"),
        (SELECTIONS, {"budget": 0}, "#/budget"),
        (SELECTIONS, {"budget": 1, "strategy": "luck"}, "#/strategy"),
        (SELECTIONS, {"budget": 1, "backbone": "nobody@1"}, "#/backbone"),
    ],
)
def test_what_cannot_be_asked_is_a_problem(ming: User, path: str, order: dict[str, Any], pointer: str) -> None:
    answer = with_session(ming).post(path, order, format="json")
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert not LabelAudit.objects.exists()
    assert not Selection.objects.exists()


@pytest.mark.parametrize("who", ["eve", "rita", "sam", "paula", "ari"])
def test_whoever_is_no_engineer_gets_none_of_it(request: pytest.FixtureRequest, db: None, who: str) -> None:
    caller = with_session(request.getfixturevalue(who))
    refused(caller, 403)


def test_neither_keys_nor_strangers(api_key: str) -> None:
    refused(with_key(api_key), 403)
    refused(stranger(), 401)


def refused(caller: Any, status: int) -> None:
    key = "00000000-0000-7000-8000-000000000000"
    read = (AUDITS, f"{AUDITS}/{key}", SELECTIONS, f"{SELECTIONS}/{key}")
    assert {caller.get(path).status_code for path in read} == {status}
    written = (AUDITS, f"{AUDITS}/{key}/send", SELECTIONS)
    assert {caller.post(path, {}, format="json").status_code for path in written} == {status}
