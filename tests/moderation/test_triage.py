"""The batch worker in every corner: doubt goes to people, failures are tried again, who comes late writes nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import storages
from django.utils import timezone

from classifiers.models import ClassifierVersion
from moderation import audit
from moderation.models import (
    AuditEvent,
    Client,
    Embedding,
    Finding,
    Reason,
    ReviewRequest,
    Status,
    Submission,
    TriagePlan,
)
from moderation.policies import parsed
from moderation.routing import Context, route
from moderation.triage import batch, breakers, run_once, work_off
from moderation.triage.leases import claim
from moderation.triage.replay import evidence_under
from tests import world


@pytest.fixture
def broken_weights(eyes: TriagePlan) -> None:
    """The published classifier's weights are gone from the storage: it fails on every batch."""
    version = ClassifierVersion.objects.get()
    storages["models"].delete(version.weights)


def rounds(submission: Submission) -> int:
    """Triage again and again, each time once the back-off is over; returns how often the row was claimed."""
    for _round in range(20):
        Submission.objects.filter(pk=submission.pk, status=Status.RECEIVED).update(triage_after=timezone.now())
        run_once()
        submission.refresh_from_db()
        if submission.status != Status.RECEIVED:
            break
    return submission.attempts


@pytest.mark.parametrize(
    ("red", "route_", "status"),
    [(0.05, "approve", Status.APPROVED), (0.5, "review", Status.IN_REVIEW), (0.97, "block", Status.BLOCKED)],
)
def test_the_band_decides(eyes: TriagePlan, platform: Client, red: float, route_: str, status: Status) -> None:
    submission = world.triaged(platform, world.png(red=red))
    assert (submission.route, submission.status) == (route_, status)


def test_what_was_seen_is_kept_as_evidence(eyes: TriagePlan, platform: Client) -> None:
    submission = world.triaged(platform, world.png(red=0.5, green=0.25))
    finding = Finding.objects.get(submission=submission)
    assert finding.classifier.ref == "colour-eyes@1"
    assert finding.probabilities == pytest.approx([0.5, 0.25, 0.0], abs=0.01)
    assert Embedding.objects.get(submission=submission).vector == pytest.approx([0.5, 0.25, 0.0], abs=0.01)
    assert submission.pdq is not None
    assert (submission.plan, submission.flagged) == (eyes, ["REGULATED", "WEAPONS_DANGEROUS"])


def test_replay_from_storage_gives_the_same_route(eyes: TriagePlan, platform: Client) -> None:
    rows = [world.triaged(platform, world.png(red=number / 50, green=number / 90)) for number in range(50)]
    plan = parsed(eyes)
    again = [route(evidence, plan, Context()).action for evidence in evidence_under(rows, plan)]
    assert again == [row.route for row in rows]


def test_without_a_plan_everything_goes_to_people(guidelines: None, platform: Client) -> None:
    submission = world.triaged(platform, world.png())
    assert submission.status == Status.IN_REVIEW
    assert ReviewRequest.objects.get(submission=submission).reason == Reason.POLICY


def test_all_heads_on_a_backbone_speak_and_one_that_is_lost_fails_alone(
    eyes: TriagePlan, platform: Client, tmp_path: Path
) -> None:
    backbone = ClassifierVersion.objects.get()
    first = world.heads(tmp_path, backbone, {"HATE": [4, 0, 0, -2], "PRIVACY": [0, 0, 4, -2]}, name="first")
    second = world.heads(tmp_path, backbone, {"HATE": [-4, 0, 0, 0]}, name="second")
    lost = world.heads(tmp_path, backbone, {"OTHER": [0, 1, 0, 0]}, name="lost")
    storages["models"].delete(lost.weights)
    world.publish(
        first.ref, second.ref, lost.ref, bands={**world.BANDS, "HATE": {"approve": 0.9}, "OTHER": {"approve": 0.9}}
    )

    submission = world.submit(platform, world.png(red=0.5))
    assert rounds(submission) == settings.TRIAGE_MAX_ATTEMPTS

    found = {one.classifier.ref: one.probabilities for one in submission.findings.select_related("classifier")}
    assert found == {"first@1": pytest.approx([0.5, 0.119], abs=0.01), "second@1": pytest.approx([0.119], abs=0.01)}
    assert [why["detail"] for why in submission.reasons if why["code"] == "classifier_error"] == ["lost@1: CardError"]


def test_a_failing_classifier_is_tried_again_and_then_people_look(broken_weights: None, platform: Client) -> None:
    submission = world.triaged(platform, world.png())
    assert submission.status == Status.RECEIVED
    assert submission.triage_after > timezone.now()  # the back-off
    assert rounds(submission) == breakers.THRESHOLD  # then it is known to be down
    assert submission.status == Status.IN_REVIEW
    assert ReviewRequest.objects.get(submission=submission).reason == Reason.CLASSIFIER_ERROR
    assert submission.reasons[0]["code"] == "classifier_error"


def test_each_back_off_is_longer_than_the_one_before(eyes: TriagePlan, platform: Client) -> None:
    submission = world.submit(platform, world.png())
    storages["derivatives"].delete(submission.working)
    run_once()
    submission.refresh_from_db()
    waits = []
    while submission.status == Status.RECEIVED:
        waits.append(submission.triage_after - timezone.now())
        Submission.objects.filter(pk=submission.pk).update(triage_after=timezone.now())
        run_once()
        submission.refresh_from_db()
    assert len(waits) == settings.TRIAGE_MAX_ATTEMPTS - 1
    assert waits == sorted(waits)


def test_a_lost_derivative_is_doubt_about_that_image_alone(eyes: TriagePlan, platform: Client) -> None:
    lost = world.submit(platform, world.png(seed=1))
    fine = world.submit(platform, world.png(seed=2))
    storages["derivatives"].delete(lost.working)
    run_once()
    fine.refresh_from_db()
    assert fine.status == Status.APPROVED
    assert rounds(lost) == settings.TRIAGE_MAX_ATTEMPTS
    assert ReviewRequest.objects.get(submission=lost).reason == Reason.CLASSIFIER_ERROR


def test_an_image_that_kills_its_worker_is_given_to_people_unseen(eyes: TriagePlan, platform: Client) -> None:
    submission = world.submit(platform, world.png(red=0.97))
    # Claimed again and again, and never heard of since.
    Submission.objects.filter(pk=submission.pk).update(attempts=settings.TRIAGE_MAX_ATTEMPTS)
    run_once()
    submission.refresh_from_db()
    assert submission.status == Status.IN_REVIEW
    assert ReviewRequest.objects.get(submission=submission).reason == Reason.CLASSIFIER_ERROR
    assert not Finding.objects.filter(submission=submission).exists()


def test_a_worker_that_comes_back_late_writes_nothing(eyes: TriagePlan, platform: Client) -> None:
    submission = world.submit(platform, world.png(red=0.5))
    late = batch.begin(claim(limit=10, again=False))
    Submission.objects.filter(pk=submission.pk).update(triage_after=timezone.now())  # its lease ran out
    assert run_once().settled == 1
    assert batch.finish(late).settled == 0
    assert Finding.objects.count() == ReviewRequest.objects.count() == 1
    assert AuditEvent.objects.filter(action="submission.in_review").count() == 1


def test_a_leased_row_is_not_claimed_twice(eyes: TriagePlan, platform: Client) -> None:
    world.submit(platform)
    assert len(claim(limit=10, again=False)) == 1
    assert claim(limit=10, again=False) == claim(limit=10, again=True) == []


def test_a_lease_that_ran_out_is_claimed_alone(eyes: TriagePlan, platform: Client) -> None:
    for seed in range(3):
        world.submit(platform, world.png(seed=seed))
    claim(limit=10, again=False)
    Submission.objects.update(triage_after=timezone.now() - timedelta(seconds=1))
    assert [len(claim(limit=1, again=True)) for _again in range(3)] == [1, 1, 1]


def test_a_long_backlog_is_worked_off(eyes: TriagePlan, platform: Client, settings: Any) -> None:
    settings.TRIAGE_BATCH = 4
    for seed in range(18):
        world.submit(platform, world.png(red=0.05 * seed, seed=seed))
    report = work_off(rounds=100)
    assert (report.claimed, report.settled) == (18, 18)
    assert sum(report.routes.values()) == 18
    assert not Submission.objects.filter(status=Status.RECEIVED).exists()


def test_a_bounded_run_leaves_the_rest_unclaimed(eyes: TriagePlan, platform: Client, settings: Any) -> None:
    settings.TRIAGE_BATCH = 4
    for seed in range(10):
        world.submit(platform, world.png(seed=seed))
    assert work_off(rounds=2).claimed == 8
    waiting = Submission.objects.filter(status=Status.RECEIVED)
    assert [row.attempts for row in waiting] == [0, 0]


@pytest.mark.parametrize(("rate", "asked"), [(1.0, 1), (0.0, 0)])
def test_the_audit_lot_asks_a_person_without_touching_the_status(
    guidelines: None, platform: Client, tmp_path: Path, rate: float, asked: int
) -> None:
    world.publish(world.colour_eyes(tmp_path).ref, audit_rate=rate)
    submission = world.triaged(platform, world.png())
    assert submission.status == Status.APPROVED
    assert submission.inclusion_probability == rate
    assert ReviewRequest.objects.filter(submission=submission, reason=Reason.AUDIT_SAMPLE).count() == asked


def test_the_audit_lot_of_an_image_never_changes(eyes: TriagePlan, platform: Client) -> None:
    submission = world.submit(platform)
    assert batch.lot(submission) == batch.lot(Submission.objects.get(pk=submission.pk))
    assert 0 <= batch.lot(submission) < 1


def test_the_move_says_by_which_plan_and_classifiers(eyes: TriagePlan, platform: Client) -> None:
    submission = world.triaged(platform, world.png(red=0.5))
    event = audit.events_of(audit.submission(submission.pk))[-1]
    assert event.actor == "automation:triage"
    assert event.data["plan"] == 1
    assert event.data["classifiers"] == ["colour-eyes@1"]
    assert event.data["category"] == "WEAPONS_DANGEROUS"
