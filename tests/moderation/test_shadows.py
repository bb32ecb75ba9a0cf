"""A shadow version looks at every image and has no say; what would change if it took over can be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command

from classifiers import registry
from classifiers.base import FloatArray, ImageInput, Outputs
from classifiers.models import ClassifierVersion
from moderation import adoption, policies, shadows
from moderation.actors import Actor
from moderation.models import AuditEvent, Client, Embedding, Finding, Status, Submission, TriagePlan, User
from moderation.plans import MOST_SHADOWS
from moderation.routing import Plan, PlanError
from moderation.triage import deadlines, run_once
from tests import world

COMMAND = Actor.command("test")


@pytest.fixture
def candidate(eyes: TriagePlan, tmp_path: Path) -> ClassifierVersion:
    """A second version of the eyes, not in service."""
    return world.colour_eyes(tmp_path, version="2")


@pytest.fixture
def beside(candidate: ClassifierVersion) -> TriagePlan:
    """Plan 2: the candidate stands in the shadow."""
    return shadows.start(candidate.ref, actor=COMMAND)


class Candidate:
    """Opened in place of the candidate: what it does is the test's."""

    name, version, categories, embedding_size = "colour-eyes", "2", ("WEAPONS_DANGEROUS", "REGULATED", "PRIVACY"), None

    def __init__(self, answer: Any) -> None:
        self.answer, self.asked = answer, 0

    def run(self, images: list[ImageInput]) -> Outputs:
        self.asked += 1
        found: Outputs = self.answer(len(images))
        return found


@pytest.fixture
def opened(candidate: ClassifierVersion) -> Iterator[dict[Any, Any]]:
    """What the registry holds open; what a test puts there is gone after it."""
    yield registry._open
    registry._open.pop(candidate.pk, None)


def numbers(count: int, width: int, value: float) -> FloatArray:
    import numpy as np

    return np.full((count, width), value, dtype=np.float32)


def test_a_shadow_s_findings_are_stored_beside_those_in_service(beside: TriagePlan, platform: Client) -> None:
    submission = world.triaged(platform, world.png(red=0.5))

    assert {one.classifier.ref for one in submission.findings.all()} == {"colour-eyes@1", "colour-eyes@2"}
    assert set(submission.heard) == {"colour-eyes@1", "colour-eyes@2"}


def test_a_shadow_routes_nothing(
    beside: TriagePlan, candidate: ClassifierVersion, opened: dict[Any, Any], platform: Client
) -> None:
    opened[candidate.pk] = Candidate(lambda n: Outputs(numbers(n, 3, 0.99)))

    submission = world.triaged(platform, world.png(red=0.05))

    assert (submission.status, submission.flagged) == (Status.APPROVED, [])
    assert Finding.objects.get(classifier=candidate).probabilities == pytest.approx([0.99] * 3)


@pytest.mark.parametrize(
    "answer",
    [
        lambda n: 1 / 0,
        lambda n: Outputs(numbers(n + 1, 3, 0.5)),
        lambda n: Outputs(numbers(n, 2, 0.5)),
        lambda n: Outputs(numbers(n, 3, float("nan"))),
        lambda n: Outputs(numbers(n, 3, 0.5), numbers(n, 7, float("inf"))),
        lambda n: Outputs(numbers(n, 3, 0.5), None, [{}] * (n + 1)),
    ],
    ids=["raises", "rows", "columns", "nan", "infinite embedding", "shown"],
)
def test_a_shadow_that_fails_is_only_missed(
    beside: TriagePlan, candidate: ClassifierVersion, opened: dict[Any, Any], platform: Client, answer: Any
) -> None:
    opened[candidate.pk] = Candidate(answer)
    for red in (0.05, 0.5):
        world.submit(platform, world.png(red=red))

    report = run_once()

    assert (report.settled, report.put_back) == (2, 0)
    assert report.missed == {"colour-eyes@2": 2}
    assert set(Submission.objects.values_list("status", flat=True)) == {Status.APPROVED, Status.IN_REVIEW}
    assert not Finding.objects.filter(classifier=candidate).exists()


def test_a_shadow_whose_weights_are_gone_is_only_missed(eyes: TriagePlan, tmp_path: Path, platform: Client) -> None:
    heads = world.heads(tmp_path, ClassifierVersion.objects.get(), {"PRIVACY": [0, 0, 0, 0]})
    shadows.start(heads.ref, actor=COMMAND)
    storages["models"].delete(heads.weights)

    assert world.triaged(platform, world.png(red=0.05)).heard == ["colour-eyes@1"]


def test_a_shadow_that_hangs_costs_its_time_once(
    beside: TriagePlan, candidate: ClassifierVersion, opened: dict[Any, Any], platform: Client, settings: Any
) -> None:
    free = Event()
    slow = opened[candidate.pk] = Candidate(lambda n: free.wait(60) and Outputs(numbers(n, 3, 0.5)))
    settings.SHADOW_SECONDS = 0.05
    try:
        first, second = (world.triaged(platform, world.png(red=0.05, seed=seed)) for seed in (1, 2))
    finally:
        free.set()
        for thread in list(deadlines._abandoned):
            thread.join(60)

    assert (first.status, second.status) == (Status.APPROVED, Status.APPROVED)
    assert slow.asked == 1  # while it hangs, it is not asked again
    assert Finding.objects.filter(classifier=candidate).count() == 0


def test_heads_on_eyes_in_service_cost_no_pass(
    eyes: TriagePlan, platform: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = ClassifierVersion.objects.get()
    heads = world.heads(tmp_path, backbone, {"PRIVACY": [0, 0, 0, 0]})
    shadows.start(heads.ref, actor=COMMAND)
    passes = []
    eye = registry.load(backbone)
    look = type(eye).run

    def counted(self: Any, images: list[ImageInput]) -> Outputs:
        passes.append(len(images))
        return look(self, images)

    monkeypatch.setattr(type(eye), "run", counted)

    submission = world.triaged(platform, world.png(blue=0.5))

    assert passes == [1]
    assert {one.classifier.ref for one in submission.findings.all()} == {backbone.ref, heads.ref}
    assert Embedding.objects.filter(submission=submission).count() == 1


def test_starting_and_ending_are_plans_and_on_record(candidate: ClassifierVersion, ming: User) -> None:
    started = shadows.start(candidate.ref, actor=Actor.person(ming), person=ming)
    ended = shadows.end(candidate.ref, actor=Actor.person(ming), person=ming)

    assert ended is not None
    assert (started.number, started.body["shadows"]) == (2, ["colour-eyes@2"])
    assert (ended.number, ended.body["shadows"]) == (3, [])
    assert started.body["bands"] == ended.body["bands"] == world.BANDS
    assert AuditEvent.objects.filter(action="plan.published", actor=str(Actor.person(ming))).count() == 2


def test_what_is_in_the_shadow_already_is_not_put_there_again(beside: TriagePlan) -> None:
    with pytest.raises(shadows.AlreadyInShadow):
        shadows.start("colour-eyes@2", actor=COMMAND)


def test_what_is_in_service_is_no_shadow(eyes: TriagePlan) -> None:
    with pytest.raises(adoption.AlreadyPinned):
        shadows.start("colour-eyes@1", actor=COMMAND)


def test_adopting_a_shadow_takes_it_out_of_the_shadow(beside: TriagePlan) -> None:
    plan = adoption.adopt("colour-eyes@2", actor=COMMAND)

    assert (plan.body["classifiers"], plan.body["shadows"]) == (["colour-eyes@2"], [])


def test_ending_what_does_not_stand_there_changes_nothing(eyes: TriagePlan) -> None:
    assert shadows.end("colour-eyes@2", actor=COMMAND) is None
    assert TriagePlan.objects.count() == 1


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        (["colour-eyes@1"], "one or the other"),
        (["nobody@1"], "Not registered: nobody@1"),
        ([f"a@{n}" for n in range(MOST_SHADOWS + 1)], "At most"),
    ],
)
def test_a_plan_with_shadows_that_cannot_be_is_refused(eyes: TriagePlan, listed: list[str], words: str) -> None:
    with pytest.raises(PlanError, match=words):
        policies.publish_plan({**eyes.body, "shadows": listed}, note="", actor=COMMAND)


def test_a_shadow_needs_no_band(candidate: ClassifierVersion, eyes: TriagePlan, platform: Client) -> None:
    bands = {code: band for code, band in world.BANDS.items() if code != "PRIVACY"}
    plan = Plan.from_body({"bands": bands, "classifiers": ["x@1"], "shadows": [candidate.ref]}, number=1)

    assert plan.shadows == (candidate.ref,)


def test_the_command_puts_it_into_the_shadow(candidate: ClassifierVersion) -> None:
    out = StringIO()
    call_command("adopt", candidate.ref, "--shadow", "--json", stdout=out)
    said = json.loads(out.getvalue())

    assert said == {"plan": 2, "classifiers": ["colour-eyes@1"], "shadows": ["colour-eyes@2"], "changed": True}
    out = StringIO()
    call_command("adopt", candidate.ref, "--shadow", stdout=out)
    assert out.getvalue() == "Plan 2: in the shadow colour-eyes@2.\n"


def test_the_command_refuses_what_is_in_service(eyes: TriagePlan) -> None:
    with pytest.raises(CommandError, match="pins colour-eyes@1 already"):
        call_command("adopt", "colour-eyes@1", "--shadow")


def test_the_routes_of_both_are_compared(
    beside: TriagePlan, candidate: ClassifierVersion, opened: dict[Any, Any], platform: Client
) -> None:
    opened[candidate.pk] = Candidate(lambda n: Outputs(numbers(n, 3, 0.05)))  # blind: it never sees anything
    for red in (0.05, 0.5, 0.97):
        world.triaged(platform, world.png(red=red))

    found = shadows.compare(candidate)

    assert found.moves == {("review", "approve"): 1, ("block", "approve"): 1}
    assert (len(found.images), found.agreed, found.unseen) == (3, 1, 0)
    assert (found.before["review"], found.after["review"]) == (1, 0)
    (weapons,) = found.categories()
    assert (weapons.category, weapons.before, weapons.after, weapons.both) == ("WEAPONS_DANGEROUS", 2, 0, 0)
    assert shadows.as_json(found)["moves"] == [
        {"from": "block", "to": "approve", "images": 1},
        {"from": "review", "to": "approve", "images": 1},
    ]


def test_what_one_side_never_saw_is_counted_apart(
    candidate: ClassifierVersion, platform: Client, django_assert_max_num_queries: Any
) -> None:
    world.triaged(platform, world.png(red=0.5))
    shadows.start(candidate.ref, actor=COMMAND)
    world.triaged(platform, world.png(red=0.6))

    with django_assert_max_num_queries(12):
        found = shadows.compare(candidate)

    assert (len(found.images), found.unseen, found.moved) == (1, 1, [])


def test_only_so_many_images_are_compared(beside: TriagePlan, candidate: ClassifierVersion, platform: Client) -> None:
    newest = [world.triaged(platform, world.png(red=0.5, seed=seed)) for seed in range(3)][-1]

    assert [one.submission.pk for one in shadows.compare(candidate, limit=1).images] == [newest.pk]


def test_a_draft_keeps_what_its_form_does_not_name(beside: TriagePlan, paula: User, client: Any, settings: Any) -> None:
    from moderation.forms import draft_of_plan

    settings.SECOND_APPROVER = False

    client.force_login(paula)
    sent = {**draft_of_plan(policies.parsed(beside), based_on=2), "note": "Why not.", "action": "publish"}
    sent = {name: value for name, value in sent.items() if value is not None and value is not False}

    client.post("/policies/plans/draft/", {**sent, "copies": "settle"})
    client.post("/policies/plans/draft/", {**sent, "based_on": 3, "copies": ""})

    plan = TriagePlan.objects.in_force()
    assert plan is not None
    assert (plan.number, plan.body["shadows"], plan.body["copies"]) == (4, ["colour-eyes@2"], "settle")
    assert "follow the decision, within one client" in client.get("/policies/plans/").content.decode()
