from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from moderation import audit, lifecycle
from moderation.actors import HOUSE, Actor
from moderation.models import Client, Reason, ReviewRequest, Status, TriagePlan, User
from review import blinding, leases, queue
from review.decisions import decide
from review.models import Claim, OrganisationSettings, Outcome
from review.tasks import free_ended_leases
from review.wellness.settings import House
from tests.review.arranging import another, at_once, waiting

GENERAL = queue.GENERAL


def requests_of(claims: list[Claim]) -> list[ReviewRequest]:
    return [claim.request for claim in claims]


def test_the_gravest_request_comes_first_and_then_the_oldest(rita: User, platform: Client, eyes: TriagePlan) -> None:
    mild = waiting(platform, 1, red=0.0, green=0.5)
    grave = waiting(platform, 2, red=0.5)
    assert requests_of(queue.claim(rita, GENERAL, 3)) == [*grave, *mild]


def test_a_second_claim_gets_another_request(rita: User, sam: User, platform: Client, eyes: TriagePlan) -> None:
    _first, second = waiting(platform, 2)
    queue.claim(rita, GENERAL)
    assert requests_of(queue.claim(sam, GENERAL)) == [second]


def test_an_empty_queue_gives_nothing(rita: User) -> None:
    assert queue.claim(rita, GENERAL, 5) == []


def test_a_claim_takes_ten_at_most(rita: User, platform: Client, eyes: TriagePlan) -> None:
    waiting(platform, 11)
    assert len(queue.claim(rita, GENERAL, 11)) == 10


@pytest.mark.parametrize(("gold", "statements"), [(0.0, 3), (1.0, 4)])
def test_a_claim_takes_three_statements_whatever_its_count_and_one_more_where_the_lot_falls_on_gold(
    rita: User,
    adam: User,
    platform: Client,
    eyes: TriagePlan,
    settings: Any,
    django_assert_num_queries: Any,
    gold: float,
    statements: int,
) -> None:
    settings.GOLD_SHARE = gold
    OrganisationSettings.objects.create(body=House(benign=50).dump(), made_by=adam)
    waiting(platform, 6)
    blinding.forget()
    blinding.in_force()  # read once in ten seconds
    with django_assert_num_queries(2 + statements):  # with the savepoint's two
        assert len(queue.claim(rita, GENERAL, 5)) == 5


def test_a_request_whose_lease_is_over_goes_to_the_next_person(
    rita: User, sam: User, platform: Client, eyes: TriagePlan, settings: Any
) -> None:
    waiting(platform, 1)
    settings.REVIEW_LEASE_SECONDS = 0
    (late,) = queue.claim(rita, GENERAL)
    (claim,) = queue.claim(sam, GENERAL)
    late.refresh_from_db()
    assert (claim.request_id, late.outcome) == (late.request_id, Outcome.EXPIRED)


def test_a_lease_that_was_over_before_it_was_on_record_is_ended_by_the_next(
    rita: User, sam: User, platform: Client, eyes: TriagePlan, settings: Any
) -> None:
    """Whoever looked for work before it was committed found no claim on the request."""
    (request,) = waiting(platform, 1)
    settings.REVIEW_LEASE_SECONDS = 0
    (late,) = queue.claim(rita, GENERAL)
    request.refresh_from_db()
    with transaction.atomic():
        (claim,) = queue.lease([request], sam, now=timezone.now())
    late.refresh_from_db()
    assert (claim.reviewer, late.outcome) == (sam, Outcome.EXPIRED)


def test_the_log_knows_who_held_an_image_and_let_the_lease_run_out(
    rita: User, sam: User, platform: Client, eyes: TriagePlan, settings: Any
) -> None:
    (request,) = waiting(platform, 1)
    settings.REVIEW_LEASE_SECONDS = 0
    queue.claim(rita, GENERAL)
    queue.claim(sam, GENERAL)
    last = audit.events_of(audit.submission(request.submission_id))[-1]
    assert (last.action, last.data["reviewer"]) == ("claim.expired", str(Actor.person(rita)))


def test_what_one_skipped_goes_to_somebody_else(rita: User, sam: User, platform: Client, eyes: TriagePlan) -> None:
    (request,) = waiting(platform, 1)
    (claim,) = queue.claim(rita, GENERAL)
    decide(claim.pk, rita, verdict="skip")
    assert (queue.claim(rita, GENERAL), requests_of(queue.claim(sam, GENERAL))) == ([], [request])


def test_what_was_given_back_may_be_claimed_by_anybody(rita: User, platform: Client, eyes: TriagePlan) -> None:
    (request,) = waiting(platform, 1)
    (claim,) = queue.claim(rita, GENERAL)
    queue.release(claim.pk, rita)
    assert requests_of(queue.claim(rita, GENERAL)) == [request]


def test_giving_back_is_on_record(rita: User, platform: Client, eyes: TriagePlan) -> None:
    (request,) = waiting(platform, 1)
    (claim,) = queue.claim(rita, GENERAL)
    queue.release(claim.pk, rita)
    last = audit.events_of(audit.submission(request.submission_id))[-1]
    assert (last.action, last.actor, last.data["claim"]) == ("claim.released", str(Actor.person(rita)), str(claim.pk))


@pytest.mark.parametrize("verb", [queue.extend, queue.release])
def test_another_persons_claim_is_out_of_reach(
    rita: User, sam: User, platform: Client, eyes: TriagePlan, verb: Any
) -> None:
    waiting(platform, 1)
    (claim,) = queue.claim(rita, GENERAL)
    with pytest.raises(queue.NotYourClaim):
        verb(claim.pk, sam)
    assert queue.held(rita) == [claim]


@pytest.mark.parametrize("verb", [queue.extend, queue.release])
def test_a_claim_whose_lease_is_over_cannot_be_acted_on(
    rita: User, platform: Client, eyes: TriagePlan, settings: Any, verb: Any
) -> None:
    waiting(platform, 1)
    settings.REVIEW_LEASE_SECONDS = 0
    (claim,) = queue.claim(rita, GENERAL)
    with pytest.raises(queue.ClaimEnded):
        verb(claim.pk, rita)


@pytest.mark.parametrize("verb", [queue.extend, queue.release])
def test_a_claim_on_a_request_that_was_settled_meanwhile_cannot_be_acted_on(
    rita: User, sam: User, platform: Client, eyes: TriagePlan, verb: Any
) -> None:
    (request,) = waiting(platform, 1)
    another(request, Reason.POLICY)
    (mine,) = queue.claim(rita, GENERAL)
    (other,) = queue.claim(sam, GENERAL)
    decide(other.pk, sam, verdict="approve")
    with pytest.raises(queue.ClaimEnded):
        verb(mine.pk, rita)


@pytest.mark.parametrize("verb", [queue.extend, queue.release])
def test_an_unknown_claim_is_said_to_be_unknown(rita: User, verb: Any) -> None:
    with pytest.raises(Claim.DoesNotExist):
        verb(uuid4(), rita)


def test_a_heartbeat_keeps_the_lease(rita: User, sam: User, platform: Client, eyes: TriagePlan, settings: Any) -> None:
    waiting(platform, 1)
    (claim,) = queue.claim(rita, GENERAL)
    settings.REVIEW_LEASE_SECONDS = 3600
    until = queue.extend(claim.pk, rita)
    claim.refresh_from_db()
    assert claim.expires_at == claim.request.leased_until == until > timezone.now() + timedelta(minutes=59)


def test_ended_leases_are_ended_and_others_are_not(
    rita: User, sam: User, platform: Client, eyes: TriagePlan, settings: Any
) -> None:
    waiting(platform, 3)
    (live,) = queue.claim(rita, GENERAL)
    settings.REVIEW_LEASE_SECONDS = 0
    over = queue.claim(sam, GENERAL, 2)
    assert queue.free_ended() == 2
    assert set(Claim.objects.filter(outcome=Outcome.EXPIRED)) == set(over)
    assert queue.held(rita) == [live]


def test_freeing_twice_ends_nothing_more(rita: User, platform: Client, eyes: TriagePlan, settings: Any) -> None:
    waiting(platform, 1)
    settings.REVIEW_LEASE_SECONDS = 0
    queue.claim(rita, GENERAL)
    queue.free_ended()
    assert queue.free_ended() == 0


def test_what_was_escalated_is_for_seniors(rita: User, sam: User, platform: Client, eyes: TriagePlan) -> None:
    (request,) = waiting(platform, 1)
    (claim,) = queue.claim(rita, GENERAL)
    decide(claim.pk, rita, verdict="escalate")
    with pytest.raises(queue.NotForYou):
        queue.claim(rita, queue.ESCALATED)
    assert requests_of(queue.claim(sam, queue.ESCALATED)) == [request]


def test_what_is_under_legal_hold_is_handed_to_nobody(rita: User, platform: Client, eyes: TriagePlan) -> None:
    (request,) = waiting(platform, 1)
    lifecycle.move(request.submission, Status.QUARANTINED, actor=HOUSE, reason="test")
    assert queue.claim(rita, GENERAL) == []


def test_what_came_under_legal_hold_is_no_longer_held(rita: User, platform: Client, eyes: TriagePlan) -> None:
    (request,) = waiting(platform, 1)
    queue.claim(rita, GENERAL)
    lifecycle.move(request.submission, Status.QUARANTINED, actor=HOUSE, reason="test")
    assert queue.held(rita) == []


def test_the_counts_name_every_queue_its_size_and_its_oldest(
    rita: User, platform: Client, eyes: TriagePlan, django_assert_num_queries: Any
) -> None:
    mild = waiting(platform, 1, red=0.0, green=0.5)
    grave = waiting(platform, 2, red=0.5)
    (claim,) = queue.claim(rita, GENERAL)
    decide(claim.pk, rita, verdict="escalate")
    with django_assert_num_queries(1):
        counts = queue.counts()
    assert counts == [
        queue.Backlog(GENERAL, 2, capped=False, oldest=mild[0].opened_at),
        queue.Backlog(queue.ESCALATED, 1, capped=False, oldest=grave[0].opened_at),
    ]


def test_an_empty_house_still_has_its_queues(db: None) -> None:
    assert [(one.queue, one.open, one.oldest) for one in queue.counts()] == [
        (GENERAL, 0, None),
        (queue.ESCALATED, 0, None),
    ]


def test_counting_stops_at_a_bound(platform: Client, eyes: TriagePlan, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting(platform, 4)
    monkeypatch.setattr(queue, "COUNTED", 3)
    assert (queue.counts()[0].open, queue.counts()[0].capped) == (3, True)


def plan_of_prepared(beginning: str) -> str:
    """The plan, made without a look at any parameter, of this connection's statement that begins so."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, cardinality(parameter_types) FROM pg_prepared_statements WHERE ltrim(statement) LIKE %s",
            [f"{beginning}%"],
        )
        name, count = cursor.fetchone()
        cursor.execute(f'EXPLAIN EXECUTE "{name}" ({", ".join(["NULL"] * count)})')
        return "\n".join(line for (line,) in cursor.fetchall())


def test_the_next_request_is_found_by_the_index_of_open_ones(rita: User, platform: Client, eyes: TriagePlan) -> None:
    (request,) = waiting(platform, 1)
    with connection.cursor() as cursor:
        columns = [str(field.column) for field in request.submission._meta.concrete_fields]
        copied = ", ".join(column for column in columns if column not in {"id", "external_id"})
        cursor.execute(
            f"INSERT INTO moderation_submission (id, external_id, {copied}) "
            f"SELECT gen_random_uuid(), n::text, {copied} FROM moderation_submission, generate_series(1, 5000) n"
        )
        cursor.execute(
            "INSERT INTO moderation_reviewrequest "
            "(id, submission_id, reason, category, queue, priority, needed, opened_at, closed_at, leased_until) "
            "SELECT gen_random_uuid(), id, 'uncertain', '', 'general', 2, 1, now(), "
            "CASE WHEN external_id::int % 2 = 0 THEN now() END, now() FROM moderation_submission "
            "WHERE external_id IS NOT NULL"
        )
        cursor.execute("ANALYZE moderation_reviewrequest, moderation_submission, review_claim")
    wish = leases.Wish(GENERAL, 10, avoided=["HATE"], most_severe=3)
    for _time in range(4):
        assert leases.find_free(rita.pk, wish, now=timezone.now())
    plan = plan_of_prepared("WITH%mine")
    assert "request_open_by_queue" in plan
    assert "Sort" not in plan
    assert "Seq Scan on moderation" not in plan


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_never_share_a_request(rita: User, sam: User, platform: Client, eyes: TriagePlan) -> None:
    requests = waiting(platform, 60)
    people = [rita, sam]
    outcomes = at_once([lambda person=people[n % 2]: queue.claim(person, GENERAL) for n in range(50)])  # type: ignore[misc]
    given = Counter(claim.request_id for claims in outcomes for claim in claims)
    assert len(given) == sum(given.values()) == 50
    assert given.keys() <= {request.pk for request in requests}
    assert Claim.objects.filter(ended_at__isnull=True).count() == 50


@pytest.mark.django_db(transaction=True)
def test_the_last_request_goes_to_one_of_many(rita: User, sam: User, platform: Client, eyes: TriagePlan) -> None:
    waiting(platform, 1)
    outcomes = at_once([lambda: queue.claim(rita, GENERAL), lambda: queue.claim(sam, GENERAL)] * 8)
    assert sorted(len(claims) for claims in outcomes) == [0] * 15 + [1]


@pytest.mark.django_db(transaction=True)
def test_an_ended_lease_is_ended_once_however_many_notice(
    rita: User, sam: User, platform: Client, eyes: TriagePlan, settings: Any
) -> None:
    (request,) = waiting(platform, 1)
    settings.REVIEW_LEASE_SECONDS = 0
    queue.claim(rita, GENERAL)
    settings.REVIEW_LEASE_SECONDS = 300
    claimed = at_once([queue.free_ended, lambda: queue.claim(sam, GENERAL), queue.free_ended, queue.free_ended])[1]
    # Whoever was freeing the request at that moment had it locked: then the next claim gets it.
    assert len(claimed or queue.claim(sam, GENERAL)) == 1
    events = [event.action for event in audit.events_of(audit.submission(request.submission_id))]
    assert events.count("claim.expired") == 1
    assert queue.held(rita) == []
    assert list(audit.verify()) == []


def test_beat_ends_what_is_over(rita: User, platform: Client, eyes: TriagePlan, settings: Any) -> None:
    waiting(platform, 1)
    settings.REVIEW_LEASE_SECONDS = 0
    queue.claim(rita, GENERAL)
    assert free_ended_leases() == {"ended": 1, "unanswered": 0}


def test_many_ended_leases_are_ended_a_batch_at_a_time(
    rita: User, platform: Client, eyes: TriagePlan, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(platform, 5)
    settings.REVIEW_LEASE_SECONDS = 0
    queue.claim(rita, GENERAL, 5)
    monkeypatch.setattr(queue, "SWEEP", 2)
    assert queue.free_ended() == 5
