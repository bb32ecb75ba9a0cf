from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser

from moderation.models import Client, ReviewRequest, Status, TriagePlan, User
from review import queue
from review.models import Claim, Decision
from tests.moderation.callers import with_session
from tests.review.arranging import status_of, waiting
from tests.review.test_api_claims import faults

pytestmark = pytest.mark.django_db

BLOCK = {
    "verdict": "block",
    "labels": [{"category": "WEAPONS_DANGEROUS", "severity": 2}],
    "rationale": "aimed at the viewer",
    "note": "see the second one",
    "seen": {"revealed": True, "seconds": 3.5},
}


@pytest.fixture
def request_(platform: Client, eyes: TriagePlan) -> ReviewRequest:
    (request,) = waiting(platform, 1)
    return request


@pytest.fixture
def claim(rita: User, request_: ReviewRequest) -> Claim:
    (claim,) = queue.claim(rita, queue.GENERAL)
    return claim


def decide(person: User, claim_id: object, body: Any, *, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return with_session(person).post(f"/api/v1/claims/{claim_id}/decision", body, headers=headers)


def test_a_decision_is_created_and_told(rita: User, claim: Claim) -> None:
    answer = decide(rita, claim.pk, BLOCK)
    decision = Decision.objects.get()
    assert answer.status_code == 201
    assert answer.json() == BLOCK | {
        "seen": {"revealed": True, "seconds": 3.5, "scores": True},
        "held": "",
        "id": str(decision.pk),
        "claim_id": str(claim.pk),
        "submission_id": str(claim.request.submission_id),
        "policy_version": "WEAPONS_DANGEROUS v1",
        "decided_at": decision.decided_at.isoformat().replace("+00:00", "Z"),
        "undo_until": decision.effect.due_at.isoformat().replace("+00:00", "Z"),
    }


def test_a_decision_fits_the_schema(rita: User, claim: Claim) -> None:
    assert faults(decide(rita, claim.pk, BLOCK).json(), "DecisionAnswer", Browser().get("/api/schema/").json()) == []


def test_a_verdict_alone_is_enough_to_approve(rita: User, claim: Claim) -> None:
    assert decide(rita, claim.pk, {"verdict": "approve"}).status_code == 201
    assert status_of(claim.request.submission) == Status.APPROVED


def test_the_same_key_gets_the_same_answer(rita: User, claim: Claim) -> None:
    first = decide(rita, claim.pk, BLOCK, key="k1")
    again = decide(rita, claim.pk, BLOCK, key="k1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert Decision.objects.count() == 1


def test_the_same_key_with_other_words_is_a_conflict(rita: User, claim: Claim) -> None:
    decide(rita, claim.pk, BLOCK, key="k1")
    answer = decide(rita, claim.pk, BLOCK | {"note": "no, the third"}, key="k1")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:loupe:problem:key-reused")


def test_a_second_decision_is_a_conflict(rita: User, claim: Claim) -> None:
    decide(rita, claim.pk, BLOCK)
    answer = decide(rita, claim.pk, {"verdict": "approve"})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:loupe:problem:claim-gone")
    assert status_of(claim.request.submission) == Status.BLOCKED


def test_somebody_elses_claim_is_a_conflict_and_nothing_changes(rita: User, sam: User, claim: Claim) -> None:
    answer = decide(sam, claim.pk, BLOCK)
    assert (answer.status_code, answer.headers["Content-Type"]) == (409, "application/problem+json")
    assert (status_of(claim.request.submission), queue.held(rita)) == (Status.IN_REVIEW, [claim])


def test_after_the_lease_ended_it_is_a_conflict_and_nothing_changes(
    rita: User, request_: ReviewRequest, settings: Any
) -> None:
    settings.REVIEW_LEASE_SECONDS = 0
    (late,) = queue.claim(rita, queue.GENERAL)
    assert decide(rita, late.pk, BLOCK).status_code == 409
    assert (status_of(request_.submission), Decision.objects.count()) == (Status.IN_REVIEW, 0)


def test_a_claim_nobody_ever_made_is_not_found(rita: User) -> None:
    assert decide(rita, uuid4(), BLOCK).status_code == 404


def test_without_a_guideline_it_is_a_conflict(rita: User, platform: Client) -> None:
    waiting(platform, 1)  # nothing is published: a person looks, but by no rule
    (claim,) = queue.claim(rita, queue.GENERAL)
    answer = decide(rita, claim.pk, {"verdict": "approve"})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:loupe:problem:no-guideline")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"verdict": "maybe"}, "#/verdict"),
        ({"verdict": None}, "#/verdict"),
        ({"labels": []}, "#/labels"),
        ({"labels": "WEAPONS_DANGEROUS"}, "#/labels"),
        ({"labels": [{"category": "BAD_TASTE", "severity": 1}]}, "#/labels/0/category"),
        ({"labels": [{"category": "HATE", "severity": 5}]}, "#/labels/0/severity"),
        ({"labels": [{"category": "HATE", "severity": 1.5}]}, "#/labels/0/severity"),
        ({"labels": [{"category": "HATE", "severity": True}]}, "#/labels/0/severity"),
        ({"labels": [{"category": "HATE", "severity": 1}] * 2}, "#/labels"),
        ({"note": "x" * 10_001}, "#/note"),
        ({"rationale": "a\0b"}, "#/rationale"),
        ({"seen": {"revealed": True, "seconds": -1}}, "#/seen/seconds"),
        ({"seen": {"revealed": True, "seconds": "NaN"}}, "#/seen/seconds"),
        ({"seen": {"revealed": "perhaps", "seconds": 1}}, "#/seen/revealed"),
        ({"seen": {"seconds": 1}}, "#/seen/revealed"),
    ],
)
def test_what_cannot_be_taken_is_named_and_nothing_changes(
    rita: User, claim: Claim, change: dict[str, Any], pointer: str
) -> None:
    answer = decide(rita, claim.pk, BLOCK | change)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert (Decision.objects.count(), queue.held(rita)) == (0, [claim])


@pytest.mark.parametrize("body", [[], "approve", [BLOCK]])
def test_a_body_that_is_no_object_is_refused(rita: User, claim: Claim, body: Any) -> None:
    assert decide(rita, claim.pk, body).status_code == 422


def test_the_number_of_queries_is_bounded(rita: User, claim: Claim, django_assert_max_num_queries: Any) -> None:
    caller = with_session(rita)
    with django_assert_max_num_queries(17):
        caller.post(f"/api/v1/claims/{claim.pk}/decision", BLOCK)


def test_the_csrf_token_is_needed(rita: User, claim: Claim) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(rita)
    answer = browser.post(f"/api/v1/claims/{claim.pk}/decision", BLOCK, content_type="application/json")
    assert (answer.status_code, queue.held(rita)) == (403, [claim])
