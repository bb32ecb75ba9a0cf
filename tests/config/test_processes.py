"""The runner: web, worker and beat as real processes; a signal, one of them or their starter ends them all."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil
import pytest

from config import embedded, processes
from config.embedded import programs
from config.embedded.redis_server import free_port
from moderation.api import health

NAMES = {"web", "worker", "trainer", "beat"}


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder of its own, whose embedded servers a runner will start."""
    with tempfile.TemporaryDirectory(prefix="loupe-processes-") as name:
        monkeypatch.setenv("LOUPE_DATA_DIR", name)
        monkeypatch.delenv("DATABASE_URL")
        monkeypatch.delenv("REDIS_URL")
        yield Path(name)
        assert embedded.stop_abandoned(Path(name))


class Runner:
    def __init__(self, folder: Path, port: int) -> None:
        self.log = folder / "runner.log"
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "config.processes", "serve", "--port", str(port)]
            self.process = subprocess.Popen(command, cwd=processes.PROJECT, stdout=log, stderr=subprocess.STDOUT)

    def pids(self) -> dict[str, int]:
        found = re.findall(r"(\w+) started \(pid=(\d+)\)", self.log.read_text())
        return {name: int(pid) for name, pid in found}

    def is_up(self, port: int) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return self.pids().keys() == NAMES and answers(port) and " ready." in self.log.read_text()


def answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
            return True
    except HTTPError:
        return True
    except OSError:  # nobody listens yet, or the server is still putting its workers up
        return False


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def runner(folder: Path, port: int) -> Iterator[Runner]:
    """All of them are up."""
    started = Runner(folder, port)
    try:
        assert programs.poll(lambda: started.is_up(port), seconds=60), started.log.read_text()
        yield started
    finally:
        started.process.terminate()
        started.process.wait(timeout=30)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGHUP, 143)])
def test_a_signal_ends_all_that_was_started(runner: Runner, folder: Path, number: signal.Signals, status: int) -> None:
    children = runner.pids().values()
    runner.process.send_signal(number)
    assert runner.process.wait(timeout=15) == status
    assert not [pid for pid in children if psutil.pid_exists(pid)]
    assert embedded.locate(folder) is None


def test_a_killed_worker_is_reported_and_ends_the_rest(runner: Runner, folder: Path) -> None:
    os.kill(runner.pids()["worker"], signal.SIGKILL)
    assert runner.process.wait(timeout=15) not in {0, None}
    assert "worker stopped (rc=-9)" in runner.log.read_text()
    assert embedded.locate(folder) is None


def test_in_the_background_it_ends_with_the_block(folder: Path, port: int) -> None:
    with processes.background(port=port, log=folder / "log" / "serve.log") as runner:
        assert programs.poll(lambda: answers(port), seconds=60)
    assert runner.returncode == 143
    assert not answers(port)
    assert embedded.locate(folder) is None


def test_in_the_background_it_ends_with_its_starter_too(folder: Path, port: int) -> None:
    program = (
        "from config import processes; from pathlib import Path; import sys\n"
        f"with processes.background(port={port}, log=Path({str(folder / 'serve.log')!r})) as runner:\n"
        "    print(runner.pid, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(
        command, cwd=processes.PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout
        runner = psutil.Process(int(starter.stdout.readline()))
        came_up = programs.poll(lambda: answers(port), seconds=60)
        starter.kill()
    assert came_up
    assert programs.poll(lambda: not runner.is_running() or runner.status() == psutil.STATUS_ZOMBIE, seconds=20)
    assert not answers(port)
    assert embedded.locate(folder) is None


def test_a_taken_port_is_named_before_anything_starts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        port = squatter.getsockname()[1]
        assert processes.main(["serve", "--port", str(port)]) == 1
    assert f"port {port} is not free; choose another with --port" in capsys.readouterr().err
    assert not list(folder.iterdir())


def test_the_worker_has_one_process_a_core_and_every_queue() -> None:
    worker = processes.commands("serve", port=8000, cores=3)["worker"]
    assert worker[worker.index("--concurrency") + 1] == "3"
    assert worker[worker.index("--queues") + 1] == "triage,gpu,default"


def test_trainings_have_a_worker_of_their_own_that_is_not_taken_for_one_that_triages() -> None:
    trainer = processes.commands("serve", port=8000, cores=3)["trainer"]
    assert trainer[trainer.index("--queues") + 1] == "training"
    assert trainer[trainer.index("--concurrency") + 1] == "1"
    assert re.match(health.TRIAGE, trainer[trainer.index("--hostname") + 1]) is None
    assert re.match(health.TRIAGE, "celery@host")


def test_development_serves_by_djangos_reloading_server() -> None:
    assert processes.commands("dev", port=8123)["web"][1:] == ["manage.py", "runserver", "127.0.0.1:8123"]
