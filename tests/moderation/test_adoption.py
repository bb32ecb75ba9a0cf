"""Adopting a version pins it by a new plan; what was pinned stays for going back."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifiers.models import ClassifierVersion
from moderation.actors import Actor
from moderation.adoption import AlreadyPinned, UnknownVersion, adopt, prepare
from moderation.models import Client, TriagePlan, User
from moderation.policies import roll_back
from moderation.routing import PlanError
from tests import world

COMMAND = Actor.command("test")


def heads(backbone: ClassifierVersion, *categories: str, name: str = "heads", version: str = "1") -> ClassifierVersion:
    """A row as the registry writes it; adoption reads names and categories, never weights."""
    return ClassifierVersion.objects.create(
        name=name,
        version=version,
        kind="heads",
        card={},
        weights=f"{name}-{version}",
        sha256="0" * 64,
        categories=list(categories),
        embedding_size=backbone.embedding_size,
        backbone=backbone,
    )


@pytest.fixture
def backbone(eyes: TriagePlan) -> ClassifierVersion:
    return ClassifierVersion.objects.get(name="colour-eyes", version="1")


def test_the_next_version_takes_the_place_of_the_one_before(eyes: TriagePlan, tmp_path: Path, ming: User) -> None:
    version = world.colour_eyes(tmp_path, version="2")

    plan = adopt(version.ref, actor=Actor.person(ming), person=ming)

    assert plan.number == 2
    assert plan.body == {**eyes.body, "bands": plan.body["bands"], "classifiers": ["colour-eyes@2"]}
    assert plan.body["bands"] == eyes.body["bands"]
    assert (plan.note, plan.published_by) == ("Adopts colour-eyes@2 in place of colour-eyes@1.", ming)
    assert ClassifierVersion.objects.filter(name="colour-eyes").count() == 2


def test_the_adopted_version_speaks_on_the_next_image(eyes: TriagePlan, tmp_path: Path, platform: Client) -> None:
    adopt(world.colour_eyes(tmp_path, version="2").ref, actor=COMMAND)

    submission = world.triaged(platform)

    assert [finding.classifier.ref for finding in submission.findings.all()] == ["colour-eyes@2"]


def test_one_can_go_back_to_the_version_before(eyes: TriagePlan, tmp_path: Path, platform: Client) -> None:
    adopt(world.colour_eyes(tmp_path, version="2").ref, actor=COMMAND)

    roll_back(1, actor=COMMAND)

    assert [one.classifier.ref for one in world.triaged(platform).findings.all()] == ["colour-eyes@1"]


def test_an_earlier_version_can_be_adopted_again(eyes: TriagePlan, tmp_path: Path) -> None:
    adopt(world.colour_eyes(tmp_path, version="2").ref, actor=COMMAND)

    assert adopt("colour-eyes@1", actor=COMMAND).body["classifiers"] == ["colour-eyes@1"]


def test_heads_that_say_all_their_backbone_says_take_its_place(backbone: ClassifierVersion) -> None:
    version = heads(backbone, *backbone.categories)

    assert adopt(version.ref, actor=COMMAND).body["classifiers"] == [version.ref]


def test_heads_that_say_less_than_their_backbone_stand_beside_it(backbone: ClassifierVersion) -> None:
    version = heads(backbone, "PRIVACY")

    assert adopt(version.ref, actor=COMMAND).body["classifiers"] == [backbone.ref, version.ref]


def test_other_heads_on_the_same_backbone_are_taken_over_from(backbone: ClassifierVersion) -> None:
    adopt(heads(backbone, *backbone.categories, name="first").ref, actor=COMMAND)
    second = heads(backbone, *backbone.categories, name="second")

    assert adopt(second.ref, actor=COMMAND).body["classifiers"] == [second.ref]


def test_a_category_new_to_the_plan_goes_to_people(eyes: TriagePlan, backbone: ClassifierVersion) -> None:
    version = heads(backbone, *backbone.categories, "HATE")

    planned = prepare(version.ref)
    plan = adopt(version.ref, actor=COMMAND)

    assert planned.new_categories == ("HATE",)
    assert plan.body["bands"] == {**eyes.body["bands"], "HATE": {"approve": 0.0, "block": None}}


def test_a_version_that_says_less_than_the_one_before_is_refused(backbone: ClassifierVersion) -> None:
    adopt(heads(backbone, *backbone.categories).ref, actor=COMMAND)
    poorer = heads(backbone, "PRIVACY", "REGULATED", version="2")

    with pytest.raises(PlanError, match=r"heads@2 says nothing about WEAPONS_DANGEROUS, which heads@1 scores"):
        adopt(poorer.ref, actor=COMMAND)


def test_what_another_pinned_version_scores_is_not_lost(backbone: ClassifierVersion, eyes: TriagePlan) -> None:
    first = heads(backbone, "PRIVACY", "REGULATED")
    adopt(first.ref, actor=COMMAND)
    poorer = heads(backbone, "PRIVACY", version="2")

    assert adopt(poorer.ref, actor=COMMAND).body["classifiers"] == [backbone.ref, poorer.ref]


def test_a_version_in_service_cannot_be_adopted_again(eyes: TriagePlan) -> None:
    with pytest.raises(AlreadyPinned):
        adopt("colour-eyes@1", actor=COMMAND)

    assert TriagePlan.objects.count() == 1


@pytest.mark.parametrize("ref", ["nobody@1", "colour-eyes@9", "colour-eyes", ""])
def test_an_unknown_version_is_refused(eyes: TriagePlan, ref: str) -> None:
    with pytest.raises(UnknownVersion):
        adopt(ref, actor=COMMAND)


def test_without_a_plan_the_first_adoption_sends_everything_to_people(
    guidelines: None, tmp_path: Path, platform: Client
) -> None:
    version = world.colour_eyes(tmp_path)

    plan = adopt(version.ref, actor=COMMAND)

    assert plan.number == 1
    assert set(plan.body["bands"]) == set(version.categories)
    assert world.triaged(platform, world.png()).status == "in_review"
