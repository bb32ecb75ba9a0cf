"""Reading typed fields out of a parsed TOML table, with messages that say what to mend."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from classifiers.base import CardError


class Table:
    """A TOML table and the name by which messages call it."""

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self._values, self._where = values, where

    def names(self) -> tuple[str, ...]:
        return tuple(self._values)

    def string(self, key: str, *, default: str | None = None, among: Sequence[str] | None = None) -> str:
        value = self._get(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise CardError(f"{self._where}: {key} must be a text that is not empty")
        if among is not None and value not in among:
            raise CardError(f"{self._where}: {key} is {value!r}; it must be one of {', '.join(among)}")
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        value = self._get(key, None)
        if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
            raise CardError(f"{self._where}: {key} must be a list of texts that is not empty")
        return tuple(value)

    def number(self, key: str, *, default: float | None = None) -> float:
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise CardError(f"{self._where}: {key} must be a finite number")
        return float(value)

    def whole(self, key: str, *, default: int | None = None) -> int:
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise CardError(f"{self._where}: {key} must be a whole number, 0 or above")
        return value

    def positive(self, key: str, *, default: int | None = None) -> int:
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= 65536:
            raise CardError(f"{self._where}: {key} must be a whole number above 0")
        return value

    def triple(self, key: str, *, default: tuple[float, float, float]) -> tuple[float, float, float]:
        value = self._get(key, list(default))
        if not isinstance(value, list) or len(value) != 3:
            raise CardError(f"{self._where}: {key} must be three numbers, one a colour channel")
        numbers = Table({str(i): item for i, item in enumerate(value)}, f"{self._where} {key}")
        return numbers.number("0"), numbers.number("1"), numbers.number("2")

    def pairs(self, key: str) -> tuple[tuple[float, float], ...]:
        """A list of two numbers each; empty when it is not there."""
        value = self._values.get(key) or []
        if not isinstance(value, list) or not all(isinstance(item, list) and len(item) == 2 for item in value):
            raise CardError(f"{self._where}: {key} must be a list of pairs of numbers")
        tables = [Table(dict(zip("ab", item, strict=True)), f"{self._where}: {key}") for item in value]
        return tuple((one.number("a"), one.number("b")) for one in tables)

    def table(self, key: str) -> "Table | None":
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise CardError(f"{self._where}: {key} must be a table, [{key}]")
        return Table(value, f"[{key}]")

    def tables(self, key: str) -> "list[Table]":
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
            raise CardError(f"{self._where}: {key} must be tables, [[{key}]]")
        return [Table(item, f"[[{key}]] {i + 1}") for i, item in enumerate(value)]

    def _get(self, key: str, default: Any) -> Any:
        value = self._values.get(key, default)
        if value is None:
            raise CardError(f"{self._where}: {key} is missing")
        return value
