"""What may go wrong around a claim, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from moderation import lifecycle
from moderation.actors import HOUSE
from moderation.metrics.counting import store
from moderation.models import Client, ReviewRequest, Status, TriagePlan, User
from review import queue
from review.decisions import decide
from review.models import Claim, Decision, Outcome
from tests.moderation.callers import with_session
from tests.review.arranging import waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def no_redis(settings: Any) -> Iterator[None]:
    """Nothing listens where Redis should be."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": settings.REDIS_URL}}
    yield
    store().close()


def test_without_redis_people_claim_and_decide_all_the_same(
    rita: User, platform: Client, eyes: TriagePlan, no_redis: None
) -> None:
    waiting(platform, 2)
    first, second = queue.claim(rita, queue.GENERAL, 2)
    queue.extend(first.pk, rita)
    decide(first.pk, rita, verdict="approve")
    queue.release(second.pk, rita)
    assert Decision.objects.count() == 1


def test_a_claim_outlives_the_server_that_gave_it(rita: User, platform: Client, eyes: TriagePlan) -> None:
    """It is a row: another process, which never heard of it, takes the decision."""
    waiting(platform, 1)
    (claim_id,) = (
        claim["claim_id"] for claim in with_session(rita).post("/api/v1/queues/general/claim").json()["claims"]
    )
    again = with_session(User.objects.get(pk=rita.pk))
    answer = again.post(f"/api/v1/claims/{claim_id}/decision", {"verdict": "approve", "seen": {}})
    assert answer.status_code == 201, answer.content


def test_a_clock_that_is_fast_ends_leases_early_and_doubles_nothing(
    rita: User, sam: User, platform: Client, eyes: TriagePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    (request,) = waiting(platform, 1)
    (early,) = queue.claim(rita, queue.GENERAL)
    real = timezone.now
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(timezone, "now", lambda: real() + timedelta(minutes=10))
        (claim,) = queue.claim(sam, queue.GENERAL)
    early.refresh_from_db()
    assert (claim.request, early.outcome) == (request, Outcome.EXPIRED)
    with pytest.raises(queue.ClaimEnded):
        decide(early.pk, rita, verdict="approve")
    decide(claim.pk, sam, verdict="block", labels=[{"category": "WEAPONS_DANGEROUS", "severity": 2}])
    assert Decision.objects.count() == 1


def test_a_clock_that_is_slow_takes_nothing_from_others(
    rita: User, sam: User, platform: Client, eyes: TriagePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(platform, 1)
    (claim,) = queue.claim(rita, queue.GENERAL)
    real = timezone.now
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(timezone, "now", lambda: real() - timedelta(minutes=10))
        assert queue.claim(sam, queue.GENERAL) == []
    decide(claim.pk, rita, verdict="approve")
    assert Claim.objects.get().outcome == Outcome.DECIDED


def test_an_image_under_legal_hold_in_a_batch_stops_itself_and_no_other(
    rita: User, platform: Client, eyes: TriagePlan
) -> None:
    requests = waiting(platform, 3)
    claims = {claim.request_id: claim for claim in queue.claim(rita, queue.GENERAL, 3)}
    lifecycle.move(requests[1].submission, Status.QUARANTINED, actor=HOUSE, reason="test")
    with pytest.raises(queue.ClaimEnded):
        decide(claims[requests[1].pk].pk, rita, verdict="approve")
    for request in (requests[0], requests[2]):
        decide(claims[request.pk].pk, rita, verdict="approve")
    open_ones = ReviewRequest.objects.filter(closed_at__isnull=True)
    assert [one.pk for one in open_ones] == [requests[1].pk]


def test_statements_of_a_decision_stay_within_twelve(rita: User, platform: Client, eyes: TriagePlan) -> None:
    from django.test.utils import CaptureQueriesContext

    waiting(platform, 2)
    warm, claim = queue.claim(rita, queue.GENERAL, 2)
    decide(warm.pk, rita, verdict="approve")
    with CaptureQueriesContext(connection) as statements:
        decide(claim.pk, rita, verdict="approve")
    counted = [one["sql"] for one in statements if "SAVEPOINT" not in one["sql"]]
    assert len(counted) <= 12, counted


def test_the_time_of_a_lease_is_told_with_its_zone(rita: User, platform: Client, eyes: TriagePlan) -> None:
    waiting(platform, 1)
    body = with_session(rita).post("/api/v1/queues/general/claim").json()
    ends = datetime.fromisoformat(body["claims"][0]["expires_at"])
    assert ends.tzinfo is not None
