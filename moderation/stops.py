"""What automation may not decide just now, as routing sees it. No Django, no clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, Self

Halted = Literal["", "approve", "block"]
HALTED: Final[tuple[Halted, ...]] = ("", "approve", "block")


@dataclass(frozen=True, slots=True)
class Stops:
    """Pairs (category, action); "" stands for all of them. ("", "") stops everything."""

    pairs: frozenset[tuple[str, str]] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.pairs)

    def bars(self, action: str, category: str = "") -> bool:
        """Whether a machine may not do this now in this category; "" asks of an image that no category stands for."""
        return any(what in ("", action) and of in ("", category) for of, what in self.pairs)

    def barring(self, action: str, categories: Iterable[str]) -> list[str]:
        """Those of the categories, in their order, in which a machine may not do this now; [""] where it may not do it
        at all.
        """
        return [""] if self.bars(action) else [category for category in categories if self.bars(action, category)]

    @classmethod
    def of(cls, pairs: Iterable[Iterable[str]]) -> Self:
        """From stored pairs."""
        return cls(frozenset((category, action) for category, action in pairs))

    def stored(self) -> list[list[str]]:
        return sorted([category, action] for category, action in self.pairs)


NOTHING: Final = Stops()
