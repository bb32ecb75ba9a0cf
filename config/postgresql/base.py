from __future__ import annotations

from functools import partial
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection, OperationalError
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    @property
    def pool(self) -> ConnectionPool[Any] | None:
        pool: ConnectionPool[Any] | None = super().pool
        if pool is not None:
            # The pool takes one dead connection after the other from its shelf and waits 1, 2, 4 … seconds between
            # them. Neither Django nor the pool has a public place for another check once it is made.
            pool._check = partial(check_or_sweep, pool)
        return pool

    def make_debug_cursor(self, cursor: Any) -> CursorDebugWrapper:
        return CursorDebugWrapper(cursor, self)


class CursorDebugWrapper(base.CursorDebugWrapper):
    def copy(self, statement: Any, params: Any = None) -> Any:
        """As psycopg's own, which Django's wrapper, used where DEBUG=1, cuts down to statements without parameters."""
        with self.debug_sql(statement, params):
            return self.cursor.copy(statement, params)


def check_or_sweep(pool: ConnectionPool[Any], connection: Connection[Any]) -> None:
    """Returns when the connection lives. When it is dead, so may the others be: all are looked at and replaced."""
    try:
        ConnectionPool.check_connection(connection)
    except OperationalError:
        pool.check()
        raise
