"""`/metrics`, for Prometheus: with the token where one is set, else from this machine alone."""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from ipaddress import ip_address
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from redis.exceptions import RedisError

from moderation import policies
from moderation.metrics import counting, exposition, state
from moderation.models import TriagePlan
from moderation.triage import breakers
from moderation.triage.scoring import asked

log = logging.getLogger(__name__)
FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """401 for a wrong token; 404 where no token is set and the caller is not on this machine."""
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if not secrets.compare_digest(given.encode(), settings.METRICS_TOKEN.encode()):
            return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    elif not is_local(request):
        return HttpResponse(status=404)
    return HttpResponse(exposition.text(*measured()), content_type=exposition.CONTENT_TYPE)


def measured() -> tuple[dict[str, float], list[Metric]]:
    """Counts and gauges. Without Redis there are no counts, and one gauge says so."""
    counting.flush()
    try:
        counts, answered = counting.counted(), True
    except RedisError as error:
        log.warning("counts cannot be read: %s", type(error).__name__)
        counts, answered = {}, False
    store = GaugeMetricFamily("loupe_metrics_store_up", "Whether Redis, which holds the counts, answered.", answered)
    return counts, [store, breaker_states(), *state.gauges()]


def breaker_states() -> Metric:
    """Of the versions that the plan in force asks; heads are asked through their backbone."""
    family = GaugeMetricFamily(
        "loupe_classifier_breaker_open", "Whether a classifier's breaker is open.", labels=["classifier"]
    )
    published = TriagePlan.objects.in_force()
    if published:
        with suppress(RedisError):
            for ref, is_open in breakers.tripped(asked(policies.parsed(published))).items():
                family.add_metric([ref], is_open)
    return family


def is_local(request: HttpRequest) -> bool:
    """From this machine itself; what a proxy on it passes on is not."""
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
