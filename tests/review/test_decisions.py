from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from moderation import audit, lifecycle, policies
from moderation.actors import HOUSE, Actor
from moderation.models import (
    Client,
    OutboxMessage,
    PolicyVersion,
    Reason,
    ReviewRequest,
    Status,
    Submission,
    TriagePlan,
    User,
)
from moderation.taxonomy import Category, Severity
from review import queue
from review.decisions import KeyReused, NoGuideline, decide
from review.judgements import UnfitDecision
from review.models import Claim, Decision, Outcome
from review.queue import ClaimEnded, NotYourClaim
from tests import world
from tests.review.arranging import another, at_once, sampled, status_of, waiting

WEAPON = {"category": "WEAPONS_DANGEROUS", "severity": 2}
BLOCK: dict[str, Any] = {"verdict": "block", "labels": [WEAPON]}
APPROVE: dict[str, Any] = {"verdict": "approve"}
QUARANTINE: dict[str, Any] = {"verdict": "quarantine"}


def claimed(reviewer: User, name: str = queue.GENERAL) -> Claim:
    (claim,) = queue.claim(reviewer, name)
    return claim


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        (APPROVE, Status.APPROVED),
        (BLOCK, Status.BLOCKED),
        (QUARANTINE, Status.QUARANTINED),
        ({"verdict": "escalate"}, Status.IN_REVIEW),
        ({"verdict": "skip"}, Status.IN_REVIEW),
    ],
)
def test_the_verdict_says_where_an_uncertain_image_goes(
    rita: User, platform: Client, eyes: TriagePlan, verdict: dict[str, Any], status: Status
) -> None:
    (request,) = waiting(platform, 1)
    decide(claimed(rita).pk, rita, **verdict)
    submission = Submission.objects.get(pk=request.submission_id)
    assert (submission.status, submission.decided_by) == (status, "" if status == Status.IN_REVIEW else "person")


BLACK, RED = world.png(), world.png(red=0.97)


@pytest.mark.parametrize(
    ("image", "verdict", "moves"),
    [
        (BLACK, APPROVE, []),
        (BLACK, BLOCK, [Status.BLOCKED]),
        (BLACK, QUARANTINE, [Status.QUARANTINED]),
        (RED, BLOCK, []),
        (RED, APPROVE, [Status.APPROVED]),
        (RED, QUARANTINE, [Status.IN_REVIEW, Status.QUARANTINED]),
    ],
)
def test_an_audit_sample_moves_an_image_only_when_the_person_disagrees(
    rita: User, platform: Client, eyes: TriagePlan, image: bytes, verdict: dict[str, Any], moves: list[Status]
) -> None:
    request = sampled(platform, eyes, image)
    before = audit.events_of(audit.submission(request.submission_id))
    decide(claimed(rita).pk, rita, **verdict)
    events = audit.events_of(audit.submission(request.submission_id))[len(before) :]
    assert [event.action for event in events] == [f"submission.{to}" for to in moves] or ["decision.recorded"]
    assert status_of(request.submission) == (moves or [Status(request.submission.status)])[-1]


def test_the_request_is_closed_and_the_claim_ended(rita: User, platform: Client, eyes: TriagePlan) -> None:
    waiting(platform, 1)
    claim = claimed(rita)
    decide(claim.pk, rita, **APPROVE)
    claim.refresh_from_db()
    assert claim.outcome == Outcome.DECIDED
    assert claim.request.closed_at is not None


def test_what_asked_the_same_is_closed_and_what_asked_otherwise_stays(
    rita: User, platform: Client, eyes: TriagePlan
) -> None:
    (request,) = waiting(platform, 1)
    for reason in (Reason.POLICY, Reason.CLASSIFIER_ERROR, Reason.REPORT):
        another(request, reason)
    decide(claimed(rita).pk, rita, **BLOCK)
    assert [one.reason for one in ReviewRequest.objects.filter(closed_at__isnull=True)] == [Reason.REPORT]


def test_nobody_is_asked_about_an_image_under_legal_hold(rita: User, platform: Client, eyes: TriagePlan) -> None:
    (request,) = waiting(platform, 1)
    another(request, Reason.REPORT)
    decide(claimed(rita).pk, rita, **QUARANTINE)
    assert not ReviewRequest.objects.filter(closed_at__isnull=True).exists()


def test_a_senior_settles_what_was_escalated(rita: User, sam: User, platform: Client, eyes: TriagePlan) -> None:
    (request,) = waiting(platform, 1)
    decide(claimed(rita).pk, rita, verdict="escalate")
    decide(claimed(sam, queue.ESCALATED).pk, sam, **BLOCK)
    assert status_of(request.submission) == Status.BLOCKED


def test_what_is_escalated_is_not_escalated_again(rita: User, sam: User, platform: Client, eyes: TriagePlan) -> None:
    waiting(platform, 1)
    decide(claimed(rita).pk, rita, verdict="escalate")
    claim = claimed(sam, queue.ESCALATED)
    with pytest.raises(UnfitDecision):
        decide(claim.pk, sam, verdict="escalate")


def test_the_world_is_told(rita: User, platform: Client, eyes: TriagePlan) -> None:
    (request,) = waiting(platform, 1)
    decide(claimed(rita).pk, rita, **BLOCK)
    message = OutboxMessage.objects.get(topic="submission.settled")
    assert (message.client, message.payload["id"], message.payload["status"]) == (
        platform,
        str(request.submission_id),
        "blocked",
    )


def test_the_record_says_who_decided_what_by_which_rule_after_seeing_what(
    rita: User, platform: Client, eyes: TriagePlan
) -> None:
    (request,) = waiting(platform, 1)
    decision = decide(claimed(rita).pk, rita, **BLOCK, seen={"revealed": True, "seconds": 2.5})
    event = audit.events_of(audit.submission(request.submission_id))[-1]
    assert (event.action, event.actor) == ("submission.blocked", str(Actor.person(rita)))
    assert (
        event.data.items()
        >= {
            "decision": str(decision.pk),
            "verdict": "block",
            "labels": [WEAPON],
            "policy": "WEAPONS_DANGEROUS v1",
            "plan": 1,
            "seen": {"revealed": True, "seconds": 2.5, "scores": True},
            "asked": "uncertain",
        }.items()
    )
    assert list(audit.verify()) == []


@pytest.mark.parametrize(
    ("labels", "category"),
    [
        ([], "WEAPONS_DANGEROUS"),
        ([{"category": "HATE", "severity": 3}, {"category": "NUDITY", "severity": 1}], "HATE"),
        ([{"category": "NUDITY", "severity": 1}, {"category": "HATE", "severity": 3}], "HATE"),
    ],
)
def test_a_decision_names_the_guideline_of_the_gravest_category(
    rita: User, platform: Client, eyes: TriagePlan, labels: list[dict[str, Any]], category: str
) -> None:
    waiting(platform, 1)
    decision = decide(claimed(rita).pk, rita, verdict="escalate", labels=labels)
    assert (decision.policy.category, decision.plan) == (category, eyes)


def test_a_decision_names_the_guideline_in_force(rita: User, platform: Client, eyes: TriagePlan) -> None:
    waiting(platform, 1)
    words = {"headline": "No.", "definition": "-", "allowed": [], "not_allowed": [], "exceptions": ""}
    category, severity = Category.WEAPONS_DANGEROUS, Severity.S2
    newer = policies.publish_policy(category, **words, severity=severity, actor=HOUSE)  # type: ignore[arg-type]
    assert decide(claimed(rita).pk, rita, **BLOCK).policy == newer


def test_where_nothing_stands_out_the_guideline_for_the_rest_holds(
    rita: User, platform: Client, guidelines: None
) -> None:
    world.triaged(platform)  # without a plan a person looks
    assert decide(claimed(rita).pk, rita, **APPROVE).policy.category == Category.OTHER


def test_without_any_guideline_nobody_decides(rita: User, platform: Client) -> None:
    submission = world.triaged(platform)
    claim = claimed(rita)
    with pytest.raises(NoGuideline):
        decide(claim.pk, rita, **APPROVE)
    assert not PolicyVersion.objects.exists()
    assert status_of(submission) == Status.IN_REVIEW


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"verdict": "maybe"}, "#/verdict"),
        ({"verdict": "block"}, "#/labels"),
        ({"verdict": "block", "labels": [{"category": "BAD_TASTE", "severity": 1}]}, "#/labels/0/category"),
        ({"verdict": "block", "labels": [WEAPON, {"category": "HATE", "severity": 5}]}, "#/labels/1/severity"),
        ({"verdict": "block", "labels": [{"category": "HATE", "severity": True}]}, "#/labels/0/severity"),
        ({"verdict": "block", "labels": [{"category": "HATE"}]}, "#/labels/0/severity"),
        ({"verdict": "block", "labels": [WEAPON, WEAPON]}, "#/labels"),
        ({"verdict": "approve", "note": "x" * 10_001}, "#/note"),
        ({"verdict": "approve", "rationale": "a\0b"}, "#/rationale"),
        ({"verdict": "approve", "note": "\ud800"}, "#/note"),
        ({"verdict": "approve", "note": None}, "#/note"),
        ({"verdict": ["approve"]}, "#/verdict"),
        ({"verdict": "block", "labels": {"HATE": 1}}, "#/labels"),
        ({"verdict": "block", "labels": ["HATE"]}, "#/labels/0"),
        ({"verdict": "block", "labels": [{"category": ["HATE"], "severity": 1}]}, "#/labels/0/category"),
        ({"verdict": "approve", "seen": [True]}, "#/seen"),
        ({"verdict": "approve", "seen": {"revealed": True, "seconds": float("nan")}}, "#/seen/seconds"),
        ({"verdict": "approve", "seen": {"revealed": True, "seconds": 1, "zoomed": "much"}}, "#/seen/zoomed"),
        ({"verdict": "approve", "seen": {"revealed": True, "seconds": 1, "panels": ["all"]}}, "#/seen/panels"),
        ({"verdict": "approve", "seen": {"revealed": True, "seconds": 1, "variant": "original"}}, "#/seen/variant"),
        ({"verdict": "approve", "idempotency_key": "a\0b"}, "#"),
        ({"verdict": "approve", "idempotency_key": "k" * 201}, "#"),
    ],
)
def test_a_decision_that_says_too_little_or_too_much_is_refused(
    rita: User, platform: Client, eyes: TriagePlan, said: dict[str, Any], pointer: str
) -> None:
    waiting(platform, 1)
    claim = claimed(rita)
    with pytest.raises(UnfitDecision) as refusal:
        decide(claim.pk, rita, **said)
    assert refusal.value.pointer == pointer
    assert queue.held(rita) == [claim]


def test_the_same_decision_sent_again_is_the_same_decision(rita: User, platform: Client, eyes: TriagePlan) -> None:
    waiting(platform, 1)
    claim = claimed(rita)
    first = decide(claim.pk, rita, **BLOCK, idempotency_key="k1")
    assert decide(claim.pk, rita, **BLOCK, idempotency_key="k1") == first
    assert Decision.objects.count() == 1


def test_a_key_does_not_serve_for_another_decision(rita: User, platform: Client, eyes: TriagePlan) -> None:
    waiting(platform, 1)
    claim = claimed(rita)
    decide(claim.pk, rita, **BLOCK, idempotency_key="k1")
    with pytest.raises(KeyReused):
        decide(claim.pk, rita, **APPROVE, idempotency_key="k1")


@pytest.mark.parametrize("key", ["", "k2"])
def test_nobody_decides_twice_on_a_claim(rita: User, platform: Client, eyes: TriagePlan, key: str) -> None:
    (request,) = waiting(platform, 1)
    claim = claimed(rita)
    decide(claim.pk, rita, **BLOCK)
    with pytest.raises(ClaimEnded):
        decide(claim.pk, rita, **APPROVE, idempotency_key=key)
    assert status_of(request.submission) == Status.BLOCKED


def test_a_decision_after_the_lease_ended_changes_nothing(
    rita: User, platform: Client, eyes: TriagePlan, settings: Any
) -> None:
    (request,) = waiting(platform, 1)
    settings.REVIEW_LEASE_SECONDS = 0
    claim = claimed(rita)
    with pytest.raises(ClaimEnded):
        decide(claim.pk, rita, **BLOCK)
    assert (status_of(request.submission), Decision.objects.count()) == (Status.IN_REVIEW, 0)


def test_a_decision_on_anothers_claim_changes_nothing(
    rita: User, sam: User, platform: Client, eyes: TriagePlan
) -> None:
    (request,) = waiting(platform, 1)
    claim = claimed(rita)
    with pytest.raises(NotYourClaim):
        decide(claim.pk, sam, **BLOCK)
    assert (status_of(request.submission), queue.held(rita)) == (Status.IN_REVIEW, [claim])


def test_a_claim_given_back_is_decided_no_more(rita: User, platform: Client, eyes: TriagePlan) -> None:
    waiting(platform, 1)
    claim = claimed(rita)
    queue.release(claim.pk, rita)
    with pytest.raises(ClaimEnded):
        decide(claim.pk, rita, **BLOCK)


def test_a_decision_on_what_came_under_legal_hold_meanwhile_changes_nothing(
    rita: User, platform: Client, eyes: TriagePlan
) -> None:
    (request,) = waiting(platform, 1)
    claim = claimed(rita)
    lifecycle.move(request.submission, Status.QUARANTINED, actor=HOUSE, reason="test")
    with pytest.raises(ClaimEnded):
        decide(claim.pk, rita, **APPROVE)
    assert status_of(request.submission) == Status.QUARANTINED


def test_an_unknown_claim_is_said_to_be_unknown(rita: User) -> None:
    with pytest.raises(Claim.DoesNotExist):
        decide(uuid4(), rita, **APPROVE)


@pytest.mark.django_db(transaction=True)
def test_a_decision_sent_many_times_at_once_is_made_once(rita: User, platform: Client, eyes: TriagePlan) -> None:
    (request,) = waiting(platform, 1)
    claim = claimed(rita)
    outcomes = at_once([lambda: decide(claim.pk, rita, **BLOCK)] * 12)
    assert [type(one) for one in outcomes if isinstance(one, Exception)] == [ClaimEnded] * 11
    assert Decision.objects.count() == 1
    actions = [event.action for event in audit.events_of(audit.submission(request.submission_id))]
    assert actions.count("submission.blocked") == 1


@pytest.mark.django_db(transaction=True)
def test_a_keyed_decision_sent_many_times_at_once_gets_one_answer(
    rita: User, platform: Client, eyes: TriagePlan
) -> None:
    waiting(platform, 1)
    claim = claimed(rita)
    outcomes = at_once([lambda: decide(claim.pk, rita, **BLOCK, idempotency_key="k1")] * 12)
    assert set(outcomes) == {Decision.objects.get()}


@pytest.mark.django_db(transaction=True)
def test_a_decision_and_the_end_of_its_lease_do_not_both_win(
    rita: User, sam: User, platform: Client, eyes: TriagePlan
) -> None:
    requests = waiting(platform, 8)
    claims = queue.claim(rita, queue.GENERAL, 8)
    # The lease of each ends in the moment of the decision.
    released = [lambda claim=claim: queue.release(claim.pk, rita) for claim in claims]
    decided = [lambda claim=claim: decide(claim.pk, rita, **BLOCK) for claim in claims]
    at_once([*released, *decided, *[lambda: queue.claim(sam, queue.GENERAL, 8)] * 4])
    for request in requests:
        is_blocked = status_of(request.submission) == Status.BLOCKED
        outcomes = [claim.outcome for claim in request.claims.filter(ended_at__isnull=False)]
        assert outcomes == [Outcome.DECIDED if is_blocked else Outcome.RELEASED]
    assert list(audit.verify()) == []


@pytest.mark.django_db(transaction=True)
def test_two_people_on_one_image_do_not_stand_in_each_others_way(
    rita: User, sam: User, platform: Client, eyes: TriagePlan
) -> None:
    pairs = [(request, another(request, Reason.POLICY)) for request in waiting(platform, 5)]
    claims = {claim.request_id: claim for claim in [*queue.claim(rita, "general", 5), *queue.claim(sam, "general", 5)]}
    people = {rita.pk: rita, sam.pk: sam}
    calls = [
        lambda claim=claims[request.pk]: decide(claim.pk, people[claim.reviewer_id], **BLOCK)
        for pair in pairs
        for request in pair
    ]
    outcomes = at_once(calls)
    made = [one for one in outcomes if isinstance(one, Decision)]
    assert (len(made), {type(one) for one in outcomes if one not in made}) == (5, {ClaimEnded})
