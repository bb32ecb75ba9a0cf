"""Who decides on an image is told of its near-duplicates; who checks the machines is not."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from moderation import lifecycle
from moderation.actors import HOUSE
from moderation.api.answers import present
from moderation.models import Client, Reason, Status, Submission, TriagePlan, User
from review import queue
from review.decisions import decide
from review.kin import SEEN, kin_of
from tests import world
from tests.moderation.test_copies import picture


@pytest.fixture
def copies(eyes: TriagePlan, platform: Client, other_platform: Client) -> list[Submission]:
    """Four of one picture, all in review, the last from another client."""
    senders = [platform, platform, platform, other_platform]
    return [world.triaged(client, picture(quality=60 + 5 * n)) for n, client in enumerate(senders)]


def test_the_card_tells_what_became_of_the_copies(client: Browser, copies: list[Submission], rita: User) -> None:
    (first,) = queue.claim(rita, queue.GENERAL)
    decide(first.pk, rita, verdict="block", labels=[{"category": "PRIVACY", "severity": 1}])
    held = next(one for one in copies if one.pk != first.request.submission_id)
    lifecycle.move(held, Status.QUARANTINED, actor=HOUSE, reason="test")
    client.force_login(rita)

    page = client.post("/desk/general/claim")

    card = page.context["cards"][0]
    assert card.kin.fates == ["1 blocked by a person", "1 undecided", "1 under legal hold"]
    assert "3 near-duplicates" in page.content.decode()
    assert len(card.kin_glimpses) == 2  # none of what lies under legal hold
    assert str(held.pk) not in page.content.decode()
    assert [client.get(url).status_code for url in card.kin_glimpses] == [200, 200]


def test_who_checks_the_machines_is_told_nothing(
    client: Browser, eyes: TriagePlan, platform: Client, rita: User
) -> None:
    world.triaged(platform, picture(red=0.16))
    world.publish("colour-eyes@1", audit_rate=1.0)
    world.triaged(platform, picture(red=0.16, quality=70))
    client.force_login(rita)

    (card,) = client.post("/desk/general/claim").context["cards"]

    assert card.request.reason == Reason.AUDIT_SAMPLE
    assert Submission.objects.values("cluster").distinct().count() == 1
    assert card.kin is None


def test_one_query_tells_of_all(copies: list[Submission]) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = kin_of(copies)

    assert len(queries) == 1
    assert [found[one.pk].count for one in copies] == ["3"] * 4


def test_a_large_cluster_costs_no_more(copies: list[Submission]) -> None:
    row = copies[0]
    Submission.objects.bulk_create(
        Submission(
            client_id=row.client_id,
            sha256="x",
            media_type="",
            byte_size=1,
            width=1,
            height=1,
            cluster=row.cluster,
            triage_after=row.triage_after,
        )
        for _each in range(SEEN)
    )

    assert kin_of([row])[row.pk].count in {f"{SEEN}+", f"{SEEN - 1}+"}


def test_a_client_learns_which_of_its_own_are_copies_and_nothing_of_others(copies: list[Submission]) -> None:
    told: list[Any] = [present(one)["cluster_id"] for one in copies]

    assert told[0] == told[1] == told[2] != told[3]
    assert str(copies[0].cluster) not in told
    lifecycle.move(copies[0], Status.QUARANTINED, actor=HOUSE, reason="test")
    assert present(copies[0])["cluster_id"] is None
