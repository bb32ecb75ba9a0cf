"""How much one key or person may ask."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from moderation.api.actors import caller_of

if TYPE_CHECKING:  # rest_framework.views loads this module
    from rest_framework.views import APIView

log = logging.getLogger(__name__)
WINDOW: Final = 60  # seconds


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
            if cache.add(name, 1, timeout=2 * WINDOW):
                return True
            return cache.incr(name) <= settings.API_RATE
        except ValueError:  # it ran out between the two steps: a new minute
            return True
        except RedisError:
            log.warning("Redis cannot be reached: requests are not being limited")
            return True

    def wait(self) -> float:
        """Seconds until the next minute begins."""
        return WINDOW - self.now % WINDOW
