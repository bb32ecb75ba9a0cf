"""A simulated plan against a labelled data set: as figures, by page, by API and by command."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from classifiers import manifests
from moderation.models import Client, Submission, TriagePlan, User
from moderation.plans import Plan
from moderation.policies import parsed
from moderation.triage import run_once
from review import yardstick
from review.models import Dataset
from review.yardstick import UnfitYardstick, measured
from tests import world
from tests.moderation.callers import at_page, with_session
from tests.review.test_simulation_pages import draft

RED, GREEN = "WEAPONS_DANGEROUS", "REGULATED"
SIMULATE = "/api/v1/plans/draft/simulate"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, settings: Any) -> Path:
    settings.DATASETS_DIR = tmp_path / "datasets"
    return tmp_path / "datasets"


def made(folder: Path, rows: Sequence[Mapping[str, Any]], name: str = "one") -> Dataset:
    """A data set of these rows, with its files where the house looks for them."""
    plain: dict[str, Any] = {"weight": 1.0, "split": "test", "sha256": "0" * 64}
    manifest = manifests.write([manifests.Row(**{**plain, **row}) for row in rows], folder / name)  # type: ignore[typeddict-item]
    return Dataset.objects.create(fingerprint=manifest.fingerprint, rows=len(rows), query={}, folder=name)


@pytest.fixture
def reds(eyes: TriagePlan, platform: Client) -> list[Submission]:
    """Ten images, from hardly to fully red."""
    for tenth in range(10):
        world.submit(platform, world.png(red=(tenth + 0.5) / 10, size=32))
    run_once()
    return list(Submission.objects.order_by("pk"))


@pytest.fixture
def labelled(reds: list[Submission], own_folder: Path) -> Dataset:
    """From half red on they violate, but for the reddest."""
    rows = [{"submission_id": str(one.pk), "category": RED, "label": int(4 < at < 9)} for at, one in enumerate(reds)]
    return made(own_folder, rows)


def drawn(plan: TriagePlan, approve: float, block: float | None) -> dict[str, Any]:
    return {**plan.body, "bands": {**plan.body["bands"], RED: {"approve": approve, "block": block}}}


def bands(plan: TriagePlan, approve: float, block: float | None) -> Plan:
    return Plan.from_body(drawn(plan, approve, block), number=0)


def test_each_error_is_a_share_of_what_the_labels_say(labelled: Dataset, eyes: TriagePlan) -> None:
    found, said = measured(labelled, parsed(eyes), bands(eyes, 0.7, 0.8))

    assert (found.images, said.labels, said.violating, said.absent) == (10, 10, 4, 0)
    assert (said.before.missed.value, said.before.missed.labels) == (0.0, 2)
    assert (said.before.wrongful.value, said.before.wrongful.labels) == (1.0, 1)
    assert said.after.missed.value == pytest.approx(2 / 7)
    assert said.after.missed.labels == 7
    assert (said.after.wrongful.value, said.after.precision.value) == (0.5, 0.5)
    assert (said.after.recall.value, said.after.recall.labels) == (0.5, 4)
    assert said.after.recall.low < 0.5 < said.after.recall.high
    (one,) = said.categories
    assert (one.category, one.labels, one.violating, one.after) == (RED, 10, 4, said.after)


def test_what_an_image_weighs_in_the_set_it_weighs_here(
    reds: list[Submission], eyes: TriagePlan, own_folder: Path
) -> None:
    rows = [
        {"submission_id": str(reds[0].pk), "category": RED, "label": 1, "weight": 1.0},
        {"submission_id": str(reds[1].pk), "category": RED, "label": 0, "weight": 9.0},
    ]

    _found, said = measured(made(own_folder, rows), parsed(eyes), parsed(eyes))

    assert said.before.missed.value == pytest.approx(0.1)


def test_a_block_for_what_nobody_labelled_is_neither_right_nor_wrong(
    eyes: TriagePlan, platform: Client, own_folder: Path
) -> None:
    one = world.triaged(platform, world.png(green=0.95))
    rows = [{"submission_id": str(one.pk), "category": RED, "label": 0}]

    found, said = measured(made(own_folder, rows), parsed(eyes), parsed(eyes))

    assert found.actions_before["block"] == 1
    assert (said.labels, said.before.wrongful.labels) == (1, 0)


def test_labels_of_images_that_are_not_here_are_counted_and_left_out(
    reds: list[Submission], eyes: TriagePlan, own_folder: Path
) -> None:
    rows: list[dict[str, Any]] = [
        {"submission_id": str(reds[0].pk), "category": RED, "label": 0},
        {"submission_id": str(uuid4()), "category": RED, "label": 1},
        {"submission_id": "cat-0001", "category": RED, "label": 1},
        {"submission_id": str(reds[1].pk), "category": RED, "label": None},
    ]

    found, said = measured(made(own_folder, rows), parsed(eyes), parsed(eyes))

    assert (found.images, said.labels, said.absent) == (1, 1, 2)


def test_overlays_hold_for_the_images_of_a_data_set_too(eyes: TriagePlan, platform: Client, own_folder: Path) -> None:
    sent = [world.triaged(platform, world.png(red=0.5), territories=[code]) for code in ("DE", "US")]
    rows = [{"submission_id": str(one.pk), "category": RED, "label": 1} for one in sent]
    overlay = {"name": "de", "territories": ["DE"], "bands": {RED: {"approve": 0.8, "block": 0.9}}}
    plan = Plan.from_body({**eyes.body, "overlays": [overlay]}, number=0)

    found, said = measured(made(own_folder, rows), parsed(eyes), plan)

    assert (found.actions_after["approve"], found.actions_after["review"]) == (1, 1)
    assert said.after.recall.value == 0.5


def test_one_part_of_it_is_measured_and_who_learnt_from_it_is_named(
    eyes: TriagePlan, platform: Client, own_folder: Path, tmp_path: Path
) -> None:
    sent = [world.submit(platform, world.png(red=0.5, seed=seed)) for seed in range(3)]
    parts = ("train", "train", "test")
    rows = [
        {"submission_id": str(one.pk), "category": RED, "label": 0, "split": part}
        for one, part in zip(sent, parts, strict=True)
    ]
    dataset = made(own_folder, rows)
    learnt = world.colour_eyes(tmp_path, version="2", more=f'manifest_fingerprint = "{dataset.fingerprint}"\n')
    plan = parsed(world.publish(learnt.ref))
    run_once()

    _found, said = measured(dataset, plan, plan, split="test")

    assert (said.labels, list(said.learnt)) == (1, ["colour-eyes@2"])


def test_files_that_were_changed_or_are_gone_measure_nothing(
    labelled: Dataset, eyes: TriagePlan, own_folder: Path
) -> None:
    with (own_folder / "one" / "labels.parquet").open("ab") as file:
        file.write(b"more")
    with pytest.raises(UnfitYardstick, match="was changed"):
        measured(labelled, parsed(eyes), parsed(eyes))

    (own_folder / "one" / "manifest.json").unlink()
    with pytest.raises(UnfitYardstick, match="not on this machine"):
        measured(labelled, parsed(eyes), parsed(eyes))


def test_it_is_named_by_id_or_fingerprint_or_the_first_digits_of_it(labelled: Dataset) -> None:
    for name in (str(labelled.pk), labelled.fingerprint, labelled.fingerprint[:12]):
        assert yardstick.named(name) == labelled
    for name in ("", labelled.fingerprint[:5], str(uuid4()), "0" * 64):
        with pytest.raises(Dataset.DoesNotExist):
            yardstick.named(name)


def test_the_api_measures_a_draft_by_a_data_set(labelled: Dataset, eyes: TriagePlan, paula: User) -> None:
    body = {"plan": drawn(eyes, 0.7, 0.8), "dataset": labelled.fingerprint, "split": "test"}

    answer = with_session(paula).post(SIMULATE, body, format="json")

    assert answer.status_code == 200, answer.json()
    said = answer.json()
    assert (said["images"], "people" in said, said["labelled"]["labels"]) == (10, False, 10)
    assert said["labelled"]["after"]["recall"]["value"] == 0.5
    assert said["labelled"]["categories"][0]["category"] == RED


@pytest.mark.parametrize("more", [{"dataset": "0" * 64}, {"dataset": 7}, {"split": "half"}])
def test_the_api_says_what_is_wrong(labelled: Dataset, eyes: TriagePlan, paula: User, more: dict[str, Any]) -> None:
    body = {"plan": eyes.body, "dataset": labelled.fingerprint, **more}

    answer = with_session(paula).post(SIMULATE, body, format="json")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"#/{next(iter(more))}"


def test_without_the_right_nobody_measures(labelled: Dataset, eyes: TriagePlan, eve: User) -> None:
    body = {"plan": eyes.body, "dataset": labelled.fingerprint}
    assert with_session(eve).post(SIMULATE, body, format="json").status_code == 403
    assert at_page(eve).post(reverse("plan_simulation"), {"dataset": labelled.fingerprint}).status_code == 403


def test_the_page_measures_by_a_data_set_until_a_size_is_chosen(labelled: Dataset, paula: User) -> None:
    browser = at_page(paula)
    sent = draft(
        browser, **{f"approve_{RED}": "0.7", "dataset": labelled.fingerprint, "split": "test", "size": "10000"}
    )

    page = browser.post(reverse("plan_simulation"), sent)
    words = page.content.decode()
    plain = browser.post(reverse("plan_simulation"), {**sent, "last": "10000"})
    listed = browser.post(reverse("plan_simulation"), {**sent, "format": "csv"}).content.decode().splitlines()

    assert page.context["measured"].labels == 10
    assert f'value="{labelled.fingerprint}" selected' in words
    assert "What the data set says" in words
    assert "measured" not in plain.context
    assert plain.context["people"].labels == 0
    assert len(listed) == 1 + len(page.context["found"].moved)


def test_the_page_says_why_a_data_set_cannot_be_used(labelled: Dataset, paula: User) -> None:
    browser = at_page(paula)

    page = browser.post(reverse("plan_simulation"), draft(browser, dataset="0" * 64))

    assert page.status_code == 200
    assert "There is no such data set" in page.content.decode()


def test_the_command_measures_by_a_data_set(labelled: Dataset, eyes: TriagePlan, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(drawn(eyes, 0.7, 0.8)))
    told, counted = StringIO(), StringIO()

    call_command("simulate", "--plan", str(file), "--dataset", labelled.fingerprint, stdout=told)
    call_command("simulate", "--plan", str(file), "--dataset", str(labelled.pk), "--json", stdout=counted)

    assert "recall, violations not approved: 100.00 % (51.01–100.00) → 50.00 %" in told.getvalue()
    assert f"{RED}, 10 labels:" in told.getvalue()
    assert json.loads(counted.getvalue())["labelled"]["after"]["wrongful"]["value"] == 0.5


@pytest.mark.parametrize(
    ("more", "code"), [(["--dataset", "0" * 64], 2), (["--split", "test"], 2), (["--dataset", "gone"], 2)]
)
def test_the_command_says_what_is_wrong(eyes: TriagePlan, tmp_path: Path, more: list[str], code: int) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(eyes.body))

    with pytest.raises(CommandError) as refused:
        call_command("simulate", "--plan", str(file), *more)

    assert refused.value.returncode == code
