"""What a draft would change, before anyone publishes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from classifiers.models import ClassifierVersion
from moderation import simulation
from moderation.models import Client, Finding, Submission, TriagePlan
from moderation.policies import parsed
from moderation.routing import Band, Plan
from moderation.simulation.comparison import compare
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


def test_columns_say_of_the_whole_history_what_replay_says(history: TriagePlan) -> None:
    plan = parsed(history)
    draft = with_weapons(plan, Band(0.4, 0.8))
    replayed = simulation.effect(plan, draft)

    found = compare(plan, draft)

    assert (found.images, found.unseen) == (10, 0)
    assert +found.actions_before == replayed.before
    assert +found.actions_after == replayed.after
    assert found.moves == replayed.moves
    weapons = next(one for one in found.categories if one.category == "WEAPONS_DANGEROUS")
    assert weapons.moves == {("review", "approve"): 2, ("review", "block"): 1}
    assert found.to_people() == ({"WEAPONS_DANGEROUS": 7}, {"WEAPONS_DANGEROUS": 4})


def test_what_moves_is_told_by_generator_and_territory(eyes: TriagePlan, platform: Client) -> None:
    for name, territories in (("flux", ["DE", "FR"]), ("sdxl", ["DE"]), ("", [])):
        world.submit(platform, world.png(red=0.3), generator={"name": name}, territories=territories)
    world.submit(platform, world.png(red=0.1), generator={"name": "flux"}, territories=["DE"])
    run_once()
    plan = parsed(eyes)

    found = compare(plan, with_weapons(plan, Band(0.4, 0.8)))

    assert {one.name: one.moved for one in found.generators} == {"flux": 1, "sdxl": 1, "": 1}
    assert {one.name: one.moved for one in found.territories} == {"DE": 2, "FR": 1, "": 1}
    assert len(found.history.ids(found.moved)) == 3


def test_a_signal_with_nothing_to_say_is_heard_and_one_that_never_looked_is_not(
    history: TriagePlan, platform: Client
) -> None:
    terms = ClassifierVersion.objects.create(
        name="terms", version="1", kind="terms", card={}, weights="", sha256="0" * 64
    )
    plan = parsed(history)
    both = Plan(0, plan.bands, (*plan.classifiers, terms.ref))
    newest = Submission.objects.order_by("-pk")[0]
    Submission.objects.filter(pk=newest.pk).update(heard=[*newest.heard, terms.ref])

    found = compare(plan, both)

    assert (found.images, found.unseen) == (1, 9)


def test_only_the_newest_images_make_columns(history: TriagePlan) -> None:
    plan = parsed(history)

    found = compare(plan, plan, last=3)

    assert +found.actions_before == {"review": 2, "block": 1}


def test_heads_that_never_looked_are_asked_on_stored_embeddings(history: TriagePlan, tmp_path: Path) -> None:
    backbone = ClassifierVersion.objects.get()
    heads = world.heads(tmp_path, backbone, {"PRIVACY": (9.0, 0.0, 0.0, -3.0)})
    plan = parsed(history)
    draft = Plan(0, plan.bands, (backbone.ref, heads.ref))

    found = compare(plan, draft)

    replayed = simulation.effect(plan, draft)
    assert found.images == 10
    assert +found.actions_after == replayed.after
    assert found.moves == replayed.moves
    assert found.by_hand == 10


def test_a_shown_demand_goes_through_route_itself(history: TriagePlan) -> None:
    known = ClassifierVersion.objects.create(
        name="known", version="1", kind="hashes", card={}, weights="", sha256="0" * 64, categories=["REGULATED"]
    )
    oldest = Submission.objects.order_by("pk")[0]
    demands = [{"action": "block", "code": "match", "category": "REGULATED", "detail": "a bank"}]
    Finding.objects.create(submission=oldest, classifier=known, probabilities=[0.0], evidence={"demands": demands})
    for one in Submission.objects.all():
        Submission.objects.filter(pk=one.pk).update(heard=[*one.heard, known.ref])
    plan = replace(parsed(history), classifiers=(*parsed(history).classifiers, known.ref))

    found = compare(plan, plan)

    assert found.by_hand == 1
    assert +found.actions_before == simulation.effect(plan, plan).before
    assert found.actions_before["block"] == 2


def test_columns_cost_a_few_statements_however_many_images(
    history: TriagePlan, django_assert_max_num_queries: Any
) -> None:
    plan = parsed(history)

    with django_assert_max_num_queries(6):
        compare(plan, with_weapons(plan, Band(0.5)))


def test_overlays_count_in_columns_as_in_replay(eyes: TriagePlan, platform: Client) -> None:
    for territories in (["DE", "US"], ["DE"], ["US"], []):
        world.submit(platform, world.png(red=0.3), territories=territories)
    run_once()
    band = {"WEAPONS_DANGEROUS": {"approve": 0.1, "block": 0.25}}
    overlay = {"name": "strict", "territories": ["DE"], "bands": band}
    draft = Plan.from_body({**eyes.body, "overlays": [overlay]}, number=0)

    found = compare(parsed(eyes), draft)

    assert found.moves == simulation.effect(parsed(eyes), draft).moves == {("review", "block"): 3}
