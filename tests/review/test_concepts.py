"""Concepts from a handful of examples: learnt on what is stored, measured, switched on by a plan, and refused."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from pgvector import HalfVector
from uuid_utils.compat import uuid7

from classifiers.models import ClassifierVersion
from moderation import proposals
from moderation.actors import Actor
from moderation.adoption import adopt
from moderation.lifecycle import move
from moderation.models import (
    AuditEvent,
    Client,
    Embedding,
    PolicyVersion,
    Proposal,
    ReviewRequest,
    Status,
    Submission,
    TriagePlan,
    User,
)
from moderation.policies import publish_plan
from moderation.roles import Role
from moderation.routing import PlanError
from review import concepts
from review.concepts import gathering
from review.models import Claim, Decision, Effect
from tests import world
from tests.conftest import person as hire

COMMAND = Actor.command("test")
TEAL = {"red": 0.1, "green": 0.7, "blue": 0.7}
BANDS = {code: {"approve": 0.95} for code in world.BANDS}


@pytest.fixture
def archive(eyes: TriagePlan, platform: Client) -> list[Submission]:
    """Sixty reddish images, approved by the machine, then nine of teal. One is sent; the others are its rows with an
    embedding and a hash of their own.
    """
    world.publish("colour-eyes@1", bands=BANDS)
    first = world.triaged(platform, world.png(red=0.6, green=0.2, blue=0.1, size=32))
    rng = np.random.default_rng(0)
    reddish = np.array([0.6, 0.2, 0.2]) + rng.uniform(-0.15, 0.15, (59, 3))
    teal = np.array([0.1, 0.7, 0.7]) + rng.uniform(-0.05, 0.05, (9, 3))
    rows = []
    for _each in range(68):
        row = copy.copy(first)
        row.pk, row.pdq = uuid7(), rng.bytes(32)
        rows.append(row)
    Submission.objects.bulk_create(rows)
    backbone = ClassifierVersion.objects.get()
    Embedding.objects.bulk_create(
        Embedding(submission=row, backbone=backbone, vector=HalfVector(vector))
        for row, vector in zip(rows, np.concatenate([reddish, teal]), strict=True)
    )
    return [first, *rows]


@pytest.fixture
def teal(archive: list[Submission]) -> list[Submission]:
    return archive[-9:]


def drafted(rows: Sequence[Submission], **more: object) -> concepts.Draft:
    fields: dict[str, object] = {"name": "Teal walls", "category": "HATE", **more}
    return concepts.Draft(examples=[row.pk for row in rows], **fields)  # type: ignore[arg-type]


def learnt(rows: Sequence[Submission], **more: object) -> ClassifierVersion:
    return concepts.learn(drafted(rows, **more), actor=COMMAND)


def test_a_concept_is_a_measured_version_that_nobody_has_switched_on(teal: list[Submission]) -> None:
    version = learnt(teal)

    assert (version.ref, version.kind, version.categories) == ("concept-teal-walls@1", "heads", ["HATE"])
    picked = version.metrics["HATE"]["picked"]
    assert picked["precision"] == picked["recall"] == 1.0
    assert picked["precision_interval"][0] < 0.7, "three hits prove little, and the interval says so"
    assert len(version.card["concept"]["nearest"]) == 12
    assert {row["source"] for row in version.metrics["HATE"]["sources"]} == {"example", "presumed"}
    plan = TriagePlan.objects.in_force()
    assert plan is not None
    assert version.ref not in plan.body["classifiers"]
    assert AuditEvent.objects.filter(action="concept.learnt", subject=f"classifier:{version.ref}").exists()


def switched(made: concepts.Switch) -> TriagePlan:
    """Afterwards the plan that a switch comes to is in force."""
    return publish_plan(made.body, note=made.note, actor=COMMAND, based_on=made.based_on)


def test_switched_on_it_sends_its_likes_to_people_and_nothing_else(teal: list[Submission], platform: Client) -> None:
    version = learnt(teal)

    plan = switched(concepts.switch_on(version))

    assert plan.body["classifiers"] == ["colour-eyes@1", version.ref]
    assert plan.body["bands"]["HATE"] == {"approve": version.card["concept"]["threshold"], "block": None}
    hit = world.triaged(platform, world.png(red=0.12, green=0.68, blue=0.7, seed=500, size=32))
    other = world.triaged(platform, world.png(red=0.6, green=0.3, blue=0.1, seed=501, size=32))
    assert (hit.status, hit.flagged) == (Status.IN_REVIEW, ["HATE"])
    assert other.status == Status.APPROVED
    silent = other.findings.get(classifier=version)
    assert silent.probabilities == [0.0]


def test_switched_off_it_is_left_out_of_the_next_plan(teal: list[Submission]) -> None:
    version = learnt(teal)
    switched(concepts.switch_on(version))

    plan = switched(concepts.switch_off(version))

    assert plan.body["classifiers"] == ["colour-eyes@1"]
    with pytest.raises(PlanError, match="not in service"):
        switched(concepts.switch_off(version))


def test_the_next_version_of_a_concept_takes_the_place_of_the_one_before(teal: list[Submission]) -> None:
    switched(concepts.switch_on(learnt(teal)))

    second = learnt(teal[:7])
    plan = switched(concepts.switch_on(second))

    assert second.ref == "concept-teal-walls@2"
    assert plan.body["classifiers"] == ["colour-eyes@1", "concept-teal-walls@2"]


def test_heads_that_are_retrained_do_not_take_over_from_a_concept(teal: list[Submission], tmp_path: Path) -> None:
    concept = learnt(teal)
    switched(concepts.switch_on(concept))
    backbone = ClassifierVersion.objects.get(name="colour-eyes")
    rows = {code: [0.0, 0.0, 0.0, -3.0] for code in [*backbone.categories, "HATE"]}

    plan = adopt(world.heads(tmp_path, backbone, rows).ref, actor=COMMAND)

    assert plan.body["classifiers"] == ["heads@1", concept.ref]


def test_a_cut_above_the_threshold_is_refused(teal: list[Submission]) -> None:
    version = learnt(teal)
    world.publish("colour-eyes@1", bands={**BANDS, "HATE": {"approve": 0.999999}})

    with pytest.raises(PlanError, match="some hits would be approved unseen"):
        switched(concepts.switch_on(version))


def test_an_unmeasured_concept_gets_into_no_plan_by_whatever_door(teal: list[Submission]) -> None:
    version = learnt(teal)
    figures = {**version.metrics["HATE"], "picked": {"precision": None, "recall": 0.0}}
    fields = {"card": version.card, "weights": version.weights, "sha256": version.sha256, "embedding_size": 3}
    blind = ClassifierVersion.objects.create(
        name="concept-blind",
        version="1",
        kind="heads",
        categories=["HATE"],
        backbone=version.backbone,
        metrics={"HATE": figures},
        **fields,
    )
    body = {"bands": {**BANDS, "HATE": {"approve": 0.1}}, "classifiers": ["colour-eyes@1", blind.ref]}

    with pytest.raises(PlanError, match="not measured"):
        publish_plan(body, note="", actor=COMMAND)
    with pytest.raises(PlanError, match="not measured"):
        adopt(blind.ref, actor=COMMAND)


def test_too_few_or_unusable_examples_are_refused(teal: list[Submission], platform: Client) -> None:
    copies = [teal[0], teal[1], teal[2], teal[3]]
    held = Submission.objects.get(pk=teal[4].pk)
    move(held, Status.QUARANTINED, actor=COMMAND, reason="match")
    unseen = world.submit(platform, world.png(**TEAL, seed=900, size=32))

    for rows, more, reason in (
        (copies, {}, "needs 5 different examples"),
        ([*teal[:4], held], {}, f"under legal hold: {held.pk}"),
        ([*copies, *teal[5:], unseen], {}, f"has not looked at these images: {unseen.pk}"),
        ([teal[0], teal[0]], {}, "given twice"),
        (teal[:4] + teal[5:], {"category": "CSAE"}, "Nobody may collect"),
        (teal[:4] + teal[5:], {"name": "!!"}, "letters or digits"),
        (teal[:4] + teal[5:], {"phrase": "teal"}, "knows pictures only"),
    ):
        with pytest.raises(concepts.CannotLearn, match=reason):
            learnt(rows, **more)
    with pytest.raises(concepts.CannotLearn, match="Not here"):
        concepts.learn(concepts.Draft("x", "HATE", [uuid4()]), actor=COMMAND)
    assert not ClassifierVersion.objects.filter(name__startswith="concept-").exists()


def test_copies_of_one_picture_count_once(teal: list[Submission]) -> None:
    Submission.objects.filter(pk__in=[row.pk for row in teal]).update(pdq=teal[0].pdq)

    with pytest.raises(concepts.CannotLearn, match="There are 1"):
        learnt(teal)


def test_what_people_decided_is_what_it_is_measured_on(
    archive: list[Submission], teal: list[Submission], rita: User
) -> None:
    """Two teal images were blocked for the category, and two reddish ones approved; none of them is an example."""
    for row, verdict in [(teal[0], "block"), (teal[1], "block"), (archive[1], "approve"), (archive[2], "approve")]:
        decided(row, rita, verdict)

    known = gathering.gathered(drafted(teal[2:]), ClassifierVersion.objects.get())

    assert known.labels == {
        teal[0].pk: (1, 1.0),
        teal[1].pk: (1, 1.0),
        archive[1].pk: (0, 1.0),
        archive[2].pk: (0, 1.0),
    }
    assert not known.labels.keys() & set(known.sample)
    version = learnt(teal[2:])
    assert {row["source"] for row in version.metrics["HATE"]["sources"]} >= {"example", "presumed", "labelled"}


def decided(row: Submission, reviewer: User, verdict: str) -> None:
    """A decision as the desk writes it; the image itself stays where it is."""
    now = timezone.now()
    asked = ReviewRequest.objects.create(submission=row, reason="uncertain", leased_until=now)
    claim = Claim.objects.create(request=asked, reviewer=reviewer, expires_at=now)
    decision = Decision.objects.create(
        claim=claim,
        submission=row,
        reviewer=reviewer,
        verdict=verdict,
        labels=[{"category": "HATE", "severity": 2}] if verdict == "block" else [],
        policy=PolicyVersion.objects.filter(category="HATE")[0],
    )
    Effect.objects.create(decision=decision, submission=row, state="applied", due_at=now, queue="general")


def test_a_concept_by_command(teal: list[Submission]) -> None:
    out = io.StringIO()
    call_command("learn_concept", "Teal", category="HATE", example=[row.pk for row in teal], json=True, stdout=out)
    assert json.loads(out.getvalue())["version"] == "concept-teal@1"
    with pytest.raises(CommandError, match="5 different examples"):
        call_command("learn_concept", "Teal", category="HATE", example=[teal[0].pk])


def test_a_policy_lead_makes_a_concept_and_switches_it(
    client: Browser, teal: list[Submission], paula: User, settings: Any
) -> None:
    settings.SECOND_APPROVER = False
    client.force_login(paula)
    assert "No concept yet" in client.get("/concepts/").content.decode()
    fields = {"name": "Teal", "category": "HATE", "examples": "\n".join(str(row.pk) for row in teal)}

    answer = client.post("/concepts/new/", fields, follow=True)

    page = answer.content.decode()
    version = ClassifierVersion.objects.get(name="concept-teal")
    assert "It is not in service yet." in page
    assert page.count('<img src="/images/') == 12 + 9
    switch = reverse("concept_switch", kwargs={"pk": version.pk})
    assert "switched on" in client.post(switch, {"to": "on"}, follow=True).content.decode()
    plan = TriagePlan.objects.in_force()
    assert plan is not None
    assert (plan.published_by, plan.note) == (paula, "Switches on concept-teal@1.")
    assert version.ref in client.get("/concepts/").content.decode()
    client.post(switch, {"to": "off"})
    plan = TriagePlan.objects.in_force()
    assert plan is not None
    assert plan.body["classifiers"] == ["colour-eyes@1"]


def test_a_refusal_keeps_what_was_written(client: Browser, teal: list[Submission], paula: User) -> None:
    client.force_login(paula)

    page = client.post("/concepts/new/", {"name": "Teal", "category": "HATE", "examples": str(teal[0].pk)}).content

    assert b"needs 5 different examples" in page
    assert str(teal[0].pk).encode() in page
    wrong = client.post("/concepts/new/", {"name": "Teal", "category": "HATE", "examples": "one\ntwo"}).content.decode()
    assert "“one” is no id of a submission." in wrong


def test_examples_may_come_with_the_link(client: Browser, teal: list[Submission], paula: User) -> None:
    client.force_login(paula)

    page = client.get(f"/concepts/new/?example={teal[0].pk}&example={teal[1].pk}").content.decode()

    assert f"{teal[0].pk}\n{teal[1].pk}" in page
    assert "knows pictures only" in page


def test_who_writes_no_policy_sees_no_concept(
    client: Browser, teal: list[Submission], eve: User, rita: User, ming: User
) -> None:
    version = learnt(teal)
    for person in (eve, rita, ming):
        client.force_login(person)
        for name, arguments in (("concepts", {}), ("concept_new", {}), ("concept", {"pk": version.pk})):
            assert client.get(reverse(name, kwargs=arguments)).status_code == 403
        assert client.post(reverse("concept_switch", kwargs={"pk": version.pk}), {"to": "on"}).status_code == 403
        assert client.post(reverse("concept_new"), {}).status_code == 403
    assert TriagePlan.objects.count() == 2


def test_a_concept_that_one_switches_another_approves(client: Browser, teal: list[Submission], paula: User) -> None:
    version = learnt(teal)
    client.force_login(paula)

    answer = client.post(reverse("concept_switch", kwargs={"pk": version.pk}), {"to": "on"})

    proposal = Proposal.objects.get()
    assert answer["Location"] == reverse("plan_proposal", args=[proposal.pk])
    assert version.ref in client.get(answer["Location"]).content.decode()
    assert version.ref not in in_service()
    proposals.approve(proposal.pk, hire("pia", Role.POLICY_LEAD), revision=1)
    assert version.ref in in_service()


def in_service() -> list[str]:
    plan = TriagePlan.objects.in_force()
    return list(plan.body["classifiers"]) if plan else []
