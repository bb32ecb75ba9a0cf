"""Which labels come of what people decided: who agreed, under which words, what never leaves, and how it is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from classifiers import manifests
from classifiers.models import ClassifierVersion
from classifiers.splits import SPLITS
from moderation.models import (
    Client,
    Finding,
    PolicyVersion,
    Reason,
    ReviewRequest,
    Status,
    Submission,
    TriagePlan,
    User,
)
from moderation.roles import Role
from review import queue
from review.decisions import decide
from review.labels.queries import NothingToExport, Query
from review.models import Decision
from review.quality import gold
from tests import world
from tests.conftest import person
from tests.review.labels.arranging import APPROVE, BLOCK, FREE, decided, exported, rows


def only(manifest: manifests.Manifest, submission: Submission) -> dict[str, dict[str, Any]]:
    return {row["category"]: row for row in rows(manifest) if row["submission_id"] == str(submission.pk)}


def ids(manifest: manifests.Manifest) -> set[str]:
    return {row["submission_id"] for row in rows(manifest)}


def refused(manifest: manifests.Manifest) -> dict[str, int]:
    found: dict[str, int] = manifest.index["refused"]
    return found


def moved(submission: Submission, **fields: Any) -> None:
    Submission.objects.filter(pk=submission.pk).update(**fields)


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        ({**FREE, "training": False}, "opted_out"),
        ({**FREE, "training": "no"}, "opted_out"),
        ({**FREE, "training": "perhaps"}, "opted_out"),
        ({**FREE, "consent": "withdrawn"}, "opted_out"),
        ({**FREE, "consent_basis": "withdrawn"}, "opted_out"),
        ({"consent_basis": "terms"}, "no_licence"),
        ({"licence": "CC0", "consent_basis": " "}, "no_consent"),
    ],
)
def test_what_was_opted_out_or_says_nothing_of_rights_is_refused_and_counted(
    eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path, context: dict[str, Any], reason: str
) -> None:
    kept = decided(platform, rita, 1, context={**FREE, "training": True})
    decided(platform, rita, 2, context=context)
    manifest = exported(tmp_path / "out", demand=True)
    assert ids(manifest) == {str(kept.pk)}
    assert refused(manifest) == {reason: 1}
    assert {(row["licence"], row["consent_basis"]) for row in rows(manifest)} == {("CC-BY-4.0", "terms of use")}


def test_without_the_demand_rows_say_what_they_lack(
    eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path
) -> None:
    decided(platform, rita, 1, context={})
    manifest = exported(tmp_path / "out")
    assert {(row["licence"], row["consent_basis"]) for row in rows(manifest)} == {("", "")}
    assert refused(manifest) == {}


def test_a_file_that_says_it_is_not_for_training_is_not_trained_on(
    eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path
) -> None:
    reader = ClassifierVersion.objects.create(
        name="provenance", version="1", kind="provenance", card={}, weights="none", sha256="0" * 64
    )
    images = [decided(platform, rita, seed) for seed in range(3)]
    for image, said in zip(images, ({"ai_training": "notAllowed"}, {"ai_inference": "notAllowed"}, {}), strict=True):
        Finding.objects.create(submission=image, classifier=reader, probabilities=[], evidence={"training": said})
    body = {**eyes.body, "classifiers": ["colour-eyes@1", "provenance@1"]}
    Submission.objects.update(plan=TriagePlan.objects.create(number=99, body=body, note="reads provenance"))
    manifest = exported(tmp_path / "out")
    assert ids(manifest) == {str(images[1].pk), str(images[2].pk)}
    assert refused(manifest) == {"opted_out": 1}


def test_what_was_reopened_or_overturned_is_no_label(
    eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path
) -> None:
    kept, reopened, overturned = (decided(platform, rita, seed) for seed in range(3))
    moved(reopened, status=Status.IN_REVIEW)
    moved(overturned, status=Status.BLOCKED)  # as a bulk action does, which is nobody's judgement of this image
    manifest = exported(tmp_path / "out")
    assert ids(manifest) == {str(kept.pk)}
    assert refused(manifest) == {"open": 1, "overturned": 1}


def test_the_share_of_votes_is_a_soft_label_by_choice(
    eyes: TriagePlan, platform: Client, rita: User, sam: User, tmp_path: Path
) -> None:
    world.publish(*eyes.body["classifiers"], consensus={"WEAPONS_DANGEROUS": 2})
    tom = person("tom", Role.MODERATOR)
    submission = world.triaged(platform, world.png(red=0.5), context=FREE)
    for who, name, said in ((rita, queue.GENERAL, BLOCK), (tom, queue.GENERAL, APPROVE), (sam, queue.ESCALATED, BLOCK)):
        (claim,) = queue.claim(who, name)
        decide(claim.pk, who, **said)
    row = only(exported(tmp_path / "soft", soft=True), submission)["WEAPONS_DANGEROUS"]
    assert (row["label"], row["source"], row["severity"]) == (1, "consensus", 2)
    assert (round(row["soft_label"], 3), round(row["agreement"], 3)) == (0.667, 0.667)
    assert row["reviewers"] == [str(sam.pk), str(tom.pk), str(rita.pk)]
    assert only(exported(tmp_path / "hard"), submission)["WEAPONS_DANGEROUS"]["soft_label"] is None


def test_gold_items_are_taken_along_where_asked(
    eyes: TriagePlan, platform: Client, rita: User, sam: User, tmp_path: Path
) -> None:
    item = decided(platform, rita, 1)
    other = decided(platform, rita, 2)
    answer = {"verdict": "block", "labels": [{"category": "HATE", "severity": 3}], "category": "HATE", "why": "symbols"}
    gold.add(item, sam, **answer)
    plain = exported(tmp_path / "plain")
    assert {row["source"] for row in rows(plain)} == {"human"}
    told = exported(tmp_path / "gold", gold=True)
    (row,) = only(told, item).values()
    assert (row["category"], row["label"], row["source"], row["agreement"]) == ("HATE", 1, "gold", 1.0)
    assert (row["reviewers"], row["policy_version"]) == ([str(sam.pk)], "HATE v1")
    assert ids(exported(tmp_path / "only", gold=True, sources=("gold",))) == {str(item.pk)}
    assert only(told, other)


def replaced(category: str) -> None:
    """The guideline's next version, in force from now on."""
    last = PolicyVersion.objects.of(category).latest("number")
    same = {name: getattr(last, name) for name in ("headline", "definition", "allowed", "not_allowed", "severity")}
    PolicyVersion.objects.create(category=category, number=last.number + 1, **same)


@pytest.fixture
def older(eyes: TriagePlan, platform: Client, rita: User) -> tuple[Submission, Submission]:
    """One decided under weapons v1, another under v2."""
    first = decided(platform, rita, 1, BLOCK)
    replaced("WEAPONS_DANGEROUS")
    return first, decided(platform, rita, 2, BLOCK)


def test_a_label_of_an_older_definition_is_kept_and_marked(
    older: tuple[Submission, Submission], tmp_path: Path
) -> None:
    manifest = exported(tmp_path / "out")
    told = [only(manifest, one)["WEAPONS_DANGEROUS"] for one in older]
    assert [(row["policy_version"], row["definition"]) for row in told] == [
        ("WEAPONS_DANGEROUS v1", "older"),
        ("WEAPONS_DANGEROUS v2", "current"),
    ]
    assert manifest.index["policies"]["WEAPONS_DANGEROUS"] == "WEAPONS_DANGEROUS v2"


def test_it_is_left_out_or_mapped_by_choice(older: tuple[Submission, Submission], tmp_path: Path) -> None:
    first, second = older
    without = exported(tmp_path / "out", older="exclude")
    assert (ids(without), refused(without)) == ({str(second.pk)}, {"replaced": 1})
    mapped = exported(tmp_path / "mapped", older="remap", remap={"WEAPONS_DANGEROUS v1": "VIOLENCE_GORE"})
    (row,) = only(mapped, first).values()
    assert (row["category"], row["label"], row["severity"]) == ("VIOLENCE_GORE", 1, 2)
    assert (row["policy_version"], row["definition"]) == ("WEAPONS_DANGEROUS v1", "remapped")
    assert only(mapped, second)["WEAPONS_DANGEROUS"]["definition"] == "current"
    assert refused(exported(tmp_path / "none", older="remap")) == {"replaced": 1}


def test_it_can_be_asked_by_platform_generator_reason_and_period(
    eyes: TriagePlan, platform: Client, other_platform: Client, rita: User, tmp_path: Path
) -> None:
    flux = decided(platform, rita, 1, generator={"name": "flux"})
    sdxl = decided(other_platform, rita, 2, generator={"name": "sdxl"})
    assert ids(exported(tmp_path / "a", clients=("fresco",))) == {str(sdxl.pk)}
    assert ids(exported(tmp_path / "b", generators=("flux", "dalle"))) == {str(flux.pk)}
    assert ids(exported(tmp_path / "c", reasons=("uncertain",))) == {str(flux.pk), str(sdxl.pk)}
    at = Decision.objects.get(submission=sdxl).decided_at
    assert ids(exported(tmp_path / "d", since=at)) == {str(sdxl.pk)}
    assert ids(exported(tmp_path / "e", until=at)) == {str(flux.pk)}
    with pytest.raises(NothingToExport):
        exported(tmp_path / "f", reasons=("report",))


def test_active_takes_what_the_learning_budget_drew(
    eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path
) -> None:
    decided(platform, rita, 1)
    drawn = decided(platform, rita, 2)
    ReviewRequest.objects.filter(submission=drawn).update(reason=Reason.LEARNING)
    assert ids(exported(tmp_path / "out", sampling="active")) == {str(drawn.pk)}


def test_balanced_has_as_many_denied_as_affirmed_and_weights_tell_the_chance(
    eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path
) -> None:
    for seed in range(9):
        decided(platform, rita, seed, BLOCK if seed < 3 else APPROVE)
    manifest = exported(tmp_path / "out", sampling="balanced", categories=("WEAPONS_DANGEROUS",))
    found = rows(manifest)
    assert [sum(row["label"] == side for row in found) for side in (0, 1)] == [3, 3]
    chances = {(row["label"], row["inclusion_probability"], row["weight"]) for row in found}
    assert chances == {(0, 0.5, 2.0), (1, 1.0, 1.0)}
    assert sum(row["weight"] for row in found) == 9


def test_copies_lie_in_one_split_even_where_triage_had_them_apart(
    eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path
) -> None:
    images = [decided(platform, rita, seed) for seed in range(6)]
    looks = [bytes([seed]) * 32 for seed in range(6)]
    looks[3] = looks[0][:-1] + b"\x01"  # one bit from the first
    for image, look in zip(images, looks, strict=True):
        moved(image, pdq=look, pdq_quality=100, cluster=image.pk)
    manifest = exported(tmp_path / "out")
    clusters = [next(iter(only(manifest, image).values()))["cluster_id"] for image in images]
    assert clusters[3] == clusters[0] == str(images[0].pk)
    splits = {row["cluster_id"]: row["split"] for row in rows(manifest)}
    assert {(row["cluster_id"], row["split"]) for row in rows(manifest)} == set(splits.items())
    assert manifest.index["clusters"] == "all pairs"


def test_by_time_the_newest_test_and_clusters_stay_whole(
    eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path
) -> None:
    images = [decided(platform, rita, seed) for seed in range(20)]
    for image in images:
        moved(image, cluster=image.pk, pdq_quality=0)
    moved(images[0], cluster=images[19].pk)
    manifest = exported(tmp_path / "out", splitting="time")
    splits = [next(iter(only(manifest, image).values()))["split"] for image in images]
    assert splits[0] == splits[19] == "test"
    order = [SPLITS.index(split) for split in splits[1:]]
    assert order == sorted(order)
    assert [splits.count(name) for name in SPLITS] == [14, 3, 3]


def test_the_name_does_not_change_with_when_it_was_asked(
    eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path
) -> None:
    decided(platform, rita, 1)
    decided(platform, rita, 2, BLOCK)
    queries: tuple[dict[str, Any], ...] = ({}, {"sampling": "balanced"}, {"splitting": "time"}, {"soft": True})
    for at, query in enumerate(queries):
        first, second = (exported(tmp_path / f"{at}{name}", **query) for name in "ab")
        assert first.fingerprint == second.fingerprint


def test_a_query_reads_back_as_it_was_written(platform: Client) -> None:
    query = Query(
        since=timezone.now(),
        categories=("HATE",),
        clients=("atelier",),
        older="remap",
        remap={"HATE v1": ""},
        soft=True,
    )
    assert Query.read(query.as_json()) == query
