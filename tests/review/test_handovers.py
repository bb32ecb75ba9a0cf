from __future__ import annotations

from typing import Any

import pytest

from moderation import audit, lifecycle
from moderation.actors import HOUSE, Actor
from moderation.models import Client, Reason, ReviewRequest, Status, TriagePlan, User
from moderation.roles import Role
from review import handovers, queue
from review.decisions import decide
from review.effects import undo
from review.handovers import UnfitHandover
from review.models import Claim, Decision, Outcome
from tests.conftest import person
from tests.moderation.callers import with_session
from tests.review.arranging import another, at_once, sampled, waiting

pytestmark = pytest.mark.django_db
GENERAL, ESCALATED = queue.GENERAL, queue.ESCALATED
BLOCK: dict[str, Any] = {"verdict": "block", "labels": [{"category": "WEAPONS_DANGEROUS", "severity": 2}]}


@pytest.fixture
def claim(rita: User, platform: Client, eyes: TriagePlan) -> Claim:
    waiting(platform, 1)
    return queue.claim(rita, GENERAL)[0]


def last_event(request: ReviewRequest) -> Any:
    return audit.events_of(audit.submission(request.submission_id))[-1]


def given(reviewer: User, name: str = GENERAL, count: int = 1) -> list[ReviewRequest]:
    return [one.request for one in queue.claim(reviewer, name, count)]


class TestWhoGetsWhat:
    def test_who_decided_on_an_image_gets_no_other_request_on_it(self, claim: Claim, rita: User, sam: User) -> None:
        decide(claim.pk, rita, **BLOCK)
        appeal = another(claim.request, Reason.APPEAL)
        assert (given(rita), given(sam)) == ([], [appeal])

    def test_who_took_a_decision_back_may_be_asked_again(self, claim: Claim, rita: User, settings: Any) -> None:
        settings.REVIEW_UNDO_SECONDS = 10
        decision = decide(claim.pk, rita, **BLOCK)
        again = undo(decision.pk, rita)
        assert again is not None
        queue.release(again.pk, rita)
        assert given(rita) == [claim.request]

    def test_nobody_holds_two_requests_of_one_image(self, rita: User, platform: Client, eyes: TriagePlan) -> None:
        (request,) = waiting(platform, 1)
        appeal = another(request, Reason.APPEAL)
        assert given(rita, count=2) == [request]
        assert given(rita) == []
        assert appeal.closed_at is None

    def test_a_second_answer_on_one_image_by_one_person_is_refused(
        self, claim: Claim, rita: User, sam: User, settings: Any
    ) -> None:
        """Two tabs: the second request came into their hands before they decided the first."""
        appeal = another(claim.request, Reason.APPEAL)
        (other,) = queue.claim(sam, GENERAL)
        Claim.objects.filter(pk=other.pk).update(reviewer=rita)
        decide(claim.pk, rita, **BLOCK)
        with pytest.raises(queue.DecidedBefore):
            decide(other.pk, rita, verdict="approve")
        assert Decision.objects.filter(submission=appeal.submission_id).count() == 1
        queue.release(other.pk, rita)
        assert given(sam) == [appeal]

    def test_who_checked_a_sample_does_not_judge_the_report(
        self, rita: User, sam: User, platform: Client, eyes: TriagePlan
    ) -> None:
        from tests import world

        sample = sampled(platform, eyes, world.png(red=0.05))
        decide(queue.claim(rita, GENERAL)[0].pk, rita, verdict="approve")
        report = another(sample, Reason.REPORT)
        assert (given(rita), given(sam)) == ([], [report])

    def test_nobody_hoards(self, rita: User, platform: Client, eyes: TriagePlan, settings: Any) -> None:
        settings.REVIEW_MOST_HELD = 3
        waiting(platform, 5)
        assert [len(given(rita, count=2)), len(given(rita, count=2))] == [2, 1]
        with pytest.raises(queue.HoldsTooMany):
            queue.claim(rita, GENERAL)
        answer = with_session(rita).post("/api/v1/queues/general/claim")
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:loupe:problem:holds-too-many")


class TestSending:
    def test_what_was_sent_waits_there_for_others(self, claim: Claim, rita: User, sam: User) -> None:
        sent = handovers.send(claim.pk, rita, ESCALATED, note="a minor?")
        assert (sent.queue, given(rita), given(sam)) == (ESCALATED, [], [])
        assert given(sam, ESCALATED) == [claim.request]
        event = last_event(sent)
        assert (event.action, event.actor) == ("claim.sent", str(Actor.person(rita)))
        assert {name: event.data[name] for name in ("from", "to", "note")} == {
            "from": GENERAL,
            "to": ESCALATED,
            "note": "a minor?",
        }

    def test_who_sent_it_on_does_not_get_it_back(self, sam: User, rita: User, platform: Client, eyes: Any) -> None:
        waiting(platform, 1)
        (claim,) = queue.claim(sam, GENERAL)
        handovers.send(claim.pk, sam, ESCALATED)
        assert given(sam, ESCALATED) == []

    @pytest.mark.parametrize("to", ["nowhere", GENERAL, "", None, 7])
    def test_it_goes_to_another_queue_that_there_is(self, claim: Claim, rita: User, to: object) -> None:
        with pytest.raises(UnfitHandover) as refused:
            handovers.send(claim.pk, rita, to)
        assert refused.value.pointer == "#/queue"
        assert queue.held(rita) == [claim]

    @pytest.mark.parametrize("note", ["x" * 2001, None, 7, "a\0b"])
    def test_a_note_is_a_text_of_some_length(self, claim: Claim, rita: User, note: object) -> None:
        with pytest.raises(UnfitHandover):
            handovers.send(claim.pk, rita, ESCALATED, note=note)

    def test_only_who_holds_it_sends_it(self, claim: Claim, sam: User) -> None:
        with pytest.raises(queue.NotYourClaim):
            handovers.send(claim.pk, sam, ESCALATED)

    def test_over_http(self, claim: Claim, rita: User) -> None:
        caller = with_session(rita)
        names = [one["name"] for one in caller.get("/api/v1/queues").json()["destinations"]]
        assert names == [GENERAL, ESCALATED]
        path = f"/api/v1/claims/{claim.pk}/send"
        answers = [caller.post(path, body) for body in ({}, {"queue": ESCALATED, "note": ""}, {"queue": ESCALATED})]
        assert [answer.status_code for answer in answers] == [422, 200, 409]
        assert answers[1].json()["queue"] == ESCALATED


class TestASecondOpinion:
    def test_others_are_asked_and_one_more_of_them(self, claim: Claim, rita: User, sam: User) -> None:
        answer = with_session(rita).post(f"/api/v1/claims/{claim.pk}/second-opinion", {"note": "parody?"})
        assert (answer.status_code, answer.json()["needed"]) == (200, 2)
        assert (given(rita), given(sam)) == ([], [claim.request])
        assert last_event(claim.request).data["note"] == "parody?"

    def test_nobody_asks_for_ever(self, claim: Claim, rita: User) -> None:
        ReviewRequest.objects.update(needed=handovers.MOST_NEEDED)
        with pytest.raises(UnfitHandover):
            handovers.ask_second_opinion(claim.pk, rita)
        assert queue.held(rita) == [claim]


class TestTakingOver:
    def test_a_lead_takes_what_another_holds(self, claim: Claim, rita: User, sam: User) -> None:
        answer = with_session(sam).post(f"/api/v1/claims/{claim.pk}/takeover")
        assert answer.status_code == 201
        claim.refresh_from_db()
        assert (claim.outcome, queue.held(rita)) == (Outcome.TAKEN, [])
        assert [str(one.pk) for one in queue.held(sam)] == [answer.json()["claim_id"]]
        event = last_event(claim.request)
        assert (event.action, event.actor, event.data["reviewer"]) == (
            "claim.taken",
            str(Actor.person(sam)),
            str(Actor.person(rita)),
        )
        with pytest.raises(queue.ClaimEnded):
            decide(claim.pk, rita, **BLOCK)

    def test_a_moderator_does_not(self, claim: Claim) -> None:
        tom = person("tom", Role.MODERATOR)
        with pytest.raises(queue.NotForYou):
            handovers.take_over(claim.pk, tom)
        assert with_session(tom).post(f"/api/v1/claims/{claim.pk}/takeover").status_code == 403

    def test_not_from_oneself(self, sam: User, platform: Client, eyes: TriagePlan) -> None:
        waiting(platform, 1)
        (claim,) = queue.claim(sam, GENERAL)
        with pytest.raises(UnfitHandover):
            handovers.take_over(claim.pk, sam)

    def test_not_what_one_decided_before(self, claim: Claim, rita: User, sam: User) -> None:
        another(claim.request, Reason.APPEAL)
        (other,) = queue.claim(sam, GENERAL)
        decide(other.pk, sam, **BLOCK)
        appeal = another(claim.request, Reason.REPORT)
        tom = person("tom", Role.MODERATOR)
        held = next(one for one in queue.claim(tom, GENERAL) if one.request == appeal)
        with pytest.raises(queue.DecidedBefore):
            handovers.take_over(held.pk, sam)

    def test_not_what_is_over_or_under_legal_hold(self, claim: Claim, rita: User, sam: User) -> None:
        lifecycle.move(claim.request.submission, Status.QUARANTINED, actor=HOUSE, reason="test")
        with pytest.raises(queue.ClaimEnded):
            handovers.take_over(claim.pk, sam)

    @pytest.mark.django_db(transaction=True)
    def test_two_leads_at_once_do_not_both_get_it(self, claim: Claim, sam: User) -> None:
        others = [person(name, Role.SENIOR) for name in ("lea", "lou", "lin")]
        calls = [lambda lead=lead: handovers.take_over(claim.pk, lead) for lead in (sam, *others)]
        outcomes = at_once(calls)
        assert sorted(type(one).__name__ for one in outcomes) == ["Claim", "ClaimEnded", "ClaimEnded", "ClaimEnded"]
        assert Claim.objects.filter(ended_at__isnull=True).count() == 1
