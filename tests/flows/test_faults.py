"""What may break does break: each time every image settles exactly once, the audit verifies, nothing is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from django.db import connection

from moderation import audit
from moderation.models import AuditEvent, Client, Finding, Status, Submission, TriagePlan
from moderation.tasks import triage
from tests import servers, world
from tests.flows.conftest import Worker, until

IMAGES = 200


@pytest.fixture
def backlog(transactional_db: None, eyes: TriagePlan, platform: Client) -> int:
    """Two hundred different images that wait, and no worker yet."""
    for seed in range(IMAGES):
        world.submit(platform, world.png(red=(seed % 10) / 10, seed=seed))
    return IMAGES


def received() -> int:
    return Submission.objects.filter(status=Status.RECEIVED).count()


def all_settled_once() -> None:
    assert received() == 0
    moves = Counter(
        AuditEvent.objects.filter(actor="automation:triage", action__startswith="submission.").values_list(
            "subject", flat=True
        )
    )
    assert len(moves) == IMAGES
    assert set(moves.values()) == {1}
    assert Finding.objects.count() == IMAGES
    in_review = Submission.objects.filter(status=Status.IN_REVIEW)
    assert in_review.filter(requests__reason="uncertain").count() == in_review.count() > 0
    assert list(audit.verify()) == []


def test_a_flushed_redis_loses_no_image(backlog: int, hire: Callable[[str], Worker]) -> None:
    triage.delay()
    servers.redis_flush()
    hire("ada")
    until(lambda: received() == 0, seconds=60, what="the sweeper finds the rows without any message")
    all_settled_once()


def test_a_worker_killed_in_mid_batch_loses_no_image(backlog: int, hire: Callable[[str], Worker]) -> None:
    worker = hire("ada")
    until(lambda: received() < backlog, seconds=60, what="the first batch is settled")
    worker.kill()
    assert received() > 0, "the worker was killed with work in hand"
    hire("bob")
    until(lambda: received() == 0, seconds=60, what="another worker takes over")
    all_settled_once()


def test_two_workers_share_one_backlog(backlog: int, hire: Callable[[str], Worker]) -> None:
    hire("ada")
    hire("bob")
    until(lambda: received() == 0, seconds=60, what="the two work it off")
    all_settled_once()


def test_a_restarted_postgresql_loses_no_image(backlog: int, hire: Callable[[str], Worker]) -> None:
    hire("ada")
    until(lambda: received() < backlog, seconds=60, what="the first batch is settled")
    connection.close()
    servers.restart_postgres()
    until(lambda: received() == 0, seconds=60, what="triage goes on after the restart")
    all_settled_once()
