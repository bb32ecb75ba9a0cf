"""Web server, Celery workers and beat together on one machine, on the library honcho.

    python -m config.processes serve|dev [--port N]

Ctrl-C, SIGTERM and the end of any one of them end them all, the embedded servers too. In production each runs under
its own supervisor, which restarts it (docs/operations.md); here a process that dies is reported and ends the run.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from honcho.manager import Manager

from config import embedded
from config.embedded.redis_server import HOST, is_free

PROJECT: Final = Path(__file__).resolve().parent.parent
STOP_SECONDS: Final = 20  # honcho kills after 5, PostgreSQL writes its checkpoint after that

Mode = Literal["serve", "dev"]


class PortTaken(RuntimeError):
    """Somebody listens on the port already; the message names another way."""


def check_port(port: int) -> None:
    """Raises PortTaken unless the web server can have the port."""
    if not is_free(port):
        raise PortTaken(f"port {port} is not free; choose another with --port")


def commands(mode: Mode, *, port: int, cores: int | None = None) -> dict[str, list[str]]:
    """The command line of each process. The worker has one process a core, each of which runs models on one thread; the
    trainer has one."""
    address = f"{HOST}:{port}"
    web = [
        *("-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port), "--no-ws"),
        *("--workers", os.environ.get("WEB_CONCURRENCY", "2"), "--blocking-threads", "8"),
        *("--workers-kill-timeout", "10s", "--log-level", "error", "config.wsgi:application"),
    ]
    celery = ["-m", "celery", "--app", "config.celery"]
    concurrency = str(cores or os.cpu_count() or 1)
    arguments = {
        "web": web if mode == "serve" else ["manage.py", "runserver", address],
        "worker": [
            *(*celery, "worker", "--queues", "triage,gpu,default", "--concurrency", concurrency),
            *("--loglevel", "INFO", "--without-gossip", "--without-mingle"),
        ],
        # A training takes minutes and hundreds of MiB: it has a process of its own, which gives them back.
        "trainer": [
            *(*celery, "worker", "--queues", "training", "--concurrency", "1", "--max-memory-per-child", "250000"),
            *("--hostname", "trainer@%h", "--loglevel", "INFO", "--without-gossip", "--without-mingle"),
        ],
        "beat": [*celery, "beat", "--loglevel", "WARNING"],
    }
    return {name: [sys.executable, *rest] for name, rest in arguments.items()}


def run(mode: Mode, *, port: int) -> int:
    """Runs the processes, and embedded servers where none are given, until a signal or until one of them ends.

    Returns the exit status: 130 or 143 after a signal, else that of the first process to end. Raises PortTaken.
    """
    check_port(port)
    with embedded.unless_given():
        if mode == "dev":
            subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=PROJECT, check=True)
        else:  # the names of static files carry their digest, which the pages look up in what this writes
            command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
            subprocess.run(command, cwd=PROJECT, check=True)
        manager = Manager()
        for name, command in commands(mode, port=port).items():
            # `exec`: no shell stays between honcho's signals and the process.
            manager.add_process(name, f"exec {shlex.join(command)}", cwd=str(PROJECT), env=environment())
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))  # the terminal was closed
        manager.loop()
        return int(manager.returncode)


@contextmanager
def background(*, port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """For the block, `serve` runs in a process of its own that writes to `log`. Raises PortTaken.

    It ends with the block, and also when this process is killed: it watches the other end of a pipe.
    """
    check_port(port)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        runner = subprocess.Popen(
            [sys.executable, "-m", "config.processes", "serve", "--port", str(port), "--while-stdin-open"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us to hear and to pass on
            cwd=PROJECT,
        )
    try:
        yield runner
    finally:
        assert runner.stdin
        runner.stdin.close()
        try:
            runner.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            runner.kill()
            runner.wait()


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m config.processes", description="Run web server, worker and beat.")
    parser.add_argument("mode", choices=["serve", "dev"], help="serve: granian; dev: Django's autoreloading server")
    parser.add_argument("--port", type=int, default=8000, help=f"port of {HOST} (default 8000)")
    parser.add_argument("--while-stdin-open", action="store_true", help="end when standard input does")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # until honcho takes over
    if options.while_stdin_open:
        threading.Thread(target=end_with_stdin, daemon=True).start()
    try:
        return run(options.mode, port=options.port)
    except (PortTaken, embedded.CannotStart) as error:
        print(f"loupe: {error}", file=sys.stderr)
        return 1


def environment() -> dict[str, str]:
    """What the processes are given: our own environment, and one arena for all threads, unless it says otherwise. glibc
    keeps a store of freed memory for each thread; a triage worker's came to 50 MiB, and sharing one took no more CPU.
    """
    return {"MALLOC_ARENA_MAX": "1", **os.environ, "PYTHONUNBUFFERED": "1"}


def end_with_stdin() -> None:
    """This process gets SIGTERM when its standard input ends, as it does when whoever started it is gone."""
    # Not sys.stdin: honcho forks, and a fork while this thread holds that object's lock would hang the child.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
