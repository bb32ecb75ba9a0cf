"""Triage end to end, with every signal pinned and a bank of a million hashes, against the bare work it cannot do
without, and against one Celery task an image.

Every arm sees the same images, the same model, the same process and threads. Arms take turns, round by round, so that a
machine that slows down slows all of them; the median of the rounds' ratios is reported. Without the shared data the
demo's own classifier and scenes stand in, and `params` say so.

    .venv/bin/python -m bench.triage
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from bench.harness import django_on_own_services, emit, images
from bench.house import await_settled, client, fill_bank, parameters, published, received, timed, work_off

if TYPE_CHECKING:
    from classifiers.models import ClassifierVersion
    from moderation.models import Client, Submission

ROUNDS: Final = 5


def main() -> None:
    with django_on_own_services() as folder:
        pictures, source = images()
        version = published(folder)
        fill_bank()
        platform = client()
        params = parameters(version, source)
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
    """How often an original is decoded from upload to route. The working derivative is what triage may decode."""
    from PIL import ImageFile

    loads = 0
    load = ImageFile.ImageFile.load

    def counted(image: ImageFile.ImageFile) -> Any:
        nonlocal loads
        derivative = str(getattr(image.fp, "name", "")).endswith(".working.jpg")
        loads += bool(image.tile) and not derivative
        return load(image)

    ImageFile.ImageFile.load = counted  # type: ignore[method-assign,assignment]
    try:
        rows = received(platform, pictures, "decodes")
        work_off(rows)
    finally:
        ImageFile.ImageFile.load = load  # type: ignore[method-assign]
    emit("triage", "decode.per_image", loads / len(rows), "1", n=len(rows), params=params)


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


if __name__ == "__main__":
    main()
