"""A classifier that hangs, fails or talks nonsense: nobody waits beyond its time, nobody is approved on doubt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from pytest_django import Settings

from classifiers import registry
from classifiers.base import FloatArray, ImageInput, Outputs
from classifiers.models import ClassifierVersion
from moderation import metrics
from moderation.metrics import counting
from moderation.models import Client, Embedding, Finding, Reason, ReviewRequest, Status, Submission, TriagePlan
from moderation.triage import breakers, deadlines, run_once
from moderation.triage.breakers import Breaker
from tests import servers, world

pytestmark = pytest.mark.django_db


class Eyes:
    """In place of the published classifier: `answer` sees each image's mean red, and says what is returned for all."""

    name, version, categories, embedding_size = "colour-eyes", "1", ("WEAPONS_DANGEROUS", "REGULATED", "PRIVACY"), 3

    def __init__(self, answer: Callable[[list[float]], Outputs]) -> None:
        self.answer = answer
        self.asked: list[int] = []

    def run(self, images: Sequence[ImageInput]) -> Outputs:
        self.asked.append(len(images))
        return self.answer([float(np.asarray(one.image)[..., 0].mean() / 255) for one in images])


def plain(reds: Sequence[float], **changes: Any) -> Outputs:
    table: FloatArray = np.zeros((len(reds), 3), dtype=np.float32)
    table[:, 0] = reds
    return replace(Outputs(table, table), **changes)


def fails(*_ignored: Any) -> Outputs:
    raise RuntimeError("out of order")


@pytest.fixture
def put(eyes: TriagePlan) -> Iterator[Callable[[Callable[[list[float]], Outputs]], Eyes]]:
    """Put other eyes in the place of those that plan 1 pins."""
    version = ClassifierVersion.objects.get()

    def place(answer: Callable[[list[float]], Outputs]) -> Eyes:
        registry.load(version)
        registry._open[version.pk] = stand_in = Eyes(answer)  # type: ignore[assignment]
        return stand_in

    yield place
    registry._open.pop(version.pk, None)


def waiting_plan() -> None:
    world.publish("colour-eyes@1", on_error="wait")


def due() -> None:
    Submission.objects.filter(status=Status.RECEIVED).update(triage_after=timezone.now())


def rested() -> None:
    """The open breaker's rest is over."""
    counting.store().delete(Breaker("colour-eyes@1").key("rest"))


def statuses() -> list[str]:
    return list(Submission.objects.order_by("id").values_list("status", flat=True))


def counted(kind: str) -> float:
    metrics.flush()
    name = counting.SEPARATOR.join(("loupe_classifier_failures_total", "colour-eyes@1", kind))
    return counting.counted().get(name, 0)


def test_one_bad_image_fails_alone(put: Any, platform: Client) -> None:
    def chokes(reds: list[float]) -> Outputs:
        if any(red > 0.95 for red in reds):
            raise MemoryError
        return plain(reds)

    put(chokes)
    for seed in range(9):
        world.submit(platform, world.png(red=1.0 if seed == 4 else 0.05, seed=seed))
    report = run_once()

    assert (report.settled, report.put_back) == (8, 1)
    assert statuses() == ["approved"] * 4 + ["received"] + ["approved"] * 4
    assert counted("image") >= 1
    assert Breaker("colour-eyes@1").state() == "closed"


@pytest.mark.parametrize(
    "broken",
    [
        lambda reds: plain([float("nan") if red > 0.95 else red for red in reds]),
        lambda reds: plain([7.0 if red > 0.95 else red for red in reds]),
        lambda reds: plain(reds, embeddings=np.array([[np.inf if red > 0.95 else red] * 3 for red in reds])),
        lambda reds: plain(reds, embeddings=np.array([[7e4 if red > 0.95 else red] * 3 for red in reds])),
        lambda reds: plain(reds, errors={i: "no word" for i, red in enumerate(reds) if red > 0.95}),
    ],
    ids=["nan", "no probability", "infinite embedding", "embedding too large to store", "says so itself"],
)
def test_nonsense_about_one_image_is_doubt_about_that_one(put: Any, platform: Client, broken: Any) -> None:
    put(broken)
    for red in (0.05, 1.0, 0.5):
        world.submit(platform, world.png(red=red))
    for _try in range(4):
        due()
        run_once()

    assert statuses() == ["approved", "in_review", "in_review"]
    doubtful = Submission.objects.order_by("id")[1]
    assert ReviewRequest.objects.get(submission=doubtful).reason == Reason.CLASSIFIER_ERROR
    assert not Finding.objects.filter(submission=doubtful).exists()
    assert not Embedding.objects.filter(submission=doubtful).exists()


@pytest.mark.parametrize(
    "broken",
    [
        fails,
        lambda reds: plain([*reds, 0.0]),
        lambda reds: Outputs(np.zeros((len(reds), 2), dtype=np.float32)),
        lambda reds: plain([float("nan")] * len(reds)),
        lambda reds: plain(reds, embeddings=np.zeros((len(reds) + 1, 3))),
        lambda reds: plain(reds, shown=[{}] * (len(reds) + 1)),
        lambda reds: None,
    ],
    ids=["raises", "rows", "columns", "nan", "embeddings", "shown", "nothing"],
)
def test_nonsense_about_all_opens_the_breaker_and_then_people_look(put: Any, platform: Client, broken: Any) -> None:
    eyes = put(broken)
    for red in (0.05, 0.5):
        world.submit(platform, world.png(red=red))
    for _try in range(breakers.THRESHOLD):
        assert statuses() == ["received", "received"]
        due()
        run_once()

    assert statuses() == ["in_review", "in_review"]
    assert Breaker("colour-eyes@1").state() == "open"
    asked = len(eyes.asked)
    assert world.triaged(platform, world.png(red=0.04)).status == Status.IN_REVIEW
    assert len(eyes.asked) == asked, "an open breaker asks nobody"


def test_an_open_breaker_closes_with_the_first_good_probe(put: Any, platform: Client) -> None:
    eyes = put(fails)
    world.submit(platform, world.png(red=0.05))
    for _try in range(breakers.THRESHOLD):
        due()
        run_once()
    rested()
    assert world.triaged(platform, world.png(red=0.04)).status == Status.IN_REVIEW  # the probe failed
    assert Breaker("colour-eyes@1").state() == "open"
    eyes.answer = plain
    assert world.triaged(platform, world.png(red=0.03)).status == Status.IN_REVIEW  # it rests
    rested()

    assert world.triaged(platform, world.png(red=0.02)).status == Status.APPROVED
    assert Breaker("colour-eyes@1").state() == "closed"


def test_only_one_worker_probes() -> None:
    first, second = Breaker("a@1"), Breaker("a@1")
    opened = []
    for _failure in range(breakers.THRESHOLD):
        assert first.state() == "closed"
        opened.append(first.failed())
    assert opened == [False, False, True]
    assert second.state() == "open"
    counting.store().delete(first.key("rest"))

    assert [first.state(), second.state()] == ["probe", "open"]
    first.succeeded()
    assert second.state() == "closed"


def test_the_rest_grows_with_each_failed_probe(settings: Settings) -> None:
    settings.BREAKER_REST_SECONDS = 5
    breaker, rests = Breaker("a@1"), []
    for _failure in range(breakers.THRESHOLD + 2):
        breaker.state()
        if breaker.failed():
            rests.append(counting.store().pttl(breaker.key("rest")) / 1000)
            counting.store().delete(breaker.key("rest"))

    assert rests == [pytest.approx(seconds, rel=0.25) for seconds in (5, 10, 20)]


def test_a_success_between_failures_keeps_the_breaker_closed() -> None:
    breaker = Breaker("a@1")
    for _round in range(4):
        for _failure in range(breakers.THRESHOLD - 1):
            breaker.state()
            assert not breaker.failed()
        breaker.state()
        breaker.succeeded()


def test_without_redis_breakers_are_closed_and_triage_goes_on(put: Any, platform: Client, settings: Settings) -> None:
    put(fails)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    world.submit(platform, world.png(red=0.05))
    for _try in range(4):
        due()
        run_once()

    assert statuses() == ["in_review"]


def test_what_hangs_is_given_up_and_the_others_go_on(put: Any, platform: Client, settings: Settings) -> None:
    free = Event()
    settings.TRIAGE_CLASSIFIER_SECONDS = 0.05
    before = deadlines.hung()
    put(lambda reds: free.wait(60) and fails())
    try:
        submission = world.triaged(platform, world.png(red=0.05))
        assert deadlines.hung() == before + 1
        assert (submission.status, submission.alone) == ("received", True)
        assert counted("timeout") == 1
        for _try in range(breakers.THRESHOLD - 1):
            due()
            run_once()
        assert statuses() == ["in_review"]
        assert deadlines.hung() == before + breakers.THRESHOLD
    finally:
        free.set()


def test_time_that_others_spent_is_nobodys_fault(put: Any, platform: Client, settings: Settings) -> None:
    settings.TRIAGE_LEASE_SECONDS = 0
    put(plain)
    for _try in range(breakers.THRESHOLD + 1):
        submission = world.triaged(platform, world.png(red=0.05))
        assert submission.status != Status.APPROVED

    assert Breaker("colour-eyes@1").state() == "closed"


def test_a_plan_that_waits_approves_nothing_and_loses_nothing(put: Any, platform: Client) -> None:
    waiting_plan()
    eyes = put(fails)
    for red in (0.05, 0.5):
        world.submit(platform, world.png(red=red))
    for _try in range(20):  # far more often than an image is tried
        due()
        run_once()
        assert statuses() == ["received", "received"]
    held_up = Submission.objects.order_by("id")[0]
    assert held_up.held_up == 20
    assert held_up.held_up_since is not None
    eyes.answer = plain
    rested()
    due()

    assert run_once().settled == 2
    assert statuses() == ["approved", "in_review"]
    assert not Submission.objects.exclude(held_up_since=None).exists()


def test_a_plan_that_waits_still_sends_a_bad_image_to_people(put: Any, platform: Client) -> None:
    waiting_plan()
    put(lambda reds: plain([float("nan") if red > 0.95 else red for red in reds]))
    submission = world.submit(platform, world.png(red=1.0))
    for _try in range(4):
        due()
        run_once()

    submission.refresh_from_db()
    assert submission.status == Status.IN_REVIEW


def test_what_waits_comes_back_in_company(put: Any, platform: Client) -> None:
    waiting_plan()
    eyes = put(fails)
    for seed in range(6):
        world.submit(platform, world.png(red=0.05, seed=seed))
    run_once()
    eyes.answer = plain
    due()
    report = run_once()

    assert (report.claimed, report.settled) == (6, 6)


def test_a_known_block_does_not_wait_for_a_classifier_that_is_down(put: Any, platform: Client, tmp_path: Path) -> None:
    world.colour_eyes(tmp_path, version="2")
    world.publish("colour-eyes@1", "colour-eyes@2", on_error="wait")
    put(fails)

    assert world.triaged(platform, world.png(red=0.05)).status == Status.RECEIVED
    assert world.triaged(platform, world.png(red=0.97)).status == Status.BLOCKED


def test_redis_forgets_and_breakers_close(put: Any, platform: Client) -> None:
    breaker = Breaker("colour-eyes@1")
    for _failure in range(breakers.THRESHOLD):
        breaker.state()
        breaker.failed()
    servers.redis_flush()

    assert world.triaged(platform, world.png(red=0.05)).status == Status.APPROVED
