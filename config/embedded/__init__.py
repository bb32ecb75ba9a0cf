"""Real PostgreSQL and Redis under LOUPE_DATA_DIR, for machines that have neither.

Whoever needs the servers calls `ensure` and holds a shared lock while it uses them. What runs already is found and
joined, also what a crash left behind; what is missing is started, once, however many ask together. Whoever leaves last
stops them. The locks are the kernel's (flock), so no dead process ever holds one. Django is not needed here.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.embedded.postgresql import PostgreSQL
from config.embedded.programs import CannotStart, account
from config.embedded.redis_server import Redis

__all__ = ["Addresses", "CannotStart", "data_dir", "ensure", "locate", "stop_abandoned", "unless_given"]

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Addresses:
    database_url: str
    redis_url: str


def data_dir() -> Path:
    """LOUPE_DATA_DIR, or `var` in the project."""
    return Path(os.environ.get("LOUPE_DATA_DIR") or PROJECT / "var").expanduser().resolve()


def locate(folder: Path) -> Addresses | None:
    """The servers that run on this data folder, whoever started them; starts and changes nothing."""
    database_url, redis_url = PostgreSQL(folder.resolve()).url(), Redis(folder.resolve()).url()
    return Addresses(database_url, redis_url) if database_url and redis_url else None


@contextmanager
def ensure(folder: Path, *, durable: bool = True) -> Iterator[Addresses]:
    """For the block, both servers run on this data folder. Raises CannotStart.

    With `durable=False` a newly started PostgreSQL does not wait for the disk: for tests, whose data nobody misses.
    """
    folder = folder.expanduser().resolve()
    _make(folder)
    postgresql, redis = PostgreSQL(folder), Redis(folder)
    with _lock(folder, "start", fcntl.LOCK_EX):
        use = _open(folder, "users")
        fcntl.flock(use, fcntl.LOCK_SH)
    try:
        with _lock(folder, "start", fcntl.LOCK_EX):
            addresses = Addresses(postgresql.ensure(durable=durable), redis.ensure())
        yield addresses
    finally:
        with _lock(folder, "start", fcntl.LOCK_EX):
            fcntl.flock(use, fcntl.LOCK_UN)  # named, not by closing: a forked child would go on holding it
            os.close(use)
            _stop_unless_used(folder)


def stop_abandoned(folder: Path) -> bool:
    """Stops what a killed owner left running on this data folder; False when somebody uses it."""
    folder = folder.expanduser().resolve()
    if not (folder / "run").is_dir():
        return True
    with _lock(folder, "start", fcntl.LOCK_EX):
        return _stop_unless_used(folder)


@contextmanager
def unless_given() -> Iterator[None]:
    """For the block, embedded servers run (the settings find them) unless DATABASE_URL and REDIS_URL name others."""
    given = {name.removesuffix("_FILE") for name in os.environ if os.environ[name]}
    if {"DATABASE_URL", "REDIS_URL"} <= given:
        yield
    else:
        with ensure(data_dir()):
            yield


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("run", "log"):
            (folder / name).mkdir(mode=0o700, exist_ok=True)
        if account():
            folder.chmod(folder.stat().st_mode | 0o011)  # the servers' account passes through to its own folders
    except OSError as error:
        raise CannotStart(f"LOUPE_DATA_DIR {folder} is not ours to write ({error.strerror})") from error


def _open(folder: Path, name: str) -> int:
    return os.open(folder / "run" / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@contextmanager
def _lock(folder: Path, name: str, kind: int) -> Iterator[None]:
    lock = _open(folder, name)
    try:
        fcntl.flock(lock, kind)
        yield
        fcntl.flock(lock, fcntl.LOCK_UN)
    finally:
        os.close(lock)


def _stop_unless_used(folder: Path) -> bool:
    try:
        with _lock(folder, "users", fcntl.LOCK_EX | fcntl.LOCK_NB):
            Redis(folder).stop()
            PostgreSQL(folder).stop()
            return True
    except BlockingIOError:
        return False
