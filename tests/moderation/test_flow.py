"""Who is served first, in batches of which size, by whom, and what a worker holds in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as house
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from redis import Redis

from classifiers import registry
from classifiers.base import ImageInput, Outputs
from classifiers.models import ClassifierVersion
from moderation import tasks
from moderation.models import Client, Finding, Status, Submission, TriagePlan
from moderation.triage import run_once, warming, work_off
from moderation.triage.leases import SMALL, claim
from moderation.triage.pace import LEAST, Pace
from moderation.triage.queues import queue_in_force
from tests import world
from tests.moderation.callers import SUBMISSIONS, encoded, send, with_key


def bulk(platform: Client, count: int) -> None:
    """Rows like one that was sent; nobody reads their files here."""
    world.submit(platform)
    columns = ", ".join(str(one.column) for one in Submission._meta.local_fields if one.column != "id")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO moderation_submission (id, {columns})"
            f" SELECT uuidv7(), {columns} FROM moderation_submission, generate_series(2, %s)",
            [count],
        )


class Watching:
    """In place of the published classifier: tells `seen` of each batch, and approves."""

    name, version, categories, embedding_size = "colour-eyes", "1", ("WEAPONS_DANGEROUS", "REGULATED", "PRIVACY"), None

    def __init__(self, seen: Any) -> None:
        self.seen = seen

    def run(self, images: Sequence[ImageInput]) -> Outputs:
        self.seen(images)
        return Outputs(np.full((len(images), 3), 0.01, dtype=np.float32))


@pytest.fixture
def watch(eyes: TriagePlan) -> Iterator[Any]:
    version = ClassifierVersion.objects.get()

    def place(seen: Any) -> None:
        registry._open[version.pk] = Watching(seen)  # type: ignore[assignment]

    yield place
    registry._open.pop(version.pk, None)


def test_a_waiting_client_overtakes_ten_thousand_bulk_rows(db: None, platform: Client) -> None:
    bulk(platform, 10_000)
    urgent = world.submit(platform, awaited=True)

    first = claim(limit=32)
    assert first[0].pk == urgent.pk
    assert len(first) == SMALL
    assert len(claim(limit=32)) == 32


@pytest.mark.parametrize("options", [{}, {"awaited": True}, {"again": True}], ids=["fresh", "awaited", "abandoned"])
def test_a_claim_reads_no_more_of_a_long_backlog_than_it_takes(
    db: None, platform: Client, options: dict[str, bool]
) -> None:
    bulk(platform, 10_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE moderation_submission")
        with CaptureQueriesContext(connection) as captured:
            claim(limit=32, **options)
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + captured[0]["sql"])
        [[plan]] = cursor.fetchone()
    scanned = [node for node in nodes(plan["Plan"]) if node["Node Type"].endswith("Scan") and "Relation Name" in node]
    assert max(node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in scanned) <= 200


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


@pytest.mark.django_db(transaction=True)
def test_a_waiting_client_is_next_whatever_was_decoded_already(
    watch: Any, platform: Client, settings: Settings
) -> None:
    settings.TRIAGE_BATCH = 4
    batches: list[list[str]] = []

    def seen(images: Sequence[ImageInput]) -> None:
        batches.append([one.prompt for one in images])
        if len(batches) == 1:
            world.submit(platform, prompt="urgent", awaited=True)

    watch(seen)
    for seed in range(12):
        world.submit(platform, world.png(seed=seed), prompt="bulk")
    work_off(rounds=20)

    assert [batch[0] for batch in batches[:3]] == ["bulk", "urgent", "bulk"]
    assert not Submission.objects.filter(status=Status.RECEIVED).exists()


def test_who_asks_to_wait_is_awaited(eyes: TriagePlan, api_key: str) -> None:
    caller = with_key(api_key)
    send(caller, world.png(seed=1), external_id="bulk")
    assert Submission.objects.filter(awaited=True).count() == 0

    caller.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key}", HTTP_PREFER="wait=1")
    assert send(caller, world.png(seed=1), external_id="bulk").status_code == 200
    assert Submission.objects.filter(awaited=True).count() == 1
    assert send(caller, world.png(seed=2)).status_code == 202
    assert Submission.objects.filter(awaited=True).count() == 2


def test_beyond_the_limit_nothing_more_is_taken_in(api_key: str, platform: Client, settings: Settings) -> None:
    settings.BACKLOG_LIMIT = 2
    caller = with_key(api_key)
    assert send(caller, world.png(seed=1)).status_code == 202
    world.submit(platform, world.png(seed=2))
    ingest_looks_again()
    answer = send(caller, world.png(seed=3))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert answer.json()["type"] == "urn:loupe:problem:backlog"
    items = [{"image_base64": encoded(world.png(seed=4))}]
    assert caller.post(f"{SUBMISSIONS}/batch", {"submissions": items}).status_code == 503
    assert Submission.objects.count() == 2

    run_once()
    ingest_looks_again()
    assert send(caller, world.png(seed=3)).status_code == 202


def ingest_looks_again() -> None:
    from moderation.ingest import room

    room._looked.clear()


def paced(first: int = 32, most: int = 32, target: float = 1.0) -> Pace:
    return Pace(first, most, target)


def test_a_slow_batch_makes_the_next_one_smaller_and_quick_ones_let_it_grow_again() -> None:
    pace, sizes = paced(most=64), []
    for seconds in (4.0, 4.0, 4.0, 4.0, *[0.1] * 16):
        pace.took(seconds, images=pace.size, more=True)
        sizes.append(pace.size)
    assert sizes[:4] == [16, 8, 4, 4]
    assert sizes[-1] == 64


def test_nothing_grows_without_a_backlog() -> None:
    pace = paced(first=8, most=64)
    pace.took(0.01, images=8, more=False)
    assert pace.size == 8


@given(st.lists(st.tuples(st.floats(1e-4, 1e3), st.booleans(), st.integers(1, 300)), max_size=30))
def test_the_size_stays_within_its_bounds(batches: list[tuple[float, bool, int]]) -> None:
    pace = paced(most=100)
    for seconds, more, images in batches:
        pace.took(seconds, images=min(images, pace.size), more=more)
        assert LEAST <= pace.size <= 100


def test_a_worker_is_warm_before_its_first_image(eyes: TriagePlan) -> None:
    version = ClassifierVersion.objects.get()
    registry.keep([])
    assert not registry.is_open(version)

    assert warming.warm_up() == [version.ref]
    assert registry.is_open(version)
    assert not warming.is_only_warming()


def test_a_classifier_that_fails_does_not_keep_a_worker_from_starting(watch: Any) -> None:
    watch(lambda images: 1 / 0)
    assert warming.warm_up() == []


def test_versions_switch_without_a_restart_and_the_old_one_leaves_memory(
    eyes: TriagePlan, platform: Client, tmp_path: Path
) -> None:
    old, new = ClassifierVersion.objects.get(), world.colour_eyes(tmp_path, version="2")
    before = world.triaged(platform, world.png(seed=1))
    world.publish(new.ref)
    after = world.triaged(platform, world.png(seed=2))

    assert Finding.objects.get(submission=before).classifier == old
    assert Finding.objects.get(submission=after).classifier == new
    assert (registry.is_open(old), registry.is_open(new)) == (False, True)


@pytest.fixture
def gpu_plan(guidelines: None, tmp_path: Path) -> TriagePlan:
    """The plan's classifier says that it needs a GPU."""
    return world.publish(world.colour_eyes(tmp_path, more='device = "cuda"').ref)


def messages(queue: str) -> int:
    with Redis.from_url(house.CELERY_BROKER_URL) as redis:
        return int(redis.llen(queue))


def test_a_plan_that_needs_a_gpu_is_left_to_workers_that_have_one(gpu_plan: TriagePlan, platform: Client) -> None:
    submission = world.submit(platform)
    assert queue_in_force() == "gpu"

    tasks.triage.apply(routing_key="triage")
    assert (messages("gpu"), Submission.objects.get().status) == (1, Status.RECEIVED)
    tasks.sweep()
    assert (messages("gpu"), messages("triage")) == (2, 0)
    tasks.triage.apply(routing_key="gpu")
    submission.refresh_from_db()
    assert submission.status != Status.RECEIVED


def test_without_such_a_plan_any_worker_does(eyes: TriagePlan, platform: Client) -> None:
    world.submit(platform)
    tasks.triage.apply(routing_key="triage")

    assert (messages("gpu"), queue_in_force()) == (0, "triage")
    assert Submission.objects.get().status != Status.RECEIVED
