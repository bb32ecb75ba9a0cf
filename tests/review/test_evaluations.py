"""Versions are measured on labels they never saw: against each other, by slice and group, and on the record."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from fairlearn import metrics as fairlearn
from pytest_django import Settings

from classifiers import manifests
from classifiers.models import ClassifierVersion
from moderation import lifecycle
from moderation.actors import HOUSE
from moderation.models import AuditEvent, Client, Status, Submission, TriagePlan, User
from moderation.plans import Band
from review.datasets import folder_of
from review.evaluations import labelled, measuring, moving, orders
from review.evaluations.declaring import UnknownAttribute, checked, plain
from review.evaluations.labelled import NothingToMeasure
from review.models import Dataset, Evaluation, OrderState
from review.quality import gold
from tests import world
from tests.review.evaluating import CODE, dataset, images, taught, versions

Pair = tuple[ClassifierVersion, ClassifierVersion]


@pytest.fixture
def rows(eyes: TriagePlan, platform: Client, settings: Settings, tmp_path: Path) -> list[Submission]:
    settings.DATASETS_DIR = tmp_path / "datasets"
    return images(platform, 240)


@pytest.fixture
def data(rows: list[Submission]) -> Dataset:
    return dataset(rows, backbone="colour-eyes@1")


@pytest.fixture
def pair(data: Dataset, tmp_path: Path) -> Pair:
    return versions(tmp_path)


def measured(pair: Pair, data: Dataset, **terms: Any) -> dict[str, Any]:
    terms = {"alpha": 0.1, "delta": 0.2, "plan": TriagePlan.objects.in_force(), "replicates": 40, **terms}
    found = orders.figures(*pair, dataset=data, split="test", terms=measuring.Terms(**terms))
    said: dict[str, Any] = json.loads(json.dumps(found, allow_nan=False))
    return said


def test_the_clearer_version_is_found_better_and_leaves_less_to_people(pair: Pair, data: Dataset) -> None:
    one = measured(pair, data)["categories"][CODE]

    assert (one["compared"]["n"], one["compared"]["clusters"]) == (96, 96)
    assert {one["compared"]["differences"][name]["verdict"] for name in ("auc", "ap", "log_loss")} == {"better"}
    assert one["load"]["candidate"]["load"] < one["load"]["incumbent"]["load"]
    assert one["load_difference"]["verdict"] == "better"


def test_the_figures_are_those_of_the_plain_command(pair: Pair, data: Dataset) -> None:
    found = measured(pair, data)["categories"][CODE]["compared"]["sides"]["candidate"]
    out = io.StringIO()
    call_command("evaluate", manifest=str(folder_of(data)), classifier=pair[0].ref, json=True, stdout=out)
    plain = json.loads(out.getvalue())["metrics"][CODE]

    assert {name: found[name]["value"] for name in ("auc", "ap", "brier", "ece", "log_loss")} == pytest.approx(
        {name: plain[name] for name in ("auc", "ap", "brier", "ece", "log_loss")}, abs=1e-6
    )


def test_slices_go_by_what_was_declared(pair: Pair, data: Dataset) -> None:
    slices = measured(pair, data)["categories"][CODE]["slices"]
    by = {(one["by"], one["value"]): one for one in slices}

    assert by["language", "de"]["n"] + by["language", "fr"]["n"] == 96
    assert by["territory", "DE"]["n"] == 96  # each image is shown in several territories
    german, french = (by["language", code]["compared"]["sides"]["candidate"]["auc"]["value"] for code in ("de", "fr"))
    assert german > french + 0.02
    assert ("surface", "") in by  # nothing was declared


def test_what_a_version_was_taught_is_held_against_nobody(pair: Pair, data: Dataset, rows: list[Submission]) -> None:
    """The other data set begins one image later, so that its splits fall otherwise."""
    other = dataset(rows[1:], backbone="colour-eyes@1", name="other", seed=2)
    knowing = taught(pair[0], "9", by=other)
    manifest = manifests.read(folder_of(other))
    known = {str(key) for split in ("train", "validation") for key in manifest.split(split).column("submission_id")}
    test = {str(key) for key in manifests.read(folder_of(data)).split("test").column("submission_id")}

    found = measured((knowing, pair[1]), data)

    assert found["left_out"]["taught"] == len(test & known) > 0
    assert found["categories"][CODE]["compared"]["n"] == len(test - known) > 0
    assert found["left_out"]["unchecked"] == [pair[1].ref]  # nobody knows what taught it


def test_generators_that_training_never_saw_are_told_apart(pair: Pair, data: Dataset) -> None:
    def values(one: ClassifierVersion) -> set[tuple[str, str]]:
        slices = measured((one, pair[1]), data)["categories"][CODE]["slices"]
        return {(part["by"], part["value"]) for part in slices}

    assert {("seen", "seen"), ("generator", "flux"), ("generator", "sdxl")} <= values(taught(pair[0], "9", by=data))
    assert "seen" not in {by for by, _value in values(pair[0])}  # nobody knows what taught it


def test_what_lies_under_legal_hold_is_left_out(pair: Pair, data: Dataset, rows: list[Submission]) -> None:
    for row in (rows[4], rows[8]):
        lifecycle.move(Submission.objects.get(pk=row.pk), Status.QUARANTINED, actor=HOUSE, reason="test")

    found = measured(pair, data)

    assert found["left_out"]["held"] == 2
    assert str(rows[4].pk) not in json.dumps(found)


def test_fairness_is_what_fairlearn_says_of_the_same_labels(pair: Pair, data: Dataset, rows: list[Submission]) -> None:
    found = measured(pair, data)["categories"][CODE]["fairness"]["candidate"]
    manifest = manifests.read(folder_of(data)).split("test")
    language = {str(row.pk): row.context["language"] for row in rows}
    groups = [language[key] for key in manifest.column("submission_id")]
    from classifiers import registry

    p = registry.load_heads(pair[0]).apply(manifest.vectors())[:, 0]
    flagged = (p >= 0.2).astype(int)  # the plan's approve cut

    (by_language,) = [one for one in found["attributes"] if one["by"] == "language"]
    label = manifest.column("label")
    expected = fairlearn.equal_opportunity_difference(label, flagged, sensitive_features=np.array(groups))
    parity = fairlearn.demographic_parity_difference(label, flagged, sensitive_features=np.array(groups))
    assert found["cut"] == 0.2
    assert by_language["gaps"]["equal_opportunity"]["value"] == pytest.approx(expected)
    assert by_language["gaps"]["statistical_parity"]["value"] == pytest.approx(parity)
    assert {one["by"] for one in found["intersections"]} >= {"language × style"}


def test_a_version_that_never_looked_has_nothing_to_show(pair: Pair, data: Dataset) -> None:
    eyes = ClassifierVersion.objects.get(name="colour-eyes")

    with pytest.raises(NothingToMeasure, match="no word"):
        measured((eyes, pair[1]), data)  # it has findings of none of these rows


def test_a_version_that_looked_is_taken_at_its_word(
    eyes: TriagePlan, platform: Client, tmp_path: Path, sam: User
) -> None:
    """Gold items, with the eyes' own findings and heads on the stored embeddings."""
    for red, verdict in ((0.95, "block"), (0.05, "approve"), (0.97, "block"), (0.03, "approve")):
        row = world.triaged(platform, world.png(red=red, seed=int(red * 100)))
        labels = [{"category": CODE, "severity": 2}] if verdict == "block" else []
        gold.add(row, sam, verdict=verdict, labels=labels, category=CODE, why="plain to see")
    version = ClassifierVersion.objects.get(name="colour-eyes")
    candidate = world.heads(tmp_path, version, {CODE: [8.0, 0, 0, -4.0]})

    found = orders.figures(candidate, version, dataset=None, split="gold", terms=measuring.Terms(plan=eyes))

    one = found["categories"][CODE]["compared"]
    assert (one["n"], one["positives"]) == (4, 2)
    assert {side: figures["auc"]["value"] for side, figures in one["sides"].items()} == {
        "candidate": 1.0,
        "incumbent": 1.0,
    }
    assert found["categories"][CODE]["load"]["candidate"]["certificate"]["threshold"] is None  # four prove nothing


def test_the_images_that_change_sides_are_named(pair: Pair, data: Dataset) -> None:
    moved = measured(pair, data)["categories"][CODE]["moved"]
    band = Band(0.2, 0.9)

    assert moved
    assert all(one["from"] == band.zone(one["before"]) != band.zone(one["after"]) == one["to"] for one in moved)
    assert [abs(one["after"] - one["before"]) for one in moved] == sorted(
        (abs(one["after"] - one["before"]) for one in moved), reverse=True
    )


@pytest.mark.parametrize(
    ("zone", "label", "fault"),
    [("approve", 0, 0), ("approve", 1, 2), ("block", 1, 0), ("block", 0, 2), ("review", 1, 1)],
)
def test_a_zone_is_judged_by_what_people_said(zone: str, label: int, fault: int) -> None:
    assert moving.fault(zone, label) == fault


def test_the_audit_by_attack_compares_what_taught_with_what_did_not(pair: Pair, data: Dataset) -> None:
    knowing = taught(pair[0], "9", by=data, privacy={"epsilon": 8.0, "delta": 1e-5})

    found = measured((knowing, pair[1]), data)["membership"]

    assert (found["pooled"]["members"], found["pooled"]["others"]) == (96, 96)
    assert found["pooled"]["auc_low"] < 0.5 < found["pooled"]["auc_high"]  # these weights never saw a label
    assert found["claim"] == {"epsilon": 8.0, "delta": 1e-5}
    assert found["bound"]["refuted"] is False
    assert measured(pair, data)["membership"] is None


# --- orders ---


def asked(pair: Pair, data: Dataset | None, ming: User, **more: Any) -> Any:
    terms: dict[str, Any] = {"split": "test", "alpha": 0.05, "delta": 0.1, "by": ["language"], **more}
    return orders.ask(ming, *pair, dataset=data, **terms)


def test_an_order_is_worked_off_and_kept_for_good(pair: Pair, data: Dataset, ming: User) -> None:
    order = asked(pair, data, ming)

    assert orders.work_off() == 1
    order.refresh_from_db()
    row = Evaluation.objects.get(order=order)
    assert (order.state, row.candidate, row.made_by) == (OrderState.DONE, pair[0], ming)
    assert row.figures["categories"][CODE]["compared"]["n"] == 96
    assert orders.work_off() == 0
    kept = AuditEvent.objects.filter(subject=f"classifier:{pair[0].ref}").values_list("action", flat=True)
    assert list(kept.order_by("position")) == ["evaluation.asked", "evaluation.made"]
    with pytest.raises(DatabaseError), transaction.atomic():
        Evaluation.objects.filter(pk=row.pk).update(split="train")


def test_an_order_that_cannot_be_measured_says_why(pair: Pair, data: Dataset, ming: User) -> None:
    (folder_of(data) / "manifest.json").unlink()
    order = asked(pair, data, ming)

    orders.work_off()

    order.refresh_from_db()
    assert order.state == OrderState.FAILED
    assert "not on this machine" in order.why
    assert not Evaluation.objects.exists()


def test_an_order_whose_worker_never_came_back_is_taken_up_again(pair: Pair, data: Dataset, ming: User) -> None:
    order = asked(pair, data, ming)
    lost = orders.take()
    assert lost is not None
    assert orders.take() is None
    type(order).objects.update(started_at=lost.asked_at - orders.ABANDONED)

    again = orders.take()
    assert again is not None
    orders.work(again)

    assert orders.done(lost, {"plan": None}) is None  # the first comes back too late: nothing is kept twice
    assert Evaluation.objects.count() == 1


def test_an_order_that_kills_its_workers_is_given_up(pair: Pair, data: Dataset, ming: User) -> None:
    order = asked(pair, data, ming)
    for _ in range(orders.ATTEMPTS):
        assert orders.take() is not None
        type(order).objects.update(started_at=order.asked_at - orders.ABANDONED)

    given_up = orders.take()

    assert given_up is not None
    assert (given_up.state, orders.work(given_up)) == (OrderState.FAILED, None)


def test_what_cannot_be_measured_is_not_asked(pair: Pair, data: Dataset, ming: User) -> None:
    for more, match in (
        ({"split": "gold"}, "split of a data set"),
        ({"alpha": 0.0}, "between 0 and 1"),
        ({"by": ["race"]}, "no attribute"),
    ):
        with pytest.raises((orders.CannotEvaluate, UnknownAttribute), match=match):
            asked(pair, data, ming, **more)


def test_a_version_is_not_held_against_itself(pair: Pair, data: Dataset, ming: User) -> None:
    with pytest.raises(orders.CannotEvaluate, match="itself"):
        asked((pair[0], pair[0]), data, ming)


def test_the_counterpart_is_what_it_would_replace(pair: Pair, data: Dataset) -> None:
    eyes = ClassifierVersion.objects.get(name="colour-eyes")

    assert orders.counterpart(pair[0]) == eyes  # heads that say all their backbone says
    world.publish(pair[1].ref)
    assert orders.counterpart(pair[0]) == pair[1]
    assert orders.counterpart(pair[1]) is None


# --- commands ---


def said(*names: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(*names, stdout=out, **options)
    return out.getvalue()


def test_the_command_compares_with_what_is_in_service(pair: Pair, data: Dataset) -> None:
    world.publish(pair[1].ref)
    told = {"manifest": str(folder_of(data)), "classifier": pair[0].ref, "against": "service", "slices": "language"}

    found = json.loads(said("evaluate", json=True, store=True, alpha=0.05, **told))
    words = said("evaluate", **told)

    assert (found["candidate"], found["incumbent"], found["split"]) == (pair[0].ref, pair[1].ref, "test")
    assert {one["by"] for one in found["categories"][CODE]["slices"]} == {"language"}
    assert Evaluation.objects.get().figures["categories"] == found["categories"]
    assert f"{pair[0].ref} against {pair[1].ref}: 96 images" in words
    assert "better" in words


def test_the_command_tells_bad_use_from_nothing_to_measure(pair: Pair, data: Dataset) -> None:
    def status(**options: Any) -> int:
        with pytest.raises(CommandError) as refused:
            call_command("evaluate", classifier=pair[0].ref, **options)
        return refused.value.returncode

    folder = str(folder_of(data))
    assert status() == status(gold=True, manifest=folder) == 2
    assert status(manifest=folder, slices="race") == status(manifest=folder, against="nobody@1") == 2
    assert status(manifest=folder, against=pair[0].ref) == 2
    assert status(gold=True) == 1


def test_the_fairness_command_tells_each_group(pair: Pair, data: Dataset) -> None:
    told = {"manifest": str(folder_of(data)), "classifier": pair[0].ref, "group_by": "language,style"}

    words = said("fairness_report", **told)
    table = list(csv.DictReader(io.StringIO(said("fairness_report", csv=True, **told))))
    found = json.loads(said("fairness_report", json=True, **told))

    assert "by language × style" in words
    assert "worst fnr" in words
    (tpr,) = [row for row in table if (row["by"], row["group"], row["rate"]) == ("language", "de", "tpr")]
    (attribute,) = [one for one in found["categories"][CODE]["attributes"] if one["by"] == "language"]
    german = next(one for one in attribute["groups"] if one["value"] == "de")
    assert float(tpr["value"]) == pytest.approx(german["rates"]["tpr"]["value"])
    assert int(tpr["n"]) == german["positives"]


def test_the_fairness_command_goes_by_the_time_of_decision(pair: Pair, data: Dataset) -> None:
    with pytest.raises(CommandError, match="no known label") as nothing:
        call_command(
            "fairness_report", manifest=str(folder_of(data)), classifier=pair[0].ref, since="2020-01-01"
        )  # these rows do not say when
    assert nothing.value.returncode == 1


# --- small parts ---


def test_attributes_are_known_or_keys_of_the_context() -> None:
    assert checked(["language", "context.body_type", "language"]) == ("language", "context.body_type")
    with pytest.raises(UnknownAttribute):
        checked(["context."])


@pytest.mark.parametrize(
    ("value", "told"), [("a", ["a"]), (["a", "b"], ["a", "b"]), (True, ["True"]), ({"a": 1}, []), (None, []), (1.5, [])]
)
def test_only_plain_values_make_groups(value: object, told: list[str]) -> None:
    assert plain(value) == told


def test_gold_labels_are_for_the_categories_asked_about(db: None) -> None:
    with pytest.raises(NothingToMeasure, match="no gold items"):
        labelled.of_gold([CODE])
