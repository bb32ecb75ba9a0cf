"""A draw asks people about images to learn from: which, how often, and what it leaves alone."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client as Browser

from classifiers.models import ClassifierVersion
from moderation import audit, lifecycle
from moderation.actors import Actor
from moderation.models import Client, Reason, ReviewRequest, Status, Submission, TriagePlan, User
from moderation.triage import run_once
from review import blinding, queue
from review.decisions import decide
from review.models import Selection, SelectionItem
from review.selection import drawing
from tests import world

COMMAND = Actor.command("test")
BLOCK: dict[str, Any] = {"verdict": "block", "labels": [{"category": "WEAPONS_DANGEROUS", "severity": 2}]}


@pytest.fixture(autouse=True)
def at_once(settings: Any) -> None:
    settings.REVIEW_UNDO_SECONDS = 0


def settled(platform: Client, reds: list[float]) -> list[Submission]:
    """Images that machines approved or blocked, one a redness."""
    sent = [world.submit(platform, world.png(red=red, seed=at)).pk for at, red in enumerate(reds)]
    while run_once().claimed:
        pass
    return [Submission.objects.get(pk=key) for key in sent]


def drawn(strategy: str, budget: int, **how: Any) -> list[SelectionItem]:
    row = drawing.ask(strategy, budget, actor=COMMAND, **how)
    drawing.draw(row.pk)
    return list(row.items.order_by("place").select_related("submission", "request"))


REDS = [0.02, 0.06, 0.10, 0.14, 0.18, 0.95, 0.98]  # approved below 0.2, blocked above 0.9


def test_uncertainty_asks_about_what_lies_nearest_to_one_half(platform: Client, eyes: TriagePlan) -> None:
    images = settled(platform, REDS)
    items = drawn("uncertainty", 3)
    assert [one.submission_id for one in items] == [images[at].pk for at in (4, 3, 2)]
    assert [one.place for one in items] == [1, 2, 3]
    assert items[0].score == pytest.approx(0.68, abs=0.02)  # bits of entropy at 0.18
    assert {(one.probability, one.request.reason, one.request.closed_at) for one in items} == {(None, "learning", None)}
    assert {one.request.category for one in items} == {"WEAPONS_DANGEROUS"}  # wellness limits go by it
    assert set(Submission.objects.values_list("status", flat=True)) == {Status.APPROVED, Status.BLOCKED}


def test_a_lot_has_a_known_chance_and_repeats_by_its_seed(platform: Client, eyes: TriagePlan) -> None:
    settled(platform, REDS)
    with transaction.atomic():
        first = [one.submission_id for one in drawn("random", 3, seed=5)]
        transaction.set_rollback(True)
    items = drawn("random", 3, seed=5)
    assert [one.submission_id for one in items] == first
    assert {one.probability for one in items} == {3 / 7}


def test_nobody_is_asked_twice_nor_about_what_is_judged_or_waits(
    platform: Client, eyes: TriagePlan, rita: User, paula: User
) -> None:
    images = settled(platform, [*REDS, 0.5])  # the last waits for a person
    lifecycle.move(images[0], Status.QUARANTINED, actor=Actor.person(paula), reason="a test")
    asked = {one.submission_id for one in drawn("random", 4)}
    for claim in queue.claim(rita, queue.GENERAL, 10):
        if claim.request.reason == Reason.LEARNING:
            decide(claim.pk, rita, verdict="approve")
    later = {one.submission_id for one in drawn("random", 100)}
    assert asked | later == {one.pk for one in images[1:7]}
    assert not asked & later
    assert drawn("random", 100) == []


def test_what_waits_is_drawn_where_that_is_wanted_and_one_answer_serves_both(
    platform: Client, eyes: TriagePlan, rita: User
) -> None:
    (image,) = settled(platform, [0.5])
    (item,) = drawn("uncertainty", 5, waiting=True)
    claims = queue.claim(rita, queue.GENERAL, 10)
    assert len(claims) == 1
    decide(claims[0].pk, rita, **BLOCK)
    assert not ReviewRequest.objects.filter(submission=image, closed_at__isnull=True).exists()
    assert item.submission_id == image.pk


def test_a_vote_of_several_is_not_settled_by_one_answer_to_learn_from(
    platform: Client, eyes: TriagePlan, rita: User
) -> None:
    (image,) = settled(platform, [0.5])
    ReviewRequest.objects.filter(submission=image).update(needed=2)
    assert drawn("random", 5, waiting=True) == []


def test_an_answer_moves_an_image_only_where_the_person_disagrees(
    platform: Client, eyes: TriagePlan, rita: User
) -> None:
    settled(platform, [0.10, 0.18])
    drawn("random", 2)
    fine, wrong = sorted(queue.claim(rita, queue.GENERAL, 2), key=lambda one: one.request.submission_id)
    decide(fine.pk, rita, verdict="approve")
    decide(wrong.pk, rita, **BLOCK)
    by_person = Submission.objects.values_list("status", "decided_by").order_by("pk")
    assert list(by_person) == [(Status.APPROVED, "automation"), (Status.BLOCKED, "person")]


def test_it_looks_like_any_image_judged_unaided(
    platform: Client, eyes: TriagePlan, rita: User, client: Browser
) -> None:
    settled(platform, [0.18])
    (item,) = drawn("uncertainty", 1)
    assert blinding.is_unaided(item.request)
    client.force_login(rita)
    answer = client.post("/api/v1/queues/general/claim", {"count": 5}, content_type="application/json").json()
    assert [one["reason"] for one in answer["claims"]] == [Reason.POLICY]
    page = client.get("/desk/general/").content.decode() + client.post("/desk/general/claim").content.decode()
    assert "Judge for yourself" in page
    assert "To learn from" not in page


def test_near_duplicates_are_asked_about_once_while_others_are_left(platform: Client, eyes: TriagePlan) -> None:
    images = settled(platform, [0.18, 0.17, 0.10])
    Submission.objects.filter(pk__in=[images[0].pk, images[1].pk]).update(cluster=images[0].pk)
    assert [one.submission_id for one in drawn("uncertainty", 2)] == [images[0].pk, images[2].pk]


def test_versions_that_differ_name_what_they_differ_on(platform: Client, eyes: TriagePlan, tmp_path: Any) -> None:
    images = settled(platform, REDS)
    backbone = ClassifierVersion.objects.get(name="colour-eyes")
    assert drawn("disagreement", 2) == []  # there is one version only
    old = world.heads(tmp_path, backbone, {"WEAPONS_DANGEROUS": [0.0, 0.0, 0.0, -4.0]}, version="1")
    world.heads(tmp_path, backbone, {"WEAPONS_DANGEROUS": [8.0, 0.0, 0.0, -4.0]}, version="2")
    world.publish(backbone.ref, "heads@2")
    items = drawn("disagreement", 2)
    assert {one.submission_id for one in items} == {images[5].pk, images[6].pk}
    assert old.ref in items[0].selection.outcome.versions
    assert items[0].score is not None
    assert items[0].score > 0.3


def test_a_mix_gives_what_a_strategy_cannot_use_to_uncertainty(platform: Client, eyes: TriagePlan) -> None:
    settled(platform, REDS)
    row = drawing.ask("mix", 5, actor=COMMAND, mix={"uncertainty": 60, "disagreement": 20, "random": 20})
    outcome = drawing.draw(row.pk)
    assert outcome.opened == 5
    strategies = sorted(row.items.values_list("strategy", flat=True))
    assert strategies == ["random", "uncertainty", "uncertainty", "uncertainty", "uncertainty"]
    assert ["disagree" in note for note in outcome.notes] == [True]
    assert set(row.items.filter(strategy="random").values_list("probability", flat=True)) == {1 / 7}


def test_a_draw_is_evidence_and_on_record(platform: Client, eyes: TriagePlan) -> None:
    settled(platform, REDS)
    (item,) = drawn("uncertainty", 1)
    assert drawing.draw(item.selection_id) == item.selection.outcome  # done once
    actions = [event.action for event in audit.events_of(drawing.subject(item.selection_id))]
    assert actions == ["selection.asked", "selection.drawn"]
    assert audit.events_of(audit.submission(item.submission_id))[-1].action == "submission.selected"
    for row in (item, item.selection, item.selection.outcome):
        with pytest.raises(IntegrityError), transaction.atomic():
            row.delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        Selection.objects.update(budget=9)


def test_the_command_prints_what_people_are_asked_about(platform: Client, eyes: TriagePlan) -> None:
    images = settled(platform, REDS)
    out = StringIO()
    call_command("select_learning", strategy="uncertainty", budget=2, stdout=out)
    assert out.getvalue().split() == [str(images[at].pk) for at in (4, 3)]
    out = StringIO()
    call_command("select_learning", "--json", strategy="random", budget=2, backbone="colour-eyes@1", stdout=out)
    said = json.loads(out.getvalue())
    assert (said["opened"], said["candidates"], len(said["submissions"])) == (2, 5, 2)
    assert said["versions"] == ["colour-eyes@1"]
    assert {one["probability"] for one in said["items"]} == {0.4}
    assert ReviewRequest.objects.filter(reason=Reason.LEARNING, closed_at__isnull=True).count() == 4


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"budget": 0}, 2),
        ({"budget": 1, "seed": -1}, 2),
        ({"budget": 1, "backbone": "nobody@1"}, 2),
        ({"budget": 1}, 1),
    ],
)
def test_the_command_says_what_it_cannot_do(eyes: TriagePlan, given: dict[str, Any], code: int) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("select_learning", **given, stdout=StringIO(), stderr=StringIO())
    assert refused.value.returncode == code
