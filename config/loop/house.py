"""A house of its own for one run: real PostgreSQL and Redis in a new folder, web server, worker and beat.

Importing this module sets nothing up: `opened` does, before Django is first asked for anything.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from config import embedded

if TYPE_CHECKING:
    from config.demo.http import Door

LEARNING: Final = "learning"
HELD_BACK: Final = "held-back"
"""Queues: what draws to learn from ask, and what is for measuring; the latter also a surface."""


@dataclass(frozen=True, slots=True)
class House:
    """A working desk. `platform` sends images; `reviewer` and `auditor` are two people's sessions."""

    folder: Path
    platform: Door
    reviewer: Door
    auditor: Door


@contextmanager
def opened(folder: Path) -> Iterator[House]:
    """For the block a desk runs on `folder`: as it was closed, or where the folder was empty a new one with guidelines,
    people, two queues, and nothing pinned yet.

    What this process knows of other servers is forgotten. Its data are thrown away after the run, so PostgreSQL does
    not wait for the disk.
    """
    with embedded.ensure(folder, durable=False) as addresses:
        os.environ |= {
            "LOUPE_DATA_DIR": str(folder),
            "DATABASE_URL": addresses.database_url,
            "REDIS_URL": addresses.redis_url,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DEBUG": "1",  # sessions over plain HTTP, on this machine alone
        }
        import django

        django.setup()
        from django.db import connections

        try:
            with _desk(folder) as house:
                yield house
        finally:
            connections.close_all()


def copy(folder: Path, to: Path) -> None:
    """A closed house stands in two places: the same rows, files, keys and people. `to` was not there."""
    shutil.copytree(folder, to, symlinks=True)
    for one in (folder, *folder.rglob("*")):
        held = one.lstat()  # run by root, the servers have an account of their own and take no other's files
        os.chown(to / one.relative_to(folder), held.st_uid, held.st_gid, follow_symlinks=False)


@contextmanager
def _desk(folder: Path) -> Iterator[House]:
    from django.core.management import call_command

    from config import processes
    from config.demo.accounts import ACTOR, prepare
    from config.demo.http import Door
    from config.management.commands.demo import await_ready
    from moderation.first_edition import publish_guidelines
    from moderation.queues import keeping

    port = _free_port()
    base_url, log = f"http://127.0.0.1:{port}", folder / "log" / "house.log"
    call_command("migrate", verbosity=0)
    logins = prepare(folder / "logins.json", base_url=base_url)
    publish_guidelines(actor=ACTOR)
    keeping.define(LEARNING, title="To learn from", actor=ACTOR, conditions={"reasons": ["learning"]}, position=1)
    keeping.define(HELD_BACK, title="Held back", actor=ACTOR, conditions={"surfaces": [HELD_BACK]}, position=2)
    with processes.background(port=port, log=log) as desk:
        await_ready(Door(base_url), desk, log=log)
        reviewer, auditor = (Door.with_login(base_url, **logins.users[one]) for one in ("moderator", "senior"))
        yield House(folder, Door.with_key(base_url, logins.api_key), reviewer, auditor)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
