"""Cursors for the statements of the hot paths."""

from __future__ import annotations

from django.db import connection
from django.db.backends.utils import CursorWrapper


def prepared() -> CursorWrapper:
    """As `config.postgresql` says."""
    cursor: CursorWrapper = connection.prepared()  # type: ignore[attr-defined]
    return cursor
