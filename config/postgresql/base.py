from __future__ import annotations

import math
import select
import time
from functools import partial
from typing import Any, Final
from weakref import WeakKeyDictionary

from django.db.backends.postgresql import base, operations
from django.db.backends.utils import CursorWrapper
from psycopg import Connection, OperationalError
from psycopg_pool import ConnectionPool

QUIET_SECONDS: Final = 10.0

_asked_at: WeakKeyDictionary[Connection[Any], float] = WeakKeyDictionary()


class DatabaseOperations(operations.DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> str:
        """Of a prepared statement the text as it was given: psycopg forgets it, and who logs statements wants one."""
        said: str | None = super().last_executed_query(cursor, sql, params)
        return said or str(sql)


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations

    @property
    def pool(self) -> ConnectionPool[Any] | None:
        pool: ConnectionPool[Any] | None = super().pool
        if pool is not None and not isinstance(pool._check, partial):
            # The pool takes one dead connection after the other from its shelf and waits 1, 2, 4 … seconds between
            # them. Neither Django nor the pool has a public place for another check once it is made.
            pool._check = partial(check_or_sweep, pool)
        return pool

    def _configure_connection(self, connection: Connection[Any]) -> bool:
        """What is prepared is planned once, whatever its parameters: else PostgreSQL takes a list of keys for reason
        enough to plan a statement each time, which takes longer than running it. Nothing else here is planned apart
        from its parameters.
        """
        changed: bool = super()._configure_connection(connection)  # type: ignore[misc]
        if self.settings_dict["OPTIONS"].get("prepare_threshold") is None:
            return changed
        connection.execute("SET plan_cache_mode = force_generic_plan")
        return True

    def prepared(self) -> CursorWrapper:
        """A cursor for a statement that is run again and again: parameters go apart from it, so that PostgreSQL parses
        and plans it once a connection. What they are must be plain from where they stand (or from a cast), a statement
        with a changing text is no use here, and its plan must be right before they are known.
        """
        self.close_if_health_check_failed()
        self.ensure_connection()
        with self.wrap_database_errors:
            # As `_cursor` does; the stubs know neither.
            cursor: CursorWrapper = self._prepare_cursor(base.ServerBindingCursor(self.connection))  # type: ignore[attr-defined, call-arg]
        return cursor

    def make_debug_cursor(self, cursor: Any) -> CursorDebugWrapper:
        return CursorDebugWrapper(cursor, self)


class CursorDebugWrapper(base.CursorDebugWrapper):
    def copy(self, statement: Any, params: Any = None) -> Any:
        """As psycopg's own, which Django's wrapper, used where DEBUG=1, cuts down to statements without parameters."""
        with self.debug_sql(statement, params):
            return self.cursor.copy(statement, params)


def check_or_sweep(pool: ConnectionPool[Any], connection: Connection[Any]) -> None:
    """Returns when the connection lives. When it is dead, so may the others be: all are looked at and replaced."""
    if is_quiet(connection):
        return
    try:
        ConnectionPool.check_connection(connection)
    except OperationalError:
        pool.check()
        raise
    _asked_at[connection] = time.monotonic()


def is_quiet(connection: Connection[Any]) -> bool:
    """Whether it answered within the last seconds and its server sent nothing since: one that ends a connection says so
    and closes it. This saves most requests a round trip.
    """
    if time.monotonic() - _asked_at.get(connection, -math.inf) > QUIET_SECONDS or connection.closed:
        return False
    news = select.poll()
    news.register(connection.fileno(), select.POLLIN)
    return not news.poll(0)
