from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from moderation import requests, urgency
from moderation.models import Client, Reason, ReviewQueue, ReviewRequest, TriagePlan
from moderation.queues import known
from moderation.queues.definitions import ESCALATED, GENERAL, Definition, Definitions, Facts
from moderation.requests import Ask, language_of, open_requests
from tests import world

pytestmark = pytest.mark.django_db


def queue_row(slug: str, **fields: Any) -> ReviewQueue:
    return ReviewQueue.objects.create(slug=slug, title=slug.title(), **fields)


@pytest.mark.parametrize(
    ("condition", "fits", "does_not"),
    [
        ({"categories": frozenset({"HATE"})}, Facts("HATE"), Facts("NUDITY")),
        ({"least_severity": 3}, Facts("HATE", 3), Facts("HATE", 2)),
        ({"territories": frozenset({"DE", "AT"})}, Facts(territories=frozenset({"AT", "FR"})), Facts()),
        ({"languages": frozenset({"fr"})}, Facts(language="fr"), Facts(language="de")),
        ({"surfaces": frozenset({"feed"})}, Facts(surface="feed"), Facts(surface="chat")),
        ({"reasons": frozenset({"appeal"})}, Facts(reason="appeal"), Facts(reason="report")),
        ({"clients": frozenset({uuid4()})}, None, Facts(client=uuid4())),
    ],
)
def test_each_condition_is_asked(condition: dict[str, Any], fits: Facts | None, does_not: Facts) -> None:
    queue = Definition(slug="x", **condition)
    fits = fits or Facts(client=next(iter(condition["clients"])))
    assert (queue.takes(fits), queue.takes(does_not)) == (True, False)


def test_the_first_queue_that_takes_it_gets_it_and_the_general_one_what_none_takes() -> None:
    queues = Definitions(
        [
            Definition(slug=ESCALATED),
            Definition(slug="hate", categories=frozenset({"HATE"})),
            Definition(slug="grave", least_severity=3),
        ]
    )
    assert [queues.route(facts).slug for facts in (Facts("HATE", 3), Facts("CSAE", 4), Facts("NUDITY", 2))] == [
        "hate",
        "grave",
        GENERAL,
    ]


@pytest.mark.parametrize(
    ("context", "language"),
    [
        ({"language": "de-AT"}, "de"),
        ({"language": "PT_br"}, "pt"),
        ({"language": "fil"}, "fil"),
        ({"language": "German"}, ""),
        ({"language": 7}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_the_declared_language_is_read_by_its_primary_subtag(context: Any, language: str) -> None:
    assert language_of(context) == language


def test_triage_asks_in_the_queue_the_rules_name_with_its_due_date(platform: Client, eyes: TriagePlan) -> None:
    queue_row(
        "weapons-at",
        conditions={"categories": ["WEAPONS_DANGEROUS"], "territories": ["AT"], "languages": ["de"]},
        due={"hours": [72, 48, 24, 4, 1], "territories": {"AT": {"2": 6}, "DE": {"2": 9}}},
    )
    submission = world.triaged(platform, territories=["DE", "AT"], context={"language": "de-AT", "reach": 99})
    elsewhere = world.triaged(platform, world.png(red=0.5, seed=1), territories=["DE"], context={"language": "de"})
    request, other = (ReviewRequest.objects.get(submission=one) for one in (submission, elsewhere))
    assert (request.queue, other.queue) == ("weapons-at", GENERAL)
    assert request.due_at == request.opened_at + timedelta(hours=6)
    assert other.due_at == other.opened_at + timedelta(hours=24)
    assert request.weight == pytest.approx(
        urgency.weight(2, probability=0.5, approve=0.2, block=0.9, reach=99), abs=0.02
    )
    assert request.priority == urgency.urgent_first(request.weight, request.due_at)


def test_a_queue_by_age_is_kept_by_age(platform: Client, eyes: TriagePlan) -> None:
    queue_row(GENERAL, order="oldest")
    request = ReviewRequest.objects.get(submission=world.triaged(platform))
    assert request.priority == urgency.oldest_first(request.opened_at)


def test_a_batch_reads_the_queues_once_and_writes_in_one_statement(
    platform: Client, eyes: TriagePlan, django_assert_num_queries: Any
) -> None:
    submissions = [world.submit(platform, world.png(red=0.5, seed=seed)) for seed in range(5)]
    asks = [Ask(submission=one, reason=Reason.UNCERTAIN, category="HATE") for one in submissions]
    with django_assert_num_queries(2):
        open_requests(asks)
    with django_assert_num_queries(1):
        open_requests([Ask(submission=one, reason=Reason.APPEAL) for one in submissions])
    assert ReviewRequest.objects.count() == 10


def test_what_is_asked_already_is_not_asked_twice(platform: Client, eyes: TriagePlan) -> None:
    submission = world.submit(platform)
    for _time in range(2):
        open_requests([Ask(submission=submission, reason=Reason.REPORT)])
    assert ReviewRequest.objects.count() == 1


def test_another_order_is_given_to_what_is_open_and_what_a_retired_queue_held_goes_to_the_general_one(
    platform: Client, eyes: TriagePlan
) -> None:
    row = queue_row("nudes", conditions={"categories": ["NUDITY"]})
    submissions = [world.submit(platform, world.png(red=0.5, seed=seed)) for seed in range(3)]
    open_requests([Ask(submission=one, reason=Reason.REPORT, category="NUDITY") for one in submissions])
    ReviewQueue.objects.update(order="oldest")
    known.forget()
    assert (requests.settle(row), requests.settle(row)) == (3, 0)
    by_key = ReviewRequest.objects.filter(queue="nudes").order_by("-priority", "id").values_list("opened_at", flat=True)
    assert list(by_key) == sorted(by_key)
    ReviewQueue.objects.update(retired_at=timezone.now())
    known.forget()
    assert (requests.settle(row), requests.settle(row)) == (3, 0)
    for request in ReviewRequest.objects.filter(queue=GENERAL):
        assert request.due_at is not None
        assert request.priority == pytest.approx(urgency.urgent_first(request.weight, request.due_at), abs=1e-9)
