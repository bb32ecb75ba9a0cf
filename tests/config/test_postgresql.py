"""The engine over Django's."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

pytestmark = pytest.mark.django_db


def test_a_copy_takes_parameters_also_where_statements_are_logged() -> None:
    copying = "COPY (SELECT %s::int) TO STDOUT"
    with CaptureQueriesContext(connection) as logged, connection.cursor() as cursor, cursor.copy(copying, [7]) as copy:
        rows = list(copy.rows())

    assert rows == [("7",)]
    assert "COPY" in logged[0]["sql"]
