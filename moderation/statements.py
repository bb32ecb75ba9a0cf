"""Cursors and columns for the statements of the hot paths.

The ORM takes several times as long to put these together as PostgreSQL takes to run them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

from django.db import connection, models
from django.db.backends.utils import CursorWrapper

M = TypeVar("M", bound=models.Model)


def prepared() -> CursorWrapper:
    """As `config.postgresql` says."""
    cursor: CursorWrapper = connection.prepared()  # type: ignore[attr-defined]
    return cursor


@dataclass(frozen=True, slots=True)
class Columns(Generic[M]):
    """The columns of one model in a statement over several tables."""

    model: type[M]
    fields: Sequence[models.Field[Any, Any]]

    @classmethod
    def of(cls, model: type[M], *names: str) -> Self:
        """All columns, or those of the fields named: the others are read when they are asked for."""
        fields = model._meta.concrete_fields
        return cls(model, [field for field in fields if not names or field.name in names])

    def sql(self, alias: str) -> str:
        return ", ".join(f'{alias}."{field.column}"' for field in self.fields)

    def names(self) -> str:
        return ", ".join(f'"{field.column}"' for field in self.fields)

    def places(self, name: str) -> str:
        """With their types: nothing else tells PostgreSQL what a parameter in a list of columns is. Without lengths: a
        cast would cut what is too long, where the column refuses it.
        """
        types = [re.sub(r"\(\d+\)", "", str(field.db_type(connection))) for field in self.fields]
        return ", ".join(f"%({name}_{number})s::{kind}" for number, kind in enumerate(types))

    def filled(self, name: str, row: M) -> dict[str, Any]:
        """The parameters of `places`."""
        return {f"{name}_{number}": value for number, value in enumerate(self.dump(row))}

    def dump(self, row: M) -> list[Any]:
        values = [getattr(row, field.attname) for field in self.fields]
        return [
            json.dumps(value) if isinstance(field, models.JSONField) else value
            for field, value in zip(self.fields, values, strict=True)
        ]

    def load(self, values: Sequence[Any]) -> M:
        # Django has psycopg leave JSON as text; the other types of these tables come as they are meant.
        read = [
            json.loads(value) if isinstance(field, models.JSONField) else value
            for field, value in zip(self.fields, values, strict=True)
        ]
        return self.model.from_db(connection.alias, [field.attname for field in self.fields], read)

    def __len__(self) -> int:
        return len(self.fields)
