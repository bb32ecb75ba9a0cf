"""What a draft would change, before anyone publishes it."""

from __future__ import annotations

from typing import Any

import pytest

from classifiers.models import ClassifierVersion
from moderation import simulation
from moderation.models import Client, TriagePlan
from moderation.policies import parsed
from moderation.routing import Band, Plan
from moderation.triage import run_once
from tests import world


@pytest.fixture
def history(eyes: TriagePlan, platform: Client) -> TriagePlan:
    """Ten triaged images, from almost no red to almost full."""
    for tenth in range(10):
        world.submit(platform, world.png(red=(tenth + 0.5) / 10, size=32))
    run_once()
    return eyes


def with_weapons(plan: Plan, band: Band) -> Plan:
    return Plan(plan.number, {**plan.bands, "WEAPONS_DANGEROUS": band}, plan.classifiers, plan.audit_rate)


def test_the_same_plan_moves_nothing(history: TriagePlan) -> None:
    plan = parsed(history)

    found = simulation.effect(plan, plan)

    assert (found.images, found.moved, found.unseen) == (10, 0, 0)
    assert found.before == found.after == {"approve": 2, "review": 7, "block": 1}


def test_looser_and_stricter_cuts_are_counted_by_where_images_go(history: TriagePlan) -> None:
    plan = parsed(history)

    found = simulation.effect(plan, with_weapons(plan, Band(0.4, 0.8)))

    assert found.moves == {("review", "approve"): 2, ("review", "block"): 1}
    assert found.after == {"approve": 4, "review": 4, "block": 2}


def test_from_no_plan_everything_comes_from_people(history: TriagePlan) -> None:
    found = simulation.effect(None, parsed(history))

    assert found.before == {"review": 10}


def test_only_the_newest_images_are_replayed(history: TriagePlan) -> None:
    plan = parsed(history)

    found = simulation.effect(plan, plan, limit=3)

    assert found.before == {"review": 2, "block": 1}


def test_images_a_pinned_version_never_saw_are_counted_apart(history: TriagePlan) -> None:
    backbone = ClassifierVersion.objects.get()
    stranger = ClassifierVersion.objects.create(
        name="stranger", version="1", kind="onnx", card={}, weights="x", sha256="0" * 64, categories=["PRIVACY"]
    )
    plan = parsed(history)
    draft = Plan(0, plan.bands, (backbone.ref, stranger.ref))

    found = simulation.effect(plan, draft)

    assert (found.images, found.unseen, found.moved) == (0, 10, 0)


def test_replay_costs_a_few_queries_however_many_images(
    history: TriagePlan, django_assert_max_num_queries: Any
) -> None:
    plan = parsed(history)

    with django_assert_max_num_queries(6):
        simulation.effect(plan, with_weapons(plan, Band(0.5)))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (Band(0.2, 0.9), Band(0.1, 0.9), ["approve below 0.20 → 0.10"]),
        (Band(0.2, 0.9), Band(0.2), ["block from 0.90 → (only a person blocks)"]),
        (Band(0.2), Band(0.125, 0.95), ["approve below 0.20 → 0.125", "block from (only a person blocks) → 0.95"]),
        (None, Band(0.2), ["new: approve below 0.20", "block from (only a person blocks)"]),
        (Band(0.2), None, ["left out of the plan: every image it is scored on goes to a person"]),
    ],
)
def test_a_change_of_cuts_is_put_into_words(before: Band | None, after: Band | None, words: list[str]) -> None:
    assert simulation.CutChange("HATE", before, after).words == words


def test_only_the_bands_that_differ_are_changes() -> None:
    old = Plan(1, {"HATE": Band(0.1), "PRIVACY": Band(0.2), "OTHER": Band(0.3)}, ("a@1",))
    new = Plan(2, {"HATE": Band(0.1), "PRIVACY": Band(0.25), "NUDITY": Band(0.3)}, ("a@1",))

    assert [change.category for change in simulation.changes(old, new)] == ["NUDITY", "OTHER", "PRIVACY"]
