"""Real Celery workers, as processes that can be killed, on the test's own database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection


def until(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Poll until `condition` holds; fails the test, saying what was awaited, when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds} s in vain: {what}")
        time.sleep(0.05)


class Worker:
    """`celery worker` with beat beside it, in a process group of its own."""

    def __init__(self, folder: Path, name: str, **environment: str) -> None:
        database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
        self.log = folder / f"{name}.log"
        self.name = name
        self.command = [sys.executable, "-W", "ignore", "-m", "celery", "-A", "config.celery", "worker", "-B"]
        self.command += ["--concurrency", "2", "--queues", "triage,default", "--hostname", f"{name}@test"]
        self.command += ["--schedule", str(folder / f"{name}.schedule"), "--loglevel", "INFO"]
        self.environment = {
            **os.environ,
            "DATABASE_URL": database,
            "LOUPE_STORAGE": (folder / "store").as_uri(),
            "LOUPE_TRIAGE_LEASE_SECONDS": "2",
            "LOUPE_TRIAGE_BATCH": "16",
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self) -> None:
        """SIGKILL to the worker and its children: no goodbye, no rollback, no acknowledgement."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()


@pytest.fixture
def hire(transactional_db: None, tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Start a named worker; all of them are stopped when the test ends."""
    with ExitStack() as stack:

        def start(name: str, **environment: str) -> Worker:
            worker = Worker(tmp_path, name, **environment)
            worker.start()
            stack.callback(worker.stop)
            return worker

        yield start
