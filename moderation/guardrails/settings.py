"""What guardrails go by, as the policy lead sets it: how often they may cry wolf, how much may be blocked unseen in a
day, and what happens by itself. Pure: no Django, no clock.

Every number has its bounds, so that the watch can be made stricter or calmer but not blind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Literal, Self

Measure = Literal["block", "approve"]
MEASURES: Final[tuple[Measure, ...]] = ("block", "approve")
BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "a_month": (0.1, 30),
    "days": (7, 60),
    "least_points": (0, 10),
    "plan_cap": (0, 10_000_000),
    "category_cap": (0, 10_000_000),
    "client_cap": (0, 10_000_000),
}
WHOLE: Final = frozenset(BOUNDS) - {"a_month", "least_points"}
HIGHEST: Final = 10_000_000


class UnfitGuards(ValueError):
    """A value is not one that guardrails can have; nothing was changed."""

    def __init__(self, name: str, value: object) -> None:
        super().__init__(f"{name} cannot be {value!r}.")
        self.name = name


@dataclass(frozen=True, slots=True)
class Guards:
    """One edition. A cap counts the images blocked by machine in a day (UTC); 0: none. `caps` are those of single
    categories (by code) and clients (by key) in place of the general one. `fallback`: what is stopped by itself when
    too much is done of it.
    """

    a_month: float = 1.0  # false alarms expected at most, over everything watched
    days: int = 14  # of the baseline
    least_points: float = 1.0  # percentage points away from what is usual, or it is no alarm
    plan_cap: int = 0
    category_cap: int = 0
    client_cap: int = 0
    caps: Mapping[str, int] = field(default_factory=dict)
    fallback: frozenset[Measure] = frozenset()

    def __post_init__(self) -> None:
        for name, (low, high) in BOUNDS.items():
            value = getattr(self, name)
            fit = type(value) is int or (type(value) is float and name not in WHOLE)
            if not fit or not low <= value <= high:
                raise UnfitGuards(name, value)
        if not all(type(most) is int and 0 <= most <= HIGHEST for most in self.caps.values()):
            raise UnfitGuards("caps", dict(self.caps))
        object.__setattr__(self, "fallback", frozenset(self.fallback))
        if self.fallback - set(MEASURES):
            raise UnfitGuards("fallback", sorted(self.fallback))

    @classmethod
    def load(cls, body: Mapping[str, Any]) -> Self:
        """As `dump` wrote it. What is missing has its default, so that old editions stay readable."""
        known = {one.name for one in fields(cls)} & body.keys()
        return cls(**{name: body[name] for name in known})

    def dump(self) -> dict[str, Any]:
        return asdict(self) | {"caps": dict(self.caps), "fallback": sorted(self.fallback)}

    @property
    def is_capped(self) -> bool:
        return any((self.plan_cap, self.category_cap, self.client_cap, *self.caps.values()))

    def cap_of(self, scope: str, key: str) -> int:
        """The most that may be blocked of this in a day; 0: there is no cap."""
        general = {"plan": self.plan_cap, "category": self.category_cap, "client": self.client_cap}[scope]
        return self.caps.get(key, general) if scope != "plan" else general
