"""Triage end to end, against the bare work it cannot do without, and against one Celery task an image.

Every arm sees the same images, the same model, the same process and threads. Arms take turns, round by round, so that a
machine that slows down slows all of them; the median of the rounds' ratios is reported. Without the shared data the
demo's own classifier and scenes stand in, and `params` say so.

    .venv/bin/python -m bench.triage
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.harness import django_on_own_services, emit, images, machine

if TYPE_CHECKING:
    from classifiers.models import ClassifierVersion
    from moderation.models import Client, Submission

ROUNDS: Final = 5
WAIT_SECONDS: Final = 120


def main() -> None:
    with django_on_own_services() as folder:
        from django.conf import settings

        pictures, source = images()
        version = published(folder)
        platform = client()
        params = {"model": version.ref, "images": source, "batch": settings.TRIAGE_BATCH, **machine()}
        work_off(received(platform, pictures, "warm"))  # the model is loaded, the files are in the page cache
        against_limit(platform, pictures, version, params)
        against_tasks(platform, pictures, params)
        decodes(platform, pictures, params)


def against_limit(platform: Client, pictures: list[bytes], version: ClassifierVersion, params: dict[str, Any]) -> None:
    ratios, rates, cpu = [], [], []
    for number in range(ROUNDS):
        rows = received(platform, pictures, f"limit-{number}")
        bare = timed(bare_loop, rows, version)
        before = time.process_time()
        full = timed(work_off, rows)
        cpu.append(1e3 * (time.process_time() - before) / len(rows))
        ratios.append(bare / full)
        rates.append(len(rows) / full)
    n = ROUNDS * len(pictures)
    emit("triage", "triage.of_limit", statistics.median(ratios), "ratio", n=n, params=params)
    emit("triage", "triage.images_per_s", statistics.median(rates), "1/s", n=n, params=params)
    emit("triage", "triage.cpu_ms_per_image", statistics.median(cpu), "ms", n=n, params=params)


def against_tasks(platform: Client, pictures: list[bytes], params: dict[str, Any]) -> None:
    """Both arms through a real Celery worker of one thread and real Redis messages."""
    from celery.contrib.testing.worker import start_worker

    from bench.tasks import one_image
    from config.celery import app
    from moderation.tasks import triage

    def batched(rows: Sequence[Submission]) -> None:
        triage.delay()
        await_settled(rows)

    def singly(rows: Sequence[Submission]) -> None:
        for row in rows:
            one_image.apply_async((str(row.pk),), queue="triage")
        await_settled(rows)

    ratios = []
    with start_worker(app, pool="solo", perform_ping_check=False, queues=["triage"], loglevel="WARNING"):
        for number in range(-1, ROUNDS):  # the first round warms up
            rows = received(platform, pictures, f"batch-{number}")
            batch = timed(batched, rows)
            rows = received(platform, pictures, f"single-{number}")
            ratios.append(timed(singly, rows) / batch)
    del ratios[0]
    emit("triage", "triage.vs_per_image", statistics.median(ratios), "ratio", n=ROUNDS * len(pictures), params=params)


def decodes(platform: Client, pictures: list[bytes], params: dict[str, Any]) -> None:
    """How often an original is decoded from upload to route: at the door, and each later read of its file."""
    from django.core.files.storage import storages
    from PIL import ImageFile

    loads, opened = 0, 0
    load, read = ImageFile.ImageFile.load, storages["originals"].open

    def counted_load(image: ImageFile.ImageFile) -> Any:
        nonlocal loads
        loads += bool(image.tile) and "original" in phase
        return load(image)

    def counted_open(*arguments: Any, **options: Any) -> Any:
        nonlocal opened
        opened += 1
        return read(*arguments, **options)

    phase = {"original"}
    ImageFile.ImageFile.load = counted_load  # type: ignore[method-assign,assignment]
    storages["originals"].open = counted_open  # type: ignore[method-assign]
    try:
        rows = received(platform, pictures, "decodes")
        phase.clear()
        work_off(rows)
    finally:
        ImageFile.ImageFile.load = load  # type: ignore[method-assign]
        storages["originals"].open = read  # type: ignore[method-assign]
    emit("triage", "decode.per_image", (loads + opened) / len(rows), "1", n=len(rows), params=params)


def published(folder: Path) -> ClassifierVersion:
    """The shared real model when it is there, else the demo's; guidelines and plan 1 over it."""
    from django.conf import settings

    from classifiers import demo_eyes, registry
    from moderation.actors import Actor
    from moderation.first_edition import publish_guidelines, publish_plan_one

    me = Actor.command("bench")
    publish_guidelines(actor=me)
    card = settings.SHARED_DIR / "models" / "nsfw_mobilenet_v2.toml"
    if card.exists():
        version = registry.register(card)
    else:
        backbone, heads = demo_eyes.build(folder / "eyes")
        registry.register(backbone)
        version = registry.register(heads)
    publish_plan_one([version.ref], actor=me, audit_rate=0.05)
    return version


def client() -> Client:
    from moderation.models import Client

    return Client.objects.create(slug="bench", name="Bench")


def received(platform: Client, pictures: list[bytes], tag: str) -> list[Submission]:
    from moderation import ingest
    from moderation.actors import Actor

    declared = [ingest.Declared(external_id=f"{tag}-{i}", prompt="a picture") for i in range(len(pictures))]
    me = Actor.command("bench")
    return [
        ingest.accept(platform, picture, fields=fields, actor=me).submission
        for picture, fields in zip(pictures, declared, strict=True)
    ]


def bare_loop(rows: Sequence[Submission], version: ClassifierVersion) -> None:
    """Derivative decode, PDQ and the forward pass, in the worker's own batches and threads; nothing else."""
    from django.conf import settings

    from classifiers import registry
    from moderation.triage.batch import threads
    from moderation.triage.looking import look_at

    model = registry.load(version.backbone or version)
    for start in range(0, len(rows), settings.TRIAGE_BATCH):
        looks = list(look_at(rows[start : start + settings.TRIAGE_BATCH], threads=threads()))
        model.run([look.seen for look in looks if look.seen is not None])


def work_off(rows: Sequence[Submission]) -> None:
    from moderation import triage

    report = triage.work_off(rounds=len(rows))
    assert report.settled == len(rows), "every row that was received is settled"


def await_settled(rows: Sequence[Submission]) -> None:
    from moderation.models import Status, Submission

    waiting = Submission.objects.filter(pk__in=[row.pk for row in rows], status=Status.RECEIVED)
    deadline = time.monotonic() + WAIT_SECONDS
    while waiting.exists():
        assert time.monotonic() < deadline, "the worker settles what it is told of"
        time.sleep(0.005)


def timed(act: Callable[..., object], *arguments: object) -> float:
    """Wall seconds."""
    began = time.perf_counter()
    act(*arguments)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
