"""Is the process alive, and can the desk be used? Open to all, so they say which part fails and nothing about it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final
from uuid import uuid4

from celery import current_app
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import Redis

from moderation.triage import warming

log = logging.getLogger(__name__)
PING_SECONDS: Final = 1.0
TRIAGE: Final = r"(?!trainer@)"
"""Whose answer counts: the desk is usable when somebody triages, whoever trains."""


class NotReady(Exception):
    """A part did not answer as it should."""


@never_cache
@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 once database, Redis, storage and a worker all work; else 503, and which of them do not."""
    parts = {name: works(name, check) for name, check in CHECKS.items()}
    ready = all(parts.values())
    words = {name: "ok" if good else "failed" for name, good in parts.items()}
    return JsonResponse({"status": "ready" if ready else "not ready", "parts": words}, status=200 if ready else 503)


def works(name: str, check: Callable[[], None]) -> bool:
    try:
        check()
    except Exception as error:  # noqa: BLE001 - whatever it is, the part does not work
        log.warning("not ready: %s (%s: %s)", name, type(error).__name__, error)
        return False
    return True


def check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_redis() -> None:
    with Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as redis:
        redis.ping()


def check_storage() -> None:
    for room in ("originals", "derivatives"):
        name = storages[room].save(f"readyz/{uuid4().hex}", ContentFile(b"ok"))
        storages[room].delete(name)


def check_worker() -> None:
    if not current_app.control.ping(timeout=PING_SECONDS, limit=1, pattern=TRIAGE, matcher="pcre"):
        raise NotReady("no worker answered a ping")


def check_models() -> None:
    if warming.is_only_warming():
        raise NotReady("workers are reading their classifiers")


CHECKS: Final[Mapping[str, Callable[[], None]]] = {
    "database": check_database,
    "redis": check_redis,
    "storage": check_storage,
    "worker": check_worker,
    "models": check_models,
}
