"""One circuit breaker a classifier, shared by all workers through Redis.

Closed: it is asked. After `THRESHOLD` failures in a row it opens: it is not asked, for a rest that doubles with each
failed probe. Then one worker may probe; the answer closes the breaker or opens it again. Without Redis every breaker is
closed: each worker then waits out a failing classifier's time limit, and nothing else is lost.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from random import uniform
from typing import Final, Literal

from django.conf import settings
from redis.exceptions import RedisError

from moderation import metrics
from moderation.metrics.counting import store

log = logging.getLogger(__name__)
THRESHOLD: Final = 3
LONGEST_REST: Final = 60.0  # seconds
MEMORY: Final = 86_400  # seconds; a breaker that nobody asked for a day starts afresh
PROBE: Final = 120  # seconds; a prober that died leaves its place

State = Literal["closed", "probe", "open"]


@dataclass(slots=True)
class Breaker:
    """`failures` in a row and `trips` in a row, as the last `state()` found them."""

    ref: str
    failures: int = 0
    trips: int = 0

    def key(self, part: str) -> str:
        return f"loupe:breaker:{self.ref}:{part}"

    def state(self) -> State:
        """Whether to ask. `probe`: only this caller may, and must say how it went; ask for something worthless."""
        try:
            failures, trips, resting = store().mget([self.key(part) for part in ("failures", "trips", "rest")])
            self.failures, self.trips = int(failures or 0), int(trips or 0)
            if not self.trips:
                return "closed"
            if resting or not store().set(self.key("probe"), 1, nx=True, ex=PROBE):
                return "open"
            return "probe"
        except RedisError:
            return "closed"

    def succeeded(self) -> None:
        if not self.failures and not self.trips:
            return
        try:
            store().delete(*(self.key(part) for part in ("failures", "trips", "rest", "probe")))
        except RedisError:
            return
        if self.trips:
            log.warning("classifier %s answers again: its breaker is closed", self.ref)
            metrics.BREAKER_CHANGES.add(classifier=self.ref, to="closed")
        self.failures = self.trips = 0

    def failed(self) -> bool:
        """Whether the breaker is open now."""
        try:
            failures = store().incr(self.key("failures"))
            store().expire(self.key("failures"), MEMORY)
            return (bool(self.trips) or int(failures) >= THRESHOLD) and self.open()
        except RedisError:
            return False

    def open(self) -> bool:
        rest = min(settings.BREAKER_REST_SECONDS * 2**self.trips, LONGEST_REST) * uniform(0.8, 1.2)  # noqa: S311
        # Of several workers that find it failing at once, one opens it.
        if store().set(self.key("rest"), 1, nx=True, px=int(1000 * rest)):
            store().set(self.key("trips"), self.trips + 1, ex=MEMORY)
            store().delete(self.key("probe"))
            if not self.trips:
                log.error("classifier %s failed %d times in a row: its breaker is open", self.ref, THRESHOLD)
                metrics.BREAKER_CHANGES.add(classifier=self.ref, to="open")
        return True


def tripped(refs: list[str]) -> dict[str, bool]:
    """Which of these breakers are not closed. Raises RedisError."""
    trips = store().mget([Breaker(ref).key("trips") for ref in refs]) if refs else []
    return {ref: bool(found) for ref, found in zip(refs, trips, strict=True)}
