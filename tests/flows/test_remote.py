"""The classifier on another machine dies in mid-run: no image is lost, approved on doubt, or stuck."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client as Browser
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from classifiers import registry
from classifiers.models import ClassifierVersion
from moderation import audit
from moderation.models import AuditEvent, Client, Finding, Status, Submission
from moderation.triage import run_once
from tests import world
from tests.flows.conftest import Worker, until
from tests.inference import Mode, ModelServer

REF = "remote-eyes@1"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ModelServer]:
    world.colour_graph(tmp_path / "eyes.onnx")
    with ModelServer(tmp_path / "eyes.onnx") as server:
        yield server


@pytest.fixture
def remote(transactional_db: None, guidelines: None, server: ModelServer, tmp_path: Path) -> ClassifierVersion:
    """Registered while its server answers; no plan yet."""
    limits = {"connect_s": 0.5, "read_s": 0.5, "call_s": 1.0, "retries": 0}
    return registry.register(server.card(tmp_path, input={"size": 16}, server=limits))


def measured(name: str, **labels: str) -> float:
    """What Prometheus would read."""
    families = text_string_to_metric_families(Browser().get("/metrics").content.decode())
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def send(platform: Client, count: int, *, start: int) -> None:
    """Harmless images, every fifth of them one for people."""
    for seed in range(start, start + count):
        world.submit(platform, world.png(red=0.5 if seed % 5 == 0 else 0.05, seed=seed))


def received() -> int:
    return Submission.objects.filter(status=Status.RECEIVED).count()


def approved_without_a_word() -> int:
    heard = Finding.objects.filter(classifier__name="remote-eyes").values("submission")
    return Submission.objects.filter(status=Status.APPROVED).exclude(pk__in=heard).count()


def nothing_is_lost(sent: int) -> None:
    """Each image is in exactly one settled place, moved there once, and the record holds."""
    assert Submission.objects.count() == sent
    moves = AuditEvent.objects.filter(actor="automation:triage", action__startswith="submission.")
    assert moves.count() == moves.values("subject").distinct().count() == sent
    assert approved_without_a_word() == 0
    assert list(audit.verify()) == []


def test_people_look_while_it_is_away(
    server: ModelServer, remote: ClassifierVersion, platform: Client, hire: Callable[[str], Worker]
) -> None:
    world.publish(remote.ref)
    hire("ada")
    send(platform, 20, start=0)
    until(lambda: received() == 0, seconds=60, what="the first images are triaged")
    assert Submission.objects.filter(status=Status.APPROVED).count() == 16

    server.die()
    send(platform, 20, start=20)
    until(lambda: received() == 0, seconds=60, what="its breaker opens, and people get the images")
    assert Submission.objects.filter(status=Status.APPROVED).count() == 16
    assert Submission.objects.filter(requests__reason="classifier_error").count() == 20
    assert measured("loupe_classifier_breaker_open", classifier=REF) == 1
    until(lambda: measured("loupe_classifier_failures_total", classifier=REF) >= 3, seconds=10, what="failures counted")

    server.start()

    def approved_again() -> bool:
        send(platform, 1, start=40 + Submission.objects.count())
        until(lambda: received() == 0, seconds=30, what="the image is triaged")
        return Submission.objects.filter(status=Status.APPROVED).count() > 16

    until(approved_again, seconds=60, what="a probe finds it back")
    assert measured("loupe_classifier_breaker_open", classifier=REF) == 0
    until(
        lambda: all(
            measured("loupe_classifier_breaker_changes_total", classifier=REF, to=to) for to in ("open", "closed")
        ),
        seconds=10,
        what="both changes are counted",
    )
    nothing_is_lost(Submission.objects.count())


def test_images_wait_while_it_is_away_where_the_plan_says_so(
    server: ModelServer, remote: ClassifierVersion, platform: Client, hire: Callable[[str], Worker]
) -> None:
    world.publish(remote.ref, on_error="wait")
    server.die()
    send(platform, 30, start=0)
    hire("ada")
    until(lambda: measured("loupe_held_up_images") == 30, seconds=60, what="all wait for the classifier")
    until(lambda: measured("loupe_classifier_breaker_open", classifier=REF) == 1, seconds=30, what="the breaker opens")
    assert received() == 30
    assert measured("loupe_held_up_oldest_seconds") > 0

    server.start()
    until(lambda: received() == 0, seconds=100, what="every image is triaged after all")
    assert Submission.objects.filter(status=Status.APPROVED).count() == 24
    assert Submission.objects.filter(requests__reason="uncertain").count() == 6
    assert measured("loupe_held_up_images") == measured("loupe_classifier_breaker_open", classifier=REF) == 0
    nothing_is_lost(30)


@pytest.mark.parametrize("mode", ["hang", "garbage", "error"])
def test_bad_answers_of_every_kind_end_with_people(
    server: ModelServer, remote: ClassifierVersion, platform: Client, mode: Mode
) -> None:
    world.publish(remote.ref)
    server.mode = mode
    send(platform, 4, start=1)
    while received():
        Submission.objects.filter(status=Status.RECEIVED).update(triage_after=timezone.now())
        run_once()

    assert Submission.objects.filter(requests__reason="classifier_error").count() >= 2
    nothing_is_lost(4)


@pytest.mark.slow
def test_a_worker_whose_threads_hang_ends_itself_and_another_takes_over(
    server: ModelServer, tmp_path: Path, guidelines: None, platform: Client, hire: Callable[..., Worker]
) -> None:
    patient = {"connect_s": 0.5, "read_s": 60.0, "call_s": 60.0, "retries": 0}  # far beyond what a batch may take
    version = registry.register(server.card(tmp_path, input={"size": 16}, server=patient))
    world.publish(version.ref, on_error="wait")
    server.mode = "hang"
    send(platform, 4, start=1)
    hire("ada", LOUPE_CLASSIFIER_SECONDS="1", LOUPE_HUNG_THREADS="1")
    until(lambda: measured("loupe_workers_recycled_total") >= 1, seconds=60, what="the process ends itself")

    server.mode = "ok"
    until(lambda: received() == 0, seconds=90, what="another process triages them")
    nothing_is_lost(4)
    assert Submission.objects.filter(status=Status.APPROVED).exists()
