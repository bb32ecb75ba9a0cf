"""Calls that must end in time. What hangs in native code cannot be stopped from within its process: its thread is given
up, and a process with too many of those ends itself (`moderation.tasks`). Leases bring back what it had in hand, and
fencing refuses what a thread of the dead still wanted to write.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeVar

from django.db import connections

T = TypeVar("T")


class Hung(TimeoutError):
    """The call did not end in time. Its thread lives on, and what it returns is heard by nobody."""


@dataclass(frozen=True, slots=True)
class Call:
    """`bearable`: a process need not end for it, however often it hangs."""

    name: str
    bearable: bool


class Runner:
    """A thread that does one call after another, until it is given up on or this process ends."""

    def __init__(self) -> None:
        self.work: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        self.given_up = False
        self.thread = threading.Thread(target=self.run, name="in time", daemon=True)
        self.thread.start()

    def run(self) -> None:
        while not self.given_up:
            answer(*self.work.get())


# Kept for the next call: the memory that a thread's allocator has taken is not given back when it ends.
_idle: list[Runner] = []
_abandoned: dict[threading.Thread, Call] = {}
os.register_at_fork(after_in_child=_idle.clear)


def within(seconds: float, act: Callable[[], T], *, name: str, bearable: bool = False) -> T:
    """What `act` returns or raises, or Hung. It runs in another thread, and so sees no open transaction."""
    future: Future[T] = Future()
    runner = _idle.pop() if _idle else Runner()
    runner.work.put((future, act))
    try:
        result = future.result(timeout=max(seconds, 0.0))
    except TimeoutError as error:
        if not future.done():
            runner.given_up = True
            _abandoned[runner.thread] = Call(name, bearable)
            raise Hung(f"{name}: no answer within {seconds:.1f} s") from error
        _idle.append(runner)  # it was `act` that raised it
        raise
    except BaseException:
        _idle.append(runner)
        raise
    _idle.append(runner)
    return result


def hung() -> int:
    """How many threads of this process were given up, still hang, and are not bearable."""
    return sum(not call.bearable for call in hanging())


def hangs(name: str) -> bool:
    """Whether a call of this name was given up and still hangs."""
    return any(call.name == name for call in hanging())


def hanging() -> list[Call]:
    for thread in [thread for thread in _abandoned if not thread.is_alive()]:
        del _abandoned[thread]
    return list(_abandoned.values())


def answer(future: Future[Any], act: Callable[[], Any]) -> None:
    try:
        result = act()
    except BaseException as error:  # noqa: BLE001 - handed over to who waits
        connections.close_all()
        future.set_exception(error)
    else:
        connections.close_all()
        future.set_result(result)
