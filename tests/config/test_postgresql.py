"""The engine over Django's."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from moderation.statements import prepared

pytestmark = pytest.mark.django_db


def test_a_copy_takes_parameters_also_where_statements_are_logged() -> None:
    copying = "COPY (SELECT %s::int) TO STDOUT"
    with CaptureQueriesContext(connection) as logged, connection.cursor() as cursor, cursor.copy(copying, [7]) as copy:
        rows = list(copy.rows())

    assert rows == [("7",)]
    assert "COPY" in logged[0]["sql"]


def test_what_is_prepared_is_planned_once_also_where_it_takes_a_list_of_keys() -> None:
    for _time in range(12):
        with prepared() as cursor:
            cursor.execute("SELECT username FROM moderation_user WHERE date_joined = ANY(%s::timestamptz[])", [[]])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE 'SELECT username%'"
        )
        assert cursor.fetchall() == [(10, 0)]
