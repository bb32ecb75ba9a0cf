"""From candidate to service: stages told by plans, gates that close, two people, and one step back."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from classifiers.models import ClassifierVersion
from moderation import policies, proposals, rollouts, shadows, stages
from moderation.actors import Actor
from moderation.admission import GateClosed
from moderation.models import AuditEvent, Client, Proposal, Submission, TriagePlan, User
from moderation.plans import PlanError
from moderation.plans.gates import parsed_gates
from moderation.stages import Stage, Standing
from review.evaluations import measuring, orders
from review.models import Dataset
from review.promotion import gates, moving
from tests import world
from tests.review.evaluating import ALL, dataset, evaluated, images, publish, taught, versions

Pair = tuple[ClassifierVersion, ClassifierVersion]
COMMAND = Actor.command("test")


@pytest.fixture
def rows(eyes: TriagePlan, platform: Client, settings: Settings, tmp_path: Path) -> list[Submission]:
    settings.DATASETS_DIR = tmp_path / "datasets"
    return images(platform, 240)


@pytest.fixture
def data(rows: list[Submission]) -> Dataset:
    return dataset(rows, backbone="colour-eyes@1")


@pytest.fixture
def pair(data: Dataset, tmp_path: Path) -> Pair:
    """(candidate, incumbent), of which the second is in service, under the gates of ALL."""
    found = versions(tmp_path)
    publish(found[1].ref, ALL)
    return found


def closed(version: ClassifierVersion) -> dict[str, str]:
    found = gates.open_for(version, TriagePlan.objects.in_force())
    return {one.name: one.why for one in found if not one.passed}


def states(version: ClassifierVersion) -> dict[str, str]:
    return {one.name: str(one.state) for one in gates.open_for(version, TriagePlan.objects.in_force())}


def stage(version: ClassifierVersion) -> Stage:
    return Standing.now().stage_of(version)


# --- gates ---


def test_what_was_never_measured_does_not_pass(pair: Pair, data: Dataset) -> None:
    assert closed(pair[0]) == {"evaluated": "It was not evaluated yet."}


def test_a_better_version_passes_every_gate(pair: Pair, data: Dataset) -> None:
    evaluated(pair[0], data)

    found = gates.open_for(pair[0], TriagePlan.objects.in_force())

    assert [one.name for one in found] == [
        "evaluated",
        "overall",
        "slices.language",
        "calibration",
        "fairness.language.equal_opportunity",
        "fairness.language.disparate_impact",
        "certificate",
    ]
    assert all(one.passed for one in found), closed(pair[0])


def test_a_worse_version_is_stopped_by_category_and_slice(pair: Pair, data: Dataset, rows: list[Submission]) -> None:
    publish(pair[0].ref, ALL)  # the clear one serves now
    dim = taught(pair[1], "7", by=data)  # another version: one that served before would not be asked
    evaluated(dim, data)

    found = states(dim)
    assert (found["overall"], found["slices.language"]) == ("closed", "closed")
    assert "Weapons" in closed(dim)["overall"]


CLOSING: dict[str, dict[str, Any]] = {
    "calibration": {"calibration": 0.0001},
    "fairness.language.statistical_parity": {"fairness": {"statistical_parity": 0.0}, "groups": ["language"]},
    "fairness.language.disparate_impact": {"fairness": {"disparate_impact": 1.0}, "groups": ["language"]},
    "fairness.surface.average_odds": {"fairness": {"average_odds": 0.5}, "groups": ["surface"]},  # nobody declared any
    "slices.seen": {"tolerance": 0.05, "slices": ["surface", "seen"]},  # nobody knows what taught it
    "certificate": {"alpha": 0.01, "delta": 0.05},
}


def test_each_gate_closes(pair: Pair, data: Dataset) -> None:
    evaluated(pair[0], data, alpha=0.01, delta=0.05)

    for name, said in CLOSING.items():
        publish(pair[1].ref, said)
        assert list(closed(pair[0])) == [name]


def test_a_cut_beyond_what_is_certified_closes_the_gate(pair: Pair, data: Dataset) -> None:
    publish(pair[1].ref, {"alpha": 0.2, "delta": 0.2}, WEAPONS_DANGEROUS={"approve": 0.95, "block": None})
    evaluated(pair[0], data)

    assert "Weapons" in closed(pair[0])["certificate"]


def test_an_evaluation_at_a_looser_limit_proves_nothing(pair: Pair, data: Dataset) -> None:
    evaluated(pair[0], data, alpha=0.3)

    assert "looser limit" in closed(pair[0])["certificate"]


def test_an_evaluation_against_what_no_longer_serves_is_of_no_use(pair: Pair, data: Dataset) -> None:
    evaluated(pair[0], data)
    world.publish("colour-eyes@1", gates=ALL)

    assert "held against heads@1, and colour-eyes@1 is in service" in closed(pair[0])["evaluated"]


def test_the_training_split_opens_no_gate(pair: Pair, data: Dataset) -> None:
    against = orders.counterpart(pair[0])
    terms = measuring.Terms(plan=TriagePlan.objects.in_force(), replicates=20)
    figures = orders.figures(pair[0], against, dataset=data, split="train", terms=terms)
    orders.keep(figures, pair[0], against, dataset=data, split="train", actor=COMMAND)

    assert list(closed(pair[0])) == ["evaluated"]


def test_the_privacy_budget_is_a_gate(pair: Pair, data: Dataset) -> None:
    world.publish(pair[1].ref, privacy_budget=8)
    cards: list[tuple[Any, bool]] = [({}, False), ({"epsilon": 7.9}, True), ({"epsilon": 9}, False), ("8", False)]

    for number, (card, passes) in enumerate(cards):
        version = taught(pair[0], f"9{number}", by=data, privacy=card)
        assert (closed(version) == {}) is passes


def test_without_gates_nothing_is_asked(pair: Pair) -> None:
    publish(pair[1].ref, {})

    assert gates.open_for(pair[0], TriagePlan.objects.in_force()) == []
    assert gates.standing(pair[0], TriagePlan.objects.in_force()) is None


@pytest.mark.parametrize(
    "said",
    [
        {"tolerance": 2},
        {"slices": ["race"]},
        {"slices": "language"},
        {"fairness": {"equal_opportunity": 0.1}},
        {"fairness": {"kindness": 0.1}, "groups": ["language"]},
        {"alpha": 0},
        {"delta": 1},
        {"calibration": True},
        {"gate": 1},
        [1],
    ],
)
def test_gates_that_cannot_be_kept_are_refused(said: Any) -> None:
    with pytest.raises(PlanError, match="gates"):
        parsed_gates(said)


# --- stages and moves ---


def test_stages_are_told_by_plans_and_rollouts(pair: Pair, data: Dataset, ming: User, settings: Settings) -> None:
    settings.SECOND_APPROVER = False
    evaluated(pair[0], data)
    found = [stage(pair[0])]

    shadows.start(pair[0].ref, actor=COMMAND)
    found.append(stage(pair[0]))
    moving.to_canary(pair[0], ming, share=0.1)
    found.append(stage(pair[0]))
    rollouts.drop(running().pk, actor=COMMAND, why="")
    moving.to_service(pair[0], ming)
    found.append(stage(pair[0]))
    moving.back(pair[0], ming)
    found.append(stage(pair[0]))  # the plan before had it in its shadow
    shadows.end(pair[0].ref, actor=COMMAND)
    found.append(stage(pair[0]))

    way = [Stage.CANDIDATE, Stage.SHADOW, Stage.CANARY, Stage.IN_SERVICE, Stage.SHADOW, Stage.RETIRED]
    assert found == way
    assert stage(pair[1]) == Stage.IN_SERVICE


def running() -> Any:
    found = rollouts.running()
    assert found is not None
    return found


def test_a_closed_gate_keeps_it_out_of_service_and_canary(pair: Pair, ming: User) -> None:
    for move in (moving.to_service, moving.to_canary):
        with pytest.raises(GateClosed, match="not evaluated yet"):
            move(pair[0], ming)

    assert not Proposal.objects.exists()
    assert TriagePlan.objects.count() == 2


def test_a_second_person_puts_it_in_service(pair: Pair, data: Dataset, ming: User, paula: User) -> None:
    evaluated(pair[0], data)

    proposal = moving.to_service(pair[0], ming, note="clearer")

    assert (proposal.state, stage(pair[0])) == ("asked", Stage.CANDIDATE)
    with pytest.raises(proposals.OwnWork):
        proposals.approve(proposal.pk, ming, revision=1)
    with pytest.raises(moving.CannotMove, match="proposed already"):
        moving.to_service(pair[0], ming)
    proposals.approve(proposal.pk, paula, revision=1)
    plan = TriagePlan.objects.in_force()
    assert plan is not None
    assert (plan.body["classifiers"], plan.note, plan.published_by) == ([pair[0].ref], "clearer", ming)
    assert plan.body["gates"] == ALL


def test_a_canary_is_adopted_by_who_may_publish(pair: Pair, data: Dataset, ming: User, paula: User) -> None:
    evaluated(pair[0], data)
    proposals.approve(moving.to_canary(pair[0], ming, share=0.1).pk, paula, revision=1)
    assert stage(pair[0]) == Stage.CANARY

    with pytest.raises(moving.CannotMove, match="policy lead"):
        moving.end_canary(running().pk, ming, adopt=True)
    plan = moving.end_canary(running().pk, paula, adopt=True)

    assert plan is not None
    assert (plan.body["classifiers"], stage(pair[0])) == ([pair[0].ref], Stage.IN_SERVICE)


def test_a_canary_meets_the_gates_again_before_it_is_adopted(
    pair: Pair, data: Dataset, ming: User, paula: User, settings: Settings
) -> None:
    settings.SECOND_APPROVER = False
    evaluated(pair[0], data)
    moving.to_canary(pair[0], ming, share=0.1)
    publish(pair[1].ref, {**ALL, "calibration": 0.0001})  # stricter meanwhile

    with pytest.raises(GateClosed, match="ECE"):
        moving.end_canary(running().pk, paula, adopt=True)
    assert moving.end_canary(running().pk, ming, adopt=False) is None
    assert rollouts.running() is None


def test_one_canary_at_a_time(pair: Pair, data: Dataset, ming: User, settings: Settings) -> None:
    settings.SECOND_APPROVER = False
    evaluated(pair[0], data)
    moving.to_canary(pair[0], ming)

    with pytest.raises(moving.CannotMove, match="rollout"):
        moving.to_canary(pair[0], ming)
    with pytest.raises(moving.CannotMove, match="share of the traffic"):
        moving.to_service(pair[0], ming)


def test_going_back_asks_no_gate_and_no_second_person(pair: Pair, ming: User, data: Dataset) -> None:
    publish(pair[0].ref, ALL)
    earlier = stages.before(pair[0])

    plan = moving.back(pair[0], ming)

    assert earlier is not None
    assert (plan.body, plan.note) == (earlier.body, f"Back from heads@2, to plan {earlier.number}.")
    with pytest.raises(moving.CannotMove, match="no plan without"):
        moving.back(pair[0], ming)


def test_there_is_no_way_back_from_the_first_plan(eyes: TriagePlan, ming: User) -> None:
    with pytest.raises(moving.CannotMove):
        moving.back(ClassifierVersion.objects.get(), ming)


# --- the command ---


def test_the_command_stops_at_a_closed_gate_and_may_go_past_it(pair: Pair) -> None:
    with pytest.raises(CommandError, match="not evaluated yet") as refused:
        call_command("adopt", pair[0].ref)
    assert refused.value.returncode == 1

    call_command("adopt", pair[0].ref, past_gates=True, note="Urgent.", stdout=io.StringIO())

    plan = TriagePlan.objects.in_force()
    assert plan is not None
    assert plan.body["classifiers"] == [pair[0].ref]
    assert plan.admission is not None
    assert plan.admission["past"] == {"why": "Urgent.", "asked_by": "command:adopt", "approved_by": ""}
    (one,) = plan.admission["versions"]
    assert [(gate["name"], gate["state"]) for gate in one["gates"]] == [("evaluated", "closed")]
    event = AuditEvent.objects.get(action="plan.past_gates")
    assert (event.actor, event.data["past"]["why"]) == ("command:adopt", "Urgent.")


def test_the_command_goes_past_gates_only_with_a_reason(pair: Pair) -> None:
    with pytest.raises(CommandError, match="say why") as refused:
        call_command("adopt", pair[0].ref, past_gates=True)

    assert refused.value.returncode == 2
    assert TriagePlan.objects.count() == 2


def test_the_command_needs_no_gate_for_the_shadow(pair: Pair) -> None:
    call_command("adopt", pair[0].ref, shadow=True, stdout=io.StringIO())

    assert stage(pair[0]) == Stage.SHADOW


def test_differences_of_plans_name_the_gates(pair: Pair) -> None:
    from moderation.simulation import differences

    before = policies.parsed(TriagePlan.objects.get(number=1))
    after = policies.parsed(TriagePlan.objects.get(number=2))

    (told,) = [one for one in differences(before, after) if one.startswith("gates")]
    assert "tolerance: 0.05" in told
    assert "slices: language" in told
