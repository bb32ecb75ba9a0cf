"""Whether triage scales: from one worker process to two, in memory, and as the archive grows from 10 k to 1 M rows.

Real Celery workers, each process bound to one core, for else one alone would let its threads decode on the other. The
archive's cost is CPU, of the worker and of PostgreSQL, since that does not hang on how busy the machine is.

    .venv/bin/python -m bench.triage_scale
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil

from bench.harness import PROJECT, django_on_own_services, emit, images, postgres_cpu_s
from bench.house import await_settled, client, fill_bank, parameters, published, received, timed, work_off
from config.processes import environment

if TYPE_CHECKING:
    from classifiers.models import ClassifierVersion
    from moderation.models import Client, Submission

ROUNDS: Final = 3
COPIES: Final = 6
SMALL, LARGE = 10_000, 1_000_000
FINGERPRINTS: Final = """
INSERT INTO moderation_fingerprint (submission_id, pdq)
SELECT id, pdq FROM moderation_submission s WHERE external_id LIKE 'bench-%'
AND NOT EXISTS (SELECT FROM moderation_fingerprint f WHERE f.submission_id = s.id)
"""
START_SECONDS: Final = 120


def main() -> None:
    with django_on_own_services() as folder:
        pictures, source = images()
        version = published(folder)
        platform = client()
        params = parameters(version, source)
        memory(platform, pictures, version, params)
        fill_bank()
        processes(platform, pictures, params)
        archive(platform, pictures, params)


def memory(platform: Client, pictures: list[bytes], version: ClassifierVersion, params: dict[str, Any]) -> None:
    """A worker process with the backbone alone, then with every other signal beside it; banks and archive are small."""
    from moderation import policies
    from moderation.actors import Actor
    from moderation.models import TriagePlan

    everything = TriagePlan.objects.get(number=1).body
    for metric, refs in (("worker_rss_mib", [version.ref]), ("worker_rss_all_mib", everything["classifiers"])):
        me = Actor.command("bench")
        policies.publish_plan(everything | {"classifiers": refs}, note="for its memory", actor=me)
        rows = [row for copy in range(COPIES) for row in received(platform, pictures, f"{metric}-{copy}", wait=True)]
        with worker(processes=1) as pids:
            settle(rows, processes=1)
            emit("triage_scale", f"triage.{metric}", rss_mib(pids), "MiB", n=1, params=params | {"pinned": len(refs)})


def processes(platform: Client, pictures: list[bytes], params: dict[str, Any]) -> None:
    ratios = []
    for number in range(ROUNDS):
        seconds = {}
        for count in (1, 2):
            rows = [
                row
                for copy in range(COPIES)
                for row in received(platform, pictures, f"scale-{number}-{count}-{copy}", wait=True)
            ]
            with worker(processes=count):
                seconds[count] = timed(settle, rows, count)
        ratios.append(seconds[1] / seconds[2])
    n = ROUNDS * COPIES * len(pictures)
    emit("triage_scale", "triage.scale_2", statistics.median(ratios), "ratio", n=n, params=params)


def archive(platform: Client, pictures: list[bytes], params: dict[str, Any]) -> None:
    grow(0, SMALL)
    small = cpu_ms(platform, pictures, "small")
    grow(SMALL, LARGE)
    large = cpu_ms(platform, pictures, "large")
    n = ROUNDS * len(pictures)
    emit("triage_scale", "triage.archive_10k_ms", small, "ms", n=n, params=params)
    emit("triage_scale", "triage.archive_1m_ms", large, "ms", n=n, params=params)
    emit("triage_scale", "triage.archive_1m", large / small, "ratio", n=n, params=params)


def cpu_ms(platform: Client, pictures: list[bytes], tag: str) -> float:
    """CPU of worker and PostgreSQL, an image: the median of the rounds."""
    work_off(received(platform, pictures, f"{tag}-warm"))
    rounds = []
    for number in range(ROUNDS):
        rows = received(platform, pictures, f"{tag}-{number}")
        spent = -time.process_time() - postgres_cpu_s()
        work_off(rows)
        rounds.append(1e3 * (spent + time.process_time() + postgres_cpu_s()) / len(rows))
    return statistics.median(rounds)


def grow(start: int, stop: int) -> None:
    import psycopg
    from django.conf import settings

    from bench import backlog
    from config.embedded.postgresql import SUPERUSER, PostgreSQL

    url = PostgreSQL(settings.DATA_DIR).url(role=SUPERUSER, database=settings.DATABASES["default"]["NAME"])
    assert url, "PostgreSQL runs"
    with psycopg.connect(url, autocommit=True) as connection:
        backlog.grow(connection, start=start, stop=stop)
        connection.execute(FINGERPRINTS)


@contextmanager
def worker(*, processes: int) -> Iterator[list[int]]:
    """For the block, a Celery worker of so many processes that are warm, each on a core of its own; their pids."""
    from moderation.metrics.counting import store
    from moderation.triage.warming import WARM

    store().delete(WARM)
    command = [sys.executable, "-W", "ignore", "-m", "celery", "--app", "config.celery", "worker", "--queues", "triage"]
    command += ["--concurrency", str(processes), "--loglevel", "ERROR", "--without-gossip", "--without-mingle"]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment(), stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not store().exists(WARM) or len(psutil.Process(process.pid).children()) < processes:
            assert time.monotonic() < deadline, "the worker starts in time"
            assert process.poll() is None, "the worker starts"
            time.sleep(0.1)
        time.sleep(1.0 * processes)  # the others warm up at the same time
        pids = [child.pid for child in psutil.Process(process.pid).children()]
        for core, pid in enumerate(pids):
            bind(pid, core)
        yield pids
    finally:
        process.terminate()
        process.wait(30)


def bind(pid: int, core: int) -> None:
    """All threads of the process run on this core; where the system knows how."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {cores[core % len(cores)]})


def settle(rows: Sequence[Submission], processes: int) -> None:
    """The rows are let go, each process is told, and all are settled."""
    from django.utils import timezone

    from moderation.models import Submission
    from moderation.tasks import triage

    Submission.objects.filter(pk__in=[row.pk for row in rows]).update(triage_after=timezone.now())
    for _process in range(processes):
        triage.delay()
    await_settled(rows)


def rss_mib(pids: Sequence[int]) -> float:
    return max(psutil.Process(pid).memory_info().rss for pid in pids) / 2**20


if __name__ == "__main__":
    main()
