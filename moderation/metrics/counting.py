"""Counting: in memory first, and from there to Redis at most once a second, in one round trip.

A process that is killed takes its last second along. While Redis is away, counts gather in memory.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Final

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
KEY: Final = "loupe:metrics"  # one hash: name, label values and, of a histogram, bucket or sum -> amount
SEPARATOR: Final = "\x1f"
SECONDS: Final = 1.0
SUM: Final = "sum"


@dataclass(frozen=True, slots=True)
class Counter:
    """Only ever grows. `name` ends in _total."""

    name: str
    words: str
    labels: tuple[str, ...]

    def add(self, amount: float = 1, **labels: str) -> None:
        _add({field(self.name, self.labels, labels): amount})


@dataclass(frozen=True, slots=True)
class Histogram:
    """`bounds` ascend; a value counts in the first bucket that is not below it."""

    name: str
    words: str
    labels: tuple[str, ...]
    bounds: tuple[float, ...]

    def observe(self, value: float, **labels: str) -> None:
        start = field(self.name, self.labels, labels)
        bucket = bisect_left(self.bounds, value)
        _add({f"{start}{SEPARATOR}{bucket}": 1, f"{start}{SEPARATOR}{SUM}": value})

    @contextmanager
    def timed(self, **labels: str) -> Iterator[None]:
        """Observe how many seconds the block took, also when it raised."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.observe(time.perf_counter() - began, **labels)


def field(name: str, expected: tuple[str, ...], labels: dict[str, str]) -> str:
    if labels.keys() != set(expected):
        raise TypeError(f"{name} has the labels {expected}, not {tuple(labels)}")
    return SEPARATOR.join((name, *(labels[each] for each in expected)))


_lock = threading.Lock()
_telling = threading.Lock()  # who flushes waits for one that is under way: afterwards nothing is in the air
_pending: dict[str, float] = defaultdict(float)
_timer: threading.Timer | None = None


def _add(amounts: dict[str, float]) -> None:
    global _timer  # noqa: PLW0603 - one a process
    with _lock:
        for name, amount in amounts.items():
            _pending[name] += amount
        if _timer is None:
            _timer = threading.Timer(SECONDS, flush)
            _timer.daemon = True
            _timer.start()


def flush() -> None:
    """Afterwards Redis knows what this process counted so far, or it is kept for the next time."""
    with _telling:
        _tell()


def _tell() -> None:
    global _timer  # noqa: PLW0603 - one a process
    with _lock:
        _timer = None
        amounts = dict(_pending)
        _pending.clear()
    if not amounts:
        return
    try:
        with store().pipeline(transaction=False) as all_at_once:
            for name, amount in amounts.items():
                all_at_once.hincrbyfloat(KEY, name, amount)
            all_at_once.execute()
    except RedisError as error:
        log.info("counts are kept until Redis is back: %s", error)
        with _lock:
            for name, amount in amounts.items():
                _pending[name] += amount


def counted() -> dict[str, float]:
    """What all processes counted. Raises RedisError."""
    counts: dict[bytes, bytes] = store().hgetall(KEY)  # type: ignore[assignment]
    return {name.decode(): float(amount) for name, amount in counts.items()}


def store() -> Redis:
    return _store(settings.REDIS_URL)


@cache
def _store(url: str) -> Redis:
    """This process's client; it has a pool of connections and may be used by all threads."""
    return Redis.from_url(url, socket_timeout=2, socket_connect_timeout=1)


def _forget() -> None:
    """In a forked child: what its parent counted is its parent's to tell."""
    global _lock, _telling, _timer
    _lock, _telling, _timer = threading.Lock(), threading.Lock(), None
    _pending.clear()


os.register_at_fork(after_in_child=_forget)
atexit.register(flush)
