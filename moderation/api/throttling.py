"""How much one key or person may ask."""

from __future__ import annotations

import logging
import time
from functools import cache
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


@cache
def redis() -> Redis:
    """This process's client; it has a pool of connections and may be used by all threads."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


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
        name = f"api-rate:{who.pk}:{int(self.now // WINDOW)}"
        try:
            with redis().pipeline(transaction=False) as both:
                both.incr(name)
                both.expire(name, 2 * WINDOW)
                count = int(both.execute()[0])
        except RedisError:
            log.warning("Redis cannot be reached: requests are not being limited")
            return True
        return count <= settings.API_RATE

    def wait(self) -> float:
        """Seconds until the next minute begins."""
        return WINDOW - self.now % WINDOW
