"""Rows off the wire are what PostgreSQL has, whatever is in them, and leave the connection fit for the next."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import psycopg
import pytest
from django.db import connection

from review.labels import wire

SHAPE = np.dtype([("fields", ">i2"), ("size", ">i4"), ("number", ">i4")])
TEXTS = ["", "plain", None, "ünïcode – 漢字 🙂", 'quo"ted, with\ncommas\tand \\N', "x" * 100_000, None, "last"]


def read(statement: str) -> wire.Wire:
    connection.ensure_connection()
    return wire.copied(connection.connection, statement.encode())


@pytest.mark.django_db
def test_texts_come_whole_in_whatever_order_is_asked_for() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE said (n integer, a text, b text)")
        cursor.executemany("INSERT INTO said VALUES (%s, %s, %s)", [(n, one, one) for n, one in enumerate(TEXTS)])
    found = read("COPY (SELECT n, a, b FROM said ORDER BY n DESC) TO STDOUT (FORMAT BINARY)")
    order = np.argsort(found.records(SHAPE)["number"])
    told = found.texts(("a", "b"), behind=SHAPE.itemsize, order=order)
    assert told["a"].to_pylist() == told["b"].to_pylist() == TEXTS
    told["a"].validate(full=True)


@pytest.mark.django_db
def test_nothing_is_no_rows() -> None:
    found = read("COPY (SELECT 1, 'a'::text WHERE false) TO STDOUT (FORMAT BINARY)")
    assert len(found) == len(found.records(SHAPE)) == 0
    assert found.texts(("a",), behind=SHAPE.itemsize, order=np.zeros(0, np.intp))["a"].to_pylist() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "statement", ["COPY nonsense", "COPY (SELECT 1 / (5 - n) FROM generate_series(1, 9) n) TO STDOUT"]
)
def test_what_the_server_refuses_is_raised_and_the_connection_goes_on(statement: str) -> None:
    with pytest.raises(psycopg.Error):
        read(statement)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_ids_are_written_as_python_does() -> None:
    ids = [UUID(int=0), UUID(int=2**128 - 1), UUID("01a22485-a527-7707-9559-383765bd6866")]
    data = np.frombuffer(b"".join(one.bytes for one in ids), np.uint8).reshape(-1, 16)
    assert wire.written(data).to_pylist() == [str(one) for one in ids]
    assert wire.written(data[:0]).to_pylist() == []
