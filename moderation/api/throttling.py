"""How much one key or person may ask."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Final

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from moderation.api.actors import caller_of

if TYPE_CHECKING:  # rest_framework.views loads this module
    from rest_framework.views import APIView

log = logging.getLogger(__name__)
WINDOW: Final = 60  # seconds
SPARE: Final = 20  # requests
FEWEST_SHARES: Final = 300  # of the limit: what a process takes at a time is a 300th of it at most


@cache
def redis() -> Redis:
    """This process's client; it has a pool of connections and may be used by all threads."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


class Allowances:
    """What this process may still let through in this minute, of what it took for each caller from the count in Redis.

    It takes several at a time: one in SPARE asks Redis. A process that took more than its callers came to ask for has
    them a little stricter than the limit, by a few in a thousand; it is never more lenient.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._minute = 0
        self._left: dict[str, int] = defaultdict(int)

    def take(self, caller: str, *, minute: int, most: int) -> bool:
        """Raises RedisError."""
        with self._lock:
            if minute != self._minute:
                self._minute = minute
                self._left.clear()
            if self._left[caller] > 0:
                self._left[caller] -= 1
                return True
        step = max(1, min(SPARE, most // FEWEST_SHARES))
        name = f"api-rate:{caller}:{minute}"
        with redis().pipeline(transaction=False) as both:
            both.incrby(name, step)
            both.expire(name, 2 * WINDOW)
            count = int(both.execute()[0])
        granted = step - max(0, count - most)
        if granted <= 0:
            return False
        with self._lock:
            if minute == self._minute:
                self._left[caller] += granted - 1
        return True


allowances: Final = Allowances()


class RateLimit(BaseThrottle):
    """`settings.API_RATE` requests a minute for each key and each person, counted in Redis for all web workers.

    Without Redis nobody is limited: a lost counter must not turn images away.
    """

    def __init__(self) -> None:
        self.now = time.time()

    def allow_request(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 - DRF's signature
        who = caller_of(request)
        if who is None:
            return True
        try:
            return allowances.take(str(who.pk), minute=int(self.now // WINDOW), most=settings.API_RATE)
        except RedisError:
            log.warning("Redis cannot be reached: requests are not being limited")
            return True

    def wait(self) -> float:
        """Seconds until the next minute begins."""
        return WINDOW - self.now % WINDOW
