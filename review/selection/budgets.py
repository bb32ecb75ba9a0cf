"""How many images a day people are asked about to learn from, and by which strategies. Pure: no Django, no clock."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

MOST: Final = 10_000
MIX: Final[Mapping[str, int]] = {"uncertainty": 60, "disagreement": 20, "diversity": 20, "generators": 0, "random": 0}


class UnfitBudget(ValueError):
    """A number is not one that the budget can have; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Budget:
    """One edition: images a day (UTC), and per cent of them by strategy. 0 a day: the house draws none by itself."""

    a_day: int = 0
    mix: Mapping[str, int] = field(default_factory=lambda: dict(MIX))

    def __post_init__(self) -> None:
        if type(self.a_day) is not int or not 0 <= self.a_day <= MOST:
            raise UnfitBudget(f"a_day cannot be {self.a_day!r}.")
        if set(self.mix) - set(MIX) or not all(type(one) is int and 0 <= one <= 100 for one in self.mix.values()):
            raise UnfitBudget(f"mix cannot be {dict(self.mix)!r}.")
        if sum(self.mix.values()) != 100:
            raise UnfitBudget("The shares of the mix must come to 100 per cent.")
        object.__setattr__(self, "mix", {name: self.mix.get(name, 0) for name in MIX})

    @classmethod
    def load(cls, body: Mapping[str, Any]) -> Self:
        return cls(body["a_day"], body["mix"])

    def dump(self) -> dict[str, Any]:
        return {"a_day": self.a_day, "mix": dict(self.mix)}

    def due(self, *, drawn: int, passed: float) -> int:
        """How many more to draw when this share of the day has passed and so many were drawn today: the day's budget
        comes in slices, so that a morning's images do not take all of it.
        """
        return max(0, min(self.a_day, math.ceil(self.a_day * passed)) - drawn)
