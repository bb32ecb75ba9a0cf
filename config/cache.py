"""Django's cache in Redis, which every request of a signed-in person asks for the session."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends import redis


class Client(redis.RedisCacheClient):
    """Asks through one client a server. Django's own makes a new one for each question: that takes Python longer than
    the question.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._clients: dict[int, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        pool = self._get_connection_pool(write)
        if (client := self._clients.get(id(pool))) is None:
            client = self._clients[id(pool)] = self._client(connection_pool=pool)
        return client


class RedisCache(redis.RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = Client
