"""What every benchmark stands on: servers of its own in a temporary folder, real images, and lines of JSON.

Importing this module sets nothing up: `django_on_own_services` does, before Django is first imported.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

PROJECT: Final = Path(__file__).resolve().parent.parent
RESULTS: Final = PROJECT / "bench" / "results"
START_SECONDS: Final = 120  # a busy machine takes its time
STOP_SECONDS: Final = 15

_written: set[str] = set()


def emit(bench: str, metric: str, value: float, unit: str, *, n: int, params: Mapping[str, Any] | None = None) -> None:
    """One measurement: a line on stdout, and in `bench/results/<bench>.jsonl`, which holds the latest run."""
    line = json.dumps(
        {"bench": bench, "metric": metric, "value": round(value, 4), "unit": unit, "n": n, "params": dict(params or {})}
    )
    RESULTS.mkdir(parents=True, exist_ok=True)
    with (RESULTS / f"{bench}.jsonl").open("a" if bench in _written else "w") as file:
        file.write(line + "\n")
    _written.add(bench)
    print(line, flush=True)


@contextmanager
def django_on_own_services() -> Iterator[Path]:
    """For the block: real PostgreSQL (durable, as in production) and Redis in a new folder, Django on them, migrated.

    Yields the folder. Child processes inherit the addresses through the environment.
    """
    from config import embedded

    with tempfile.TemporaryDirectory(prefix="loupe-bench-") as name:
        folder = Path(name)
        with embedded.ensure(folder) as addresses:
            os.environ |= {
                "LOUPE_DATA_DIR": str(folder),
                "DATABASE_URL": addresses.database_url,
                "REDIS_URL": addresses.redis_url,
                "SECRET_KEY": secrets.token_urlsafe(50),
                "DEBUG": "0",
                "DJANGO_SETTINGS_MODULE": "config.settings",
            }
            import django

            django.setup()
            from django.core.management import call_command
            from django.db import connections

            call_command("migrate", verbosity=0)
            try:
                yield folder
            finally:
                connections.close_all()


def images(limit: int = 120) -> tuple[list[bytes], str]:
    """Real photos when the shared data is there, else drawn scenes; and which of the two: "photos" or "scenes"."""
    from django.conf import settings

    photos = sorted((settings.SHARED_DIR / "data" / "photos").glob("*.jpg"))[:limit]
    if photos:
        return [photo.read_bytes() for photo in photos], "photos"
    from config.demo.stream import scenes

    return [item.image for item in scenes(range(limit))], "scenes"


@dataclass(frozen=True, slots=True)
class Web:
    """A running web server: its main process and where it listens."""

    process: psutil.Process
    port: int
    started_s: float
    """Seconds from the start of the process to the first answer."""

    def workers(self) -> list[psutil.Process]:
        return self.process.children()

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def cpu_s(self) -> float:
        """CPU seconds of master and workers so far."""
        return sum(cpu_s(process) for process in [self.process, *self.workers()])


@contextmanager
def web_server(*, workers: int = 1) -> Iterator[Web]:
    """For the block, the web server as `make demo` runs it, on a free port, once it has answered /healthz."""
    from django.core.management import call_command

    from config.processes import commands

    call_command("collectstatic", interactive=False, verbosity=0)
    port = free_port()
    began = time.perf_counter()
    os.environ["WEB_CONCURRENCY"] = str(workers)
    process = subprocess.Popen(commands("serve", port=port)["web"], cwd=PROJECT)
    try:
        await_answer(port, process)
        yield Web(psutil.Process(process.pid), port, time.perf_counter() - began)
    finally:
        process.terminate()
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:  # a connection that a failed run left open
            process.kill()
            process.wait()


def await_answer(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return
        except OSError:
            time.sleep(0.01)
    sys.exit("bench: the web server did not start")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def postgres_cpu_s() -> float:
    """CPU seconds so far of this run's PostgreSQL: its first process and the sessions that still live."""
    folder = os.environ["LOUPE_DATA_DIR"]
    total = 0.0
    for process in psutil.process_iter(["name", "cmdline"]):
        if "postgres" in (process.info["name"] or "") and any(folder in word for word in process.info["cmdline"] or ()):
            total += sum(cpu_s(one) for one in [process, *process.children()])
    return total


def machine() -> dict[str, Any]:
    """For `params`: what the figures were measured on."""
    return {"cores": psutil.cpu_count(), "python": sys.version.split()[0]}
