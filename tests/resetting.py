"""What the database holds before every test, and how it comes back to that after a test that commits."""

from __future__ import annotations

import os
from typing import Any, Final

import psycopg
from django.db import connection
from django.test import TransactionTestCase
from psycopg import sql

from moderation import roles
from tests.servers import superuser_url

KEPT: Final = "kept"
"""A schema with a copy of every table that is not empty when the tests begin."""


def begin() -> None:
    """To be called once, when all is migrated. From now on every test finds what migrating leaves, and the roles.

    A server that was given by its address has no superuser for us: there Django flushes, and `tests.conftest.person`
    makes the roles again.
    """
    roles.sync()
    if os.environ.get("LOUPE_TEST_DATABASE_URL"):
        return
    with superuser() as session:
        filled = [name for name in tables() if session.execute(first_of(name)).fetchone()]
        session.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(KEPT)))
        for name in filled:
            session.execute(sql.SQL("CREATE TABLE {} AS TABLE {}").format(copy_of(name), sql.Identifier(name)))
    script = sql.SQL("; ").join([*map(cleared, tables()), *map(restored, filled)])

    def restore(_case: TransactionTestCase) -> None:
        """Django truncates every table, which makes each of them and each of their indexes anew: with a hundred tables
        that takes longer than most tests. Deleting takes as long as there are rows. What keeps rows for ever, and
        foreign keys, are off for the length of it, which takes a superuser.
        """
        with superuser() as session:
            session.execute("SET session_replication_role = replica")
            session.execute(script)

    TransactionTestCase._fixture_teardown = restore  # type: ignore[attr-defined]


def superuser() -> psycopg.Connection[Any]:
    return psycopg.connect(superuser_url(connection.settings_dict["NAME"]))


def tables() -> list[str]:
    return sorted(set(connection.introspection.django_table_names(only_existing=True)))


def copy_of(name: str) -> sql.Identifier:
    return sql.Identifier(KEPT, name)


def first_of(name: str) -> sql.Composed:
    return sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(name))


def cleared(name: str) -> sql.Composed:
    return sql.SQL("DELETE FROM {}").format(sql.Identifier(name))


def restored(name: str) -> sql.Composed:
    return sql.SQL("INSERT INTO {} SELECT * FROM {}").format(sql.Identifier(name), copy_of(name))
