"""Calls that must end in time. What hangs in native code cannot be stopped from within its process: its thread is given
up, and a process with too many of those ends itself (`moderation.tasks`). Leases bring back what it had in hand, and
fencing refuses what a thread of the dead still wanted to write.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from django.db import connections

T = TypeVar("T")

_abandoned: set[threading.Thread] = set()


class Hung(TimeoutError):
    """The call did not end in time. Its thread lives on, and what it returns is heard by nobody."""


def within(seconds: float, act: Callable[[], T], *, name: str) -> T:
    """What `act` returns or raises, or Hung. It runs in a thread of its own, and so sees no open transaction."""
    future: Future[T] = Future()
    thread = threading.Thread(target=answer, args=(future, act), name=name, daemon=True)
    thread.start()
    try:
        return future.result(timeout=max(seconds, 0.0))
    except TimeoutError as error:
        if future.done():  # it was `act` that raised it
            raise
        _abandoned.add(thread)
        raise Hung(f"{name}: no answer within {seconds:.1f} s") from error


def hung() -> int:
    """How many threads of this process were given up and still hang."""
    _abandoned.difference_update([thread for thread in _abandoned if not thread.is_alive()])
    return len(_abandoned)


def answer(future: Future[T], act: Callable[[], T]) -> None:
    try:
        future.set_result(act())
    except BaseException as error:  # noqa: BLE001 - handed over to who waits
        future.set_exception(error)
    finally:
        connections.close_all()
