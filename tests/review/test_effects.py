from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from moderation import audit
from moderation.models import Client, OutboxMessage, Reason, ReviewRequest, Status, TriagePlan, User
from review import effects, feedback, queue
from review.decisions import decide
from review.effects import TooLate
from review.models import Claim, Decision, Effect, EffectState
from review.tasks import apply_decisions
from tests.moderation.callers import with_session
from tests.review.arranging import another, at_once, status_of, waiting

pytestmark = pytest.mark.django_db

WEAPON = {"category": "WEAPONS_DANGEROUS", "severity": 2}
BLOCK: dict[str, Any] = {"verdict": "block", "labels": [WEAPON]}


@pytest.fixture(autouse=True)
def window(settings: Any) -> None:
    settings.REVIEW_UNDO_SECONDS = 10


@pytest.fixture
def decision(rita: User, platform: Client, eyes: TriagePlan) -> Decision:
    waiting(platform, 1)
    (claim,) = queue.claim(rita, queue.GENERAL)
    return decide(claim.pk, rita, **BLOCK)


def let_time_pass() -> None:
    Effect.objects.filter(state=EffectState.PENDING).update(due_at=timezone.now() - timedelta(seconds=1))


def state_of(decision: Decision) -> str:
    return Effect.objects.get(pk=decision.pk).state


def test_until_a_decision_is_due_the_world_hears_nothing(decision: Decision) -> None:
    assert (status_of(decision.submission), state_of(decision)) == (Status.IN_REVIEW, EffectState.PENDING)
    assert apply_decisions() == {"applied": 0}
    assert not OutboxMessage.objects.filter(topic="submission.settled").exists()
    assert not list(feedback.decisive())


def test_then_the_image_moves_once(decision: Decision) -> None:
    let_time_pass()
    assert [apply_decisions(), apply_decisions()] == [{"applied": 1}, {"applied": 0}]
    assert (status_of(decision.submission), state_of(decision)) == (Status.BLOCKED, EffectState.APPLIED)
    assert OutboxMessage.objects.filter(topic="submission.settled").count() == 1
    actions = [event.action for event in audit.events_of(audit.submission(decision.submission_id))]
    assert actions[-2:] == ["decision.recorded", "submission.blocked"]
    assert list(feedback.decisive()) == [decision]


def test_undone_it_comes_back_to_who_decided(decision: Decision, rita: User) -> None:
    claim = effects.undo(decision.pk, rita)
    assert queue.held(rita) == [claim]
    let_time_pass()
    apply_decisions()
    assert (status_of(decision.submission), state_of(decision)) == (Status.IN_REVIEW, EffectState.UNDONE)
    assert audit.events_of(audit.submission(decision.submission_id))[-1].action == "decision.undone"
    assert list(audit.verify()) == []


def test_after_undoing_another_decision_counts(decision: Decision, rita: User) -> None:
    claim = effects.undo(decision.pk, rita)
    assert claim
    second = decide(claim.pk, rita, verdict="approve")
    let_time_pass()
    apply_decisions()
    assert status_of(decision.submission) == Status.APPROVED
    assert list(feedback.decisive()) == [second]


def test_undoing_opens_again_what_the_decision_answered_too(rita: User, platform: Client, eyes: TriagePlan) -> None:
    (request,) = waiting(platform, 1)
    other = another(request, Reason.POLICY)
    (claim,) = queue.claim(rita, queue.GENERAL)
    decision = decide(claim.pk, rita, **BLOCK)
    assert not ReviewRequest.objects.filter(closed_at__isnull=True).exists()
    effects.undo(decision.pk, rita)
    assert set(ReviewRequest.objects.filter(closed_at__isnull=True)) == {request, other}


@pytest.mark.parametrize("verdict", ["escalate", "skip"])
def test_what_is_handed_on_stays_put_until_it_cannot_be_undone(
    rita: User, sam: User, platform: Client, eyes: TriagePlan, verdict: str
) -> None:
    waiting(platform, 1)
    (claim,) = queue.claim(rita, queue.GENERAL)
    decision = decide(claim.pk, rita, verdict=verdict)
    assert not queue.claim(sam, queue.GENERAL)
    assert not queue.claim(sam, queue.ESCALATED)
    back = effects.undo(decision.pk, rita)
    assert back
    assert (back.request.queue, queue.held(rita)) == (queue.GENERAL, [back])


def test_when_it_is_due_it_cannot_be_undone(decision: Decision, rita: User) -> None:
    let_time_pass()
    with pytest.raises(TooLate):
        effects.undo(decision.pk, rita)
    apply_decisions()
    with pytest.raises(TooLate):
        effects.undo(decision.pk, rita)
    assert status_of(decision.submission) == Status.BLOCKED


def test_nobody_undoes_another_persons_decision(decision: Decision, sam: User) -> None:
    with pytest.raises(Decision.DoesNotExist):
        effects.undo(decision.pk, sam)
    assert state_of(decision) == EffectState.PENDING


def test_a_request_opened_meanwhile_is_the_one_that_counts(decision: Decision, rita: User) -> None:
    another(decision.claim.request, Reason(decision.claim.request.reason))
    assert effects.undo(decision.pk, rita) is None
    assert ReviewRequest.objects.filter(closed_at__isnull=True).count() == 1
    assert state_of(decision) == EffectState.UNDONE


def test_what_came_under_legal_hold_meanwhile_stays_there(decision: Decision, rita: User) -> None:
    from moderation import lifecycle
    from moderation.actors import HOUSE

    lifecycle.move(decision.submission, Status.QUARANTINED, actor=HOUSE, reason="test")
    let_time_pass()
    apply_decisions()
    assert (status_of(decision.submission), state_of(decision)) == (Status.QUARANTINED, EffectState.APPLIED)


def test_copies_become_known_with_the_effect_and_not_before(rita: User, platform: Client, eyes: TriagePlan) -> None:
    from moderation.models import BankEntry

    waiting(platform, 2)
    for claim in queue.claim(rita, queue.GENERAL, 2):
        decide(claim.pk, rita, **BLOCK, bank="category")
    assert not BankEntry.objects.exists()
    let_time_pass()
    assert effects.apply_due() == (2, True)
    assert BankEntry.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_undoing_and_taking_effect_at_once_leaves_one_of_them(rita: User, platform: Client, eyes: TriagePlan) -> None:
    waiting(platform, 8)
    for claim in queue.claim(rita, queue.GENERAL, 8):
        decide(claim.pk, rita, **BLOCK)
    decisions = list(Decision.objects.all())
    soon = timezone.now() + timedelta(milliseconds=40)
    Effect.objects.update(due_at=soon)
    undoing = [lambda key=one.pk: effects.undo(key, rita) for one in decisions]
    outcomes = at_once([*undoing, *[effects.apply_due] * 4])
    assert not [one for one in outcomes if isinstance(one, Exception) and not isinstance(one, TooLate)]
    let_time_pass()
    effects.apply_due()
    for decision in decisions:
        blocked = state_of(decision) == EffectState.APPLIED
        assert status_of(decision.submission) == (Status.BLOCKED if blocked else Status.IN_REVIEW)
        assert Claim.objects.filter(request__submission=decision.submission_id, ended_at=None).exists() != blocked
    assert list(audit.verify()) == []


def test_by_api(decision: Decision, rita: User, sam: User, eve: User) -> None:
    path = f"/api/v1/decisions/{decision.pk}/undo"
    assert with_session(eve).post(path, {}).status_code == 403
    assert with_session(sam).post(path, {}).status_code == 404
    answer = with_session(rita).post(path, {})
    (claim,) = queue.held(rita)
    assert (answer.status_code, answer.json()["claim_id"]) == (200, str(claim.pk))
    again = with_session(rita).post(path, {})
    assert (again.status_code, again.json()["type"]) == (409, "urn:loupe:problem:too-late")
