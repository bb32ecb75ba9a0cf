from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.utils import timezone

from moderation import audit, lifecycle, roles
from moderation.actors import HOUSE
from moderation.models import Client, ReviewRequest, Status, TriagePlan, User
from review import effects, feedback, holding, images, looks, queue
from review.decisions import decide
from review.judgements import UnfitDecision
from review.models import Decision, Effect, EffectState, Look
from review.tasks import apply_decisions, tell_of_held
from tests import world
from tests.conftest import person
from tests.moderation.callers import at_page, stranger, with_key, with_session
from tests.review.arranging import at_once, sampled, status_of, waiting

pytestmark = pytest.mark.django_db

GRAVE = {"verdict": "block", "labels": [{"category": "VIOLENCE_GORE", "severity": 3}]}


def held_by(reviewer: User, **said: Any) -> Decision:
    (claim,) = queue.claim(reviewer, queue.GENERAL)
    return decide(claim.pk, reviewer, **{**GRAVE, **said})


@pytest.fixture
def decision(rita: User, platform: Client, eyes: TriagePlan) -> Decision:
    waiting(platform, 1)
    return held_by(rita)


@pytest.fixture
def sonja(db: None) -> User:
    return person("sonja", roles.Role.SENIOR)


def state_of(decision: Decision) -> str:
    return Effect.objects.get(pk=decision.pk).state


@pytest.mark.parametrize(
    ("verdict", "severity", "from_", "state"),
    [
        ("block", 3, 3, EffectState.HELD),
        ("block", 4, 3, EffectState.HELD),
        ("block", 2, 3, EffectState.APPLIED),
        ("block", 2, 2, EffectState.HELD),
        ("block", 4, 5, EffectState.APPLIED),
        ("quarantine", 4, 3, EffectState.APPLIED),
    ],
)
def test_grave_blocks_wait_and_the_rest_does_not(
    rita: User,
    platform: Client,
    eyes: TriagePlan,
    settings: Any,
    verdict: str,
    severity: int,
    from_: int,
    state: EffectState,
) -> None:
    settings.HOLD_SEVERITY = from_
    waiting(platform, 1)
    made = held_by(rita, verdict=verdict, labels=[{"category": "HATE", "severity": severity}])
    assert state_of(made) == state


def test_the_image_stays_in_review_and_teaches_nothing_meanwhile(decision: Decision) -> None:
    apply_decisions()
    assert status_of(decision.submission) == Status.IN_REVIEW
    assert not list(feedback.decisive())
    assert not ReviewRequest.objects.filter(closed_at=None).exists()


def test_a_second_person_puts_it_into_effect(decision: Decision, sam: User) -> None:
    holding.approve(decision.pk, sam)
    assert (status_of(decision.submission), state_of(decision)) == (Status.BLOCKED, EffectState.APPLIED)
    events = [(event.action, event.actor_label) for event in audit.events_of(audit.submission(decision.submission_id))]
    assert events[-2:] == [("submission.blocked", "rita"), ("decision.approved", "sam")]
    assert list(feedback.decisive()) == [decision]


def test_nobody_is_their_own_second_person(sam: User, platform: Client, eyes: TriagePlan) -> None:
    waiting(platform, 1)
    own = held_by(sam)
    with pytest.raises(queue.NotForYou):
        holding.approve(own.pk, sam)
    with pytest.raises(queue.NotForYou):
        holding.send_back(own.pk, sam, words="no")
    assert (holding.count(sam), state_of(own)) == (0, EffectState.HELD)


def test_sent_back_it_goes_to_another_senior_with_the_words_and_not_to_the_first_queue(
    decision: Decision, rita: User, sam: User
) -> None:
    holding.send_back(decision.pk, sam, words="It is a painting.")
    assert (status_of(decision.submission), state_of(decision)) == (Status.IN_REVIEW, EffectState.REFUSED)
    assert queue.claim(rita, queue.GENERAL) == []
    (claim,) = queue.claim(sam, queue.ESCALATED)
    assert claim.request_id == decision.claim.request_id
    assert holding.returned([claim.request_id])[claim.request_id].words == "It is a painting."
    page = at_page(sam).post("/desk/escalated/claim").content.decode()
    assert "sam sent back what rita decided: “It is a painting.”" in " ".join(page.split())
    decide(claim.pk, sam, verdict="approve")
    assert status_of(decision.submission) == Status.APPROVED


@pytest.mark.parametrize("words", ["", "   ", 7, "x" * 10_001])
def test_sending_back_needs_words(decision: Decision, sam: User, words: Any) -> None:
    with pytest.raises(UnfitDecision):
        holding.send_back(decision.pk, sam, words=words)
    assert state_of(decision) == EffectState.HELD


def test_who_decided_may_take_it_back_while_it_waits(decision: Decision, rita: User, sam: User) -> None:
    effects.undo(decision.pk, rita)
    with pytest.raises(holding.NotHeld):
        holding.approve(decision.pk, sam)
    assert status_of(decision.submission) == Status.IN_REVIEW


def test_what_came_under_legal_hold_stays_there(decision: Decision, sam: User) -> None:
    lifecycle.move(decision.submission, Status.QUARANTINED, actor=HOUSE, reason="test")
    holding.send_back(decision.pk, sam, words="no")
    assert status_of(decision.submission) == Status.QUARANTINED
    assert not ReviewRequest.objects.filter(closed_at=None).exists()


def test_what_is_public_is_not_while_a_grave_word_on_it_waits(rita: User, platform: Client, eyes: TriagePlan) -> None:
    request = sampled(platform, eyes, world.png(red=0.05))
    assert status_of(request.submission) == Status.APPROVED
    held_by(rita)
    assert [apply_decisions(), status_of(request.submission)] == [{"applied": 0}, Status.IN_REVIEW]
    assert apply_decisions() == {"applied": 0}


@pytest.mark.django_db(transaction=True)
def test_of_two_seniors_at_once_one_wins(
    rita: User, sam: User, sonja: User, platform: Client, eyes: TriagePlan
) -> None:
    waiting(platform, 3)
    decisions = [held_by(rita) for _ in range(3)]
    for decision in decisions:
        outcomes = at_once(
            [
                lambda key=decision.pk: holding.approve(key, sam),  # type: ignore[misc]
                lambda key=decision.pk: holding.send_back(key, sonja, words="no"),  # type: ignore[misc]
            ]
        )
        assert sum(isinstance(one, holding.NotHeld) for one in outcomes) == 1
        blocked = state_of(decision) == EffectState.APPLIED
        assert status_of(decision.submission) == (Status.BLOCKED if blocked else Status.IN_REVIEW)
    assert list(audit.verify()) == []


def test_one_mail_when_the_list_fills_and_one_a_day_while_it_stays(
    decision: Decision, rita: User, sam: User, platform: Client, eyes: TriagePlan
) -> None:
    User.objects.filter(pk__in=[rita.pk, sam.pk]).update(email="someone@example.org")
    waiting(platform, 1)
    held_by(rita)
    assert [tell_of_held(), tell_of_held()] == [{"told": 1}, {"told": 0}]
    assert mail.outbox[0].subject == "Loupe: 2 decisions wait for a second person"
    assert "/held/" in mail.outbox[0].body
    Effect.objects.update(told_at=timezone.now() - timedelta(hours=25))
    assert tell_of_held() == {"told": 1}
    holding.approve(decision.pk, sam)
    holding.approve(Effect.objects.get(state=EffectState.HELD).pk, sam)
    assert tell_of_held() == {"told": 0}


# --- API --------------------------------------------------------------------------------------------------------------
def test_by_api(decision: Decision, sam: User) -> None:
    (one,) = with_session(sam).get("/api/v1/held").json()["results"]
    assert (one["decision_id"], one["decided_by"], one["verdict"]) == (str(decision.pk), "rita", "block")
    path = f"/api/v1/held/{decision.pk}"
    assert with_session(sam).post(f"{path}/refuse", {}).status_code == 422
    answer = with_session(sam).post(f"{path}/approve")
    assert (answer.status_code, answer.json()["state"]) == (200, "applied")
    again = with_session(sam).post(f"{path}/refuse", {"words": "no"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:loupe:problem:not-held")
    assert with_session(sam).post(f"/api/v1/held/{uuid4()}/approve").status_code == 404


def test_a_decision_says_that_it_waits(rita: User, platform: Client, eyes: TriagePlan) -> None:
    waiting(platform, 2)
    first, second = queue.claim(rita, queue.GENERAL, 2)
    caller = with_session(rita)
    grave = caller.post(f"/api/v1/claims/{first.pk}/decision", GRAVE).json()
    mild = caller.post(f"/api/v1/claims/{second.pk}/decision", {"verdict": "approve"}).json()
    assert (bool(grave["held"]), mild["held"]) == (True, "")


@pytest.mark.parametrize("verb", ["", "/approve", "/refuse"])
def test_only_those_who_may_escalate_answer(
    decision: Decision, rita: User, paula: User, eve: User, api_key: str, verb: str
) -> None:
    path, method = (f"/api/v1/held/{decision.pk}{verb}", "POST") if verb else ("/api/v1/held", "GET")
    answers = [with_session(one).generic(method, path).status_code for one in (rita, paula, eve)]
    assert answers == [403] * 3
    assert (stranger().generic(method, path).status_code, with_key(api_key).generic(method, path).status_code) == (
        401,
        403,
    )


# --- pages ------------------------------------------------------------------------------------------------------------
def test_the_page_shows_who_what_and_why(decision: Decision, sam: User, django_assert_max_num_queries: Any) -> None:
    caller = at_page(sam)
    with django_assert_max_num_queries(9):
        page = caller.get("/held/").content.decode()
    assert "rita" in page
    assert "Violence, gore" in page
    assert "needs a second person" in page
    assert "glimpse.jpg" in page
    assert "working.jpg" not in page
    assert "1 held" in page


def test_looking_goes_on_record_and_ends_with_the_answer(decision: Decision, sam: User) -> None:
    assert looks.reveal(decision.submission_id, sam).jpeg
    assert Look.objects.get().reviewer == sam
    holding.approve(decision.pk, sam)
    with pytest.raises(images.NotAllowed):
        looks.reveal(decision.submission_id, sam)


def test_answering_on_the_page(decision: Decision, sam: User) -> None:
    caller = at_page(sam)
    assert caller.post(f"/held/{decision.pk}/send-back", {"words": ""}).status_code == 302
    assert state_of(decision) == EffectState.HELD
    caller.post(f"/held/{decision.pk}/send-back", {"words": "It is a painting."})
    assert state_of(decision) == EffectState.REFUSED
    page = caller.post(f"/held/{decision.pk}/approve", follow=True).content.decode()
    assert "Somebody answered this meanwhile" in page


@pytest.mark.parametrize("verb", ["approve", "send-back"])
def test_others_may_neither_read_nor_answer(decision: Decision, rita: User, eve: User, verb: str) -> None:
    for one in (rita, eve):
        assert at_page(one).get("/held/").status_code == 403
        assert at_page(one).post(f"/held/{decision.pk}/{verb}").status_code == 403
    assert state_of(decision) == EffectState.HELD
