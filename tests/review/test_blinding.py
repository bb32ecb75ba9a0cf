"""Who judges unaided, and that checks cannot be told from those who do by lot."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as HttpClient

from moderation import audit
from moderation.models import Client, Reason, ReviewRequest, TriagePlan, User
from review import blinding, queue
from review.blinding import UnfitRules, is_unaided
from review.decisions import decide
from tests import world
from tests.review.arranging import sampled, waiting


def request(reason: Reason, queue_: str = queue.GENERAL) -> ReviewRequest:
    return ReviewRequest(reason=reason, queue=queue_)


def test_checks_are_always_judged_unaided(db: None) -> None:
    assert {reason for reason in Reason if is_unaided(request(reason))} == blinding.CHECKS


def test_where_all_judge_unaided_what_has_to_be_looked_at_is_still_said(db: None, settings: Any) -> None:
    settings.UNAIDED_SHARE = 1.0
    assert {reason for reason in Reason if is_unaided(request(reason))} == {*blinding.CHECKS, Reason.UNCERTAIN}


def test_once_passed_on_to_seniors_the_machines_may_speak(db: None, settings: Any) -> None:
    settings.UNAIDED_SHARE = 1.0
    assert not is_unaided(request(Reason.UNCERTAIN, queue.ESCALATED))


def test_the_lot_is_repeatable_and_keeps_to_its_share(db: None, settings: Any) -> None:
    settings.UNAIDED_SHARE = 0.25
    requests = [request(Reason.UNCERTAIN) for _ in range(4000)]
    drawn = [is_unaided(one) for one in requests]
    assert drawn == [is_unaided(one) for one in requests]
    assert 0.21 < sum(drawn) / len(drawn) < 0.29  # five standard errors and more


def test_a_check_and_an_ordinary_image_judged_unaided_look_the_same(
    platform: Client, eyes: TriagePlan, rita: User, client: HttpClient, settings: Any
) -> None:
    settings.UNAIDED_SHARE = 1.0
    waiting(platform, 1)
    sampled(platform, eyes, world.png())
    client.force_login(rita)
    answer = client.post("/api/v1/queues/general/claim", {"count": 5}, content_type="application/json").json()
    one, other = answer["claims"]
    assert one.keys() == other.keys()
    own = {"claim_id", "request_id", "submission_id", "submission"}
    assert {name: one[name] for name in one.keys() - own} == {name: other[name] for name in other.keys() - own}
    page = client.get("/desk/general/").content.decode() + client.post("/desk/general/claim").content.decode()
    assert page.count("Judge for yourself") == 2
    for word in ("Audit sample", "Uncertain", "Blind check", "Came in"):
        assert word not in page


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_decision_keeps_whether_scores_were_on_screen(
    platform: Client, eyes: TriagePlan, rita: User, settings: Any, share: float
) -> None:
    settings.UNAIDED_SHARE = share
    waiting(platform, 1)
    (claim,) = queue.claim(rita, queue.GENERAL)
    seen = {"revealed": True, "seconds": 2.0}
    decision = decide(claim.pk, rita, verdict="approve", seen=seen, idempotency_key="k")
    assert decision.seen == {**seen, "scores": share == 0}
    assert decide(claim.pk, rita, verdict="approve", seen=seen, idempotency_key="k") == decision


def test_a_lead_sets_the_shares_on_record(sam: User) -> None:
    blinding.in_force()
    blinding.change(sam, gold=0.05, unaided=1.0)
    blinding.forget()
    assert blinding.in_force() == blinding.Rules(0.05, 1.0)
    (event,) = audit.events_of("quality:rules")
    assert event.data == {"gold": 0.05, "unaided": 1.0}


@pytest.mark.parametrize("shares", [(0.3, 0.0), (-0.1, 0.0), (0.0, 1.1), (float("nan"), 0.0)])
def test_what_is_no_share_is_refused(sam: User, shares: tuple[float, float]) -> None:
    with pytest.raises(UnfitRules):
        blinding.change(sam, gold=shares[0], unaided=shares[1])
