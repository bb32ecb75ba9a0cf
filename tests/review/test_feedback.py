"""Decisions become labels: what an approval denies, what a block affirms, and what never appears."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from classifiers import manifests
from moderation.models import Client, Submission, TriagePlan, User
from review import feedback, queue
from review.decisions import decide
from review.models import Dataset, Decision
from tests import world

RED = [{"category": "WEAPONS_DANGEROUS", "severity": 2}]


def decided(platform: Client, reviewer: User, image: bytes, **decision: Any) -> Submission:
    """An image that came in, was uncertain, and was decided by a person."""
    submission = world.triaged(platform, image)
    (claim,) = queue.claim(reviewer, "general", 1)
    assert claim.request.submission_id == submission.pk
    decide(claim.pk, reviewer, **decision)
    return submission


def export(out: Path, **options: Any) -> dict[str, Any]:
    answer = io.StringIO()
    call_command("export_labels", out=str(out), json=True, stdout=answer, **options)
    found: dict[str, Any] = json.loads(answer.getvalue())
    return found


def labels(manifest: manifests.Manifest, submission: Submission) -> dict[str, int]:
    rows = manifest.table.to_pylist()
    return {row["category"]: row["label"] for row in rows if row["submission_id"] == str(submission.pk)}


def test_an_approval_denies_every_scored_category(
    eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path
) -> None:
    submission = decided(platform, rita, world.png(red=0.5), verdict="approve")
    export(tmp_path / "out")
    assert labels(manifests.read(tmp_path / "out"), submission) == {
        "WEAPONS_DANGEROUS": 0,
        "REGULATED": 0,
        "PRIVACY": 0,
    }


def test_a_block_affirms_what_it_names_and_is_silent_on_the_rest(
    eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path
) -> None:
    submission = decided(platform, rita, world.png(red=0.5), verdict="block", labels=RED)
    export(tmp_path / "out")
    assert labels(manifests.read(tmp_path / "out"), submission) == {"WEAPONS_DANGEROUS": 1}


def test_a_row_tells_under_which_rule_and_model_it_came_about(
    eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path
) -> None:
    decided(platform, rita, world.png(red=0.5), verdict="block", labels=RED)
    export(tmp_path / "out")
    (row,) = manifests.read(tmp_path / "out").table.to_pylist()
    assert row["policy_version"] == "WEAPONS_DANGEROUS v1"
    assert row["plan_version"] == "1"
    assert row["classifier_versions"] == ["colour-eyes@1"]
    assert row["probability_at_triage"] == pytest.approx(0.5, abs=0.01)
    assert (row["inclusion_probability"], row["weight"]) == (1.0, 1.0)
    assert row["reviewers"] == [str(rita.pk)]


def test_an_audit_sample_weighs_what_its_lot_was_worth(
    guidelines: None, platform: Client, rita: User, tmp_path: Path
) -> None:
    world.publish(world.colour_eyes(tmp_path).ref, audit_rate=1.0)
    decided(platform, rita, world.png(), verdict="approve")
    Submission.objects.update(inclusion_probability=0.25)
    export(tmp_path / "out")
    assert set(manifests.read(tmp_path / "out").column("weight")) == {4.0}


def test_the_embedding_goes_along_as_triage_saw_it(
    eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path
) -> None:
    decided(platform, rita, world.png(red=0.5, green=0.25), verdict="block", labels=RED)
    export(tmp_path / "out")
    (vector,) = manifests.read(tmp_path / "out").vectors()
    assert vector == pytest.approx(np.array([0.5, 0.25, 0.0]), abs=0.01)


def test_what_is_under_legal_hold_never_appears(eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path) -> None:
    kept = decided(platform, rita, world.png(red=0.5), verdict="approve")
    held = decided(platform, rita, world.png(red=0.6), verdict="quarantine")
    export(tmp_path / "out")
    seen = set(manifests.read(tmp_path / "out").column("submission_id"))
    assert seen == {str(kept.pk)}
    assert str(held.pk) not in seen


def test_a_category_nobody_may_train_on_takes_its_image_out(
    eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path
) -> None:
    kept = decided(platform, rita, world.png(red=0.5), verdict="approve")
    both = [*RED, {"category": "CSAE", "severity": 4}]
    decided(platform, rita, world.png(red=0.6), verdict="block", labels=both)
    export(tmp_path / "out")
    assert set(manifests.read(tmp_path / "out").column("submission_id")) == {str(kept.pk)}


def test_one_category_can_be_asked_for(eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path) -> None:
    decided(platform, rita, world.png(red=0.5), verdict="approve")
    export(tmp_path / "out", category="REGULATED")
    assert manifests.read(tmp_path / "out").categories == ("REGULATED",)


def test_only_what_was_decided_since_can_be_asked_for(
    eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path
) -> None:
    decided(platform, rita, world.png(red=0.5), verdict="approve")
    later = decided(platform, rita, world.png(red=0.6), verdict="approve")
    since = Decision.objects.get(submission=later).decided_at
    export(tmp_path / "out", since=since)
    assert set(manifests.read(tmp_path / "out").column("submission_id")) == {str(later.pk)}


def test_the_data_set_is_named_and_remembered(eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path) -> None:
    decided(platform, rita, world.png(red=0.5), verdict="approve")
    first = export(tmp_path / "out")
    again = export(tmp_path / "again", format="jsonl")
    assert first["fingerprint"] == again["fingerprint"] == Dataset.objects.get().fingerprint


def test_nothing_decided_is_said_plainly(eyes: TriagePlan, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No decision yields a label"):
        export(tmp_path / "out")


def test_the_default_backbone_is_what_the_plan_looks_through(eyes: TriagePlan) -> None:
    assert feedback.default_backbone() == "colour-eyes@1"
