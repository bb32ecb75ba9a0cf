"""Where a plan wants more than one pair of eyes: votes, agreement, disagreement, and what the export makes of them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as HttpClient
from django.utils import timezone

from classifiers import manifests
from moderation import audit
from moderation.actors import HOUSE
from moderation.models import Client, Reason, ReviewRequest, Status, TriagePlan, User
from moderation.plans import Plan, PlanError
from moderation.roles import Role
from review import effects, feedback, queue
from review.decisions import decide
from review.models import Claim, Decision, Effect
from tests import world
from tests.conftest import person
from tests.review.arranging import another, status_of, waiting

WEAPON = {"category": "WEAPONS_DANGEROUS", "severity": 2}
BLOCK: dict[str, Any] = {"verdict": "block", "labels": [WEAPON]}
APPROVE: dict[str, Any] = {"verdict": "approve"}


@pytest.fixture
def tom(db: None) -> User:
    return person("tom", Role.MODERATOR)


@pytest.fixture
def careful(eyes: TriagePlan) -> TriagePlan:
    """Two people must say the same of weapons."""
    return world.publish(*eyes.body["classifiers"], consensus={"WEAPONS_DANGEROUS": 2})


@pytest.fixture
def request_(careful: TriagePlan, platform: Client) -> ReviewRequest:
    (request,) = waiting(platform, 1)
    return request


def vote(reviewer: User, name: str = queue.GENERAL, **said: Any) -> Decision:
    (claim,) = queue.claim(reviewer, name)
    return decide(claim.pk, reviewer, **said)


def is_open(request: ReviewRequest) -> bool:
    return ReviewRequest.objects.filter(pk=request.pk, closed_at__isnull=True).exists()


def test_one_vote_moves_nothing_and_asks_somebody_else(request_: ReviewRequest, rita: User, tom: User) -> None:
    assert request_.needed == 2
    vote(rita, **BLOCK)
    assert (status_of(request_.submission), is_open(request_)) == (Status.IN_REVIEW, True)
    assert queue.claim(rita, queue.GENERAL) == []
    assert [claim.request_id for claim in queue.claim(tom, queue.GENERAL)] == [request_.pk]
    assert audit.events_of(audit.submission(request_.submission_id))[-1].data["needed"] == 2


def test_as_many_as_are_needed_settle_it(request_: ReviewRequest, rita: User, tom: User) -> None:
    vote(rita, **BLOCK)
    vote(tom, **BLOCK)
    assert (status_of(request_.submission), is_open(request_)) == (Status.BLOCKED, False)


def test_votes_that_differ_go_to_the_seniors_whose_word_settles_it(
    request_: ReviewRequest, rita: User, tom: User, sam: User, client: HttpClient
) -> None:
    vote(rita, **BLOCK)
    vote(tom, **APPROVE)
    request_.refresh_from_db()
    assert (status_of(request_.submission), request_.queue) == (Status.IN_REVIEW, queue.ESCALATED)
    client.force_login(sam)
    page = client.post("/desk/escalated/claim").content.decode()
    assert "People disagreed: 1 × Approve; 1 × Block (Weapons S2). Your word settles it." in page
    assert "rita" not in page
    decide(Claim.objects.get(reviewer=sam).pk, sam, **BLOCK)
    assert (status_of(request_.submission), is_open(request_)) == (Status.BLOCKED, False)


def test_a_vote_taken_back_counts_no_more(request_: ReviewRequest, rita: User, tom: User, settings: Any) -> None:
    settings.REVIEW_UNDO_SECONDS = 10
    first = vote(rita, **BLOCK)
    assert queue.claim(tom, queue.GENERAL) == []  # not before it can be undone no more
    claim = effects.undo(first.pk, rita)
    assert claim
    settings.REVIEW_UNDO_SECONDS = 0
    decide(claim.pk, rita, **APPROVE)
    vote(tom, **APPROVE)
    assert status_of(request_.submission) == Status.APPROVED


def test_a_disagreement_taken_back_returns_to_its_queue(
    request_: ReviewRequest, rita: User, tom: User, settings: Any
) -> None:
    vote(rita, **BLOCK)
    settings.REVIEW_UNDO_SECONDS = 10
    second = vote(tom, **APPROVE)
    effects.undo(second.pk, tom)
    request_.refresh_from_db()
    assert (request_.queue, [claim.request_id for claim in queue.held(tom)]) == (queue.GENERAL, [request_.pk])


def test_a_quarantine_waits_for_nobody(request_: ReviewRequest, rita: User) -> None:
    vote(rita, verdict="quarantine")
    assert status_of(request_.submission) == Status.QUARANTINED


def test_a_skip_is_no_vote(request_: ReviewRequest, rita: User, tom: User, sam: User) -> None:
    vote(rita, verdict="skip")
    vote(tom, **BLOCK)
    assert status_of(request_.submission) == Status.IN_REVIEW
    vote(sam, **BLOCK)
    assert status_of(request_.submission) == Status.BLOCKED


def test_an_answer_for_one_does_not_answer_for_two(request_: ReviewRequest, rita: User, sam: User) -> None:
    other = another(request_, Reason.HASH_MATCH)
    ReviewRequest.objects.filter(pk=request_.pk).update(leased_until=timezone.now() + timedelta(hours=1))
    decision = vote(rita, **BLOCK)
    assert decision.claim.request_id == other.pk
    assert is_open(request_)


def test_votes_settle_in_the_order_of_the_window(request_: ReviewRequest, rita: User, tom: User, settings: Any) -> None:
    settings.REVIEW_UNDO_SECONDS = 10
    for reviewer in (rita, tom):
        vote(reviewer, **BLOCK)
        assert status_of(request_.submission) == Status.IN_REVIEW
        past = timezone.now() - timedelta(seconds=1)
        Effect.objects.filter(state="pending").update(due_at=past)
        ReviewRequest.objects.filter(pk=request_.pk).update(leased_until=past)
        effects.apply_due()
    assert status_of(request_.submission) == Status.BLOCKED


def exported(out: Path) -> list[dict[str, Any]]:
    manifest = feedback.export(out, query=feedback.Query(), format="parquet", actor=HOUSE)
    return list(manifests.read(out).table.to_pylist()) if manifest else []


def test_a_vote_alone_is_no_label_and_consensus_is_called_so(
    request_: ReviewRequest, rita: User, tom: User, tmp_path: Path
) -> None:
    vote(rita, **BLOCK)
    with pytest.raises(feedback.NothingToExport):
        exported(tmp_path / "early")
    vote(tom, **BLOCK)
    (row,) = exported(tmp_path / "out")
    assert (row["label"], row["source"], row["agreement"]) == (1, "consensus", 1.0)
    assert set(row["reviewers"]) == {str(rita.pk), str(tom.pk)}


def test_what_a_senior_settled_tells_how_many_agreed(
    request_: ReviewRequest, rita: User, tom: User, sam: User, tmp_path: Path
) -> None:
    vote(rita, **BLOCK)
    vote(tom, **APPROVE)
    vote(sam, queue.ESCALATED, **APPROVE)
    rows = exported(tmp_path / "out")
    assert {(row["label"], row["source"], round(row["agreement"], 3)) for row in rows} == {(0, "consensus", 0.667)}


def test_where_one_is_enough_nothing_more_is_asked(
    eyes: TriagePlan, platform: Client, rita: User, django_assert_max_num_queries: Any, settings: Any
) -> None:
    settings.REVIEW_UNDO_SECONDS = 10
    waiting(platform, 1)
    (claim,) = queue.claim(rita, queue.GENERAL)
    with django_assert_max_num_queries(12):
        decide(claim.pk, rita, **BLOCK)


BODY: dict[str, Any] = {"bands": {"HATE": {"approve": 0.2}, "NUDITY": {"approve": 0.2}}, "classifiers": ["a@1"]}


def test_the_more_careful_rule_of_a_plan_holds() -> None:
    plan = Plan.from_body({**BODY, "consensus": {"HATE": 2, "S3": 3}}, number=1)
    assert [plan.needed("HATE", 2), plan.needed("HATE", 3), plan.needed("NUDITY", 2), plan.needed("", 0)] == [
        2,
        3,
        1,
        1,
    ]


@pytest.mark.parametrize(
    "rules", [["HATE"], {"GORE": 2}, {"S5": 2}, {"HATE": 0}, {"HATE": 6}, {"HATE": True}, {"HATE": "2"}, {"HATE": 1.5}]
)
def test_a_plan_that_asks_for_no_number_of_people_is_refused(rules: Any) -> None:
    with pytest.raises(PlanError, match="consensus"):
        Plan.from_body({**BODY, "consensus": rules}, number=1)
