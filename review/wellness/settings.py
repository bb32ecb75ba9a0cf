"""How images are shown and when it is enough: the organisation's defaults and floors, and what a person makes of them.

Pure: no Django, no clock. A person may always make it gentler; less gentle only where the organisation leaves it open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from math import inf
from typing import Any, Final, Self

REVEALS: Final = ("hover", "click", "hold")  # the later, the more one has to mean it

# What a number may be. Seconds before it blurs again and minutes between breaks: 0 is never.
BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "blur": (0, 40),
    "thumbnail": (96, 512),
    "reblur": (0, 300),
    "breaks": (0, 240),
    "budget": (60, 200_000),
    "shift": (4, 24),
    "warn": (10, 100),
    "benign": (0, 50),
    "severest_items": (0, 500),
    "severest_days": (1, 14),
    "rest_days": (0, 14),
}
HEAVIEST: Final = 100  # of the weights


class UnfitSettings(ValueError):
    """A value is not one that settings can have; nothing was changed."""

    def __init__(self, name: str, value: object) -> None:
        super().__init__(f"{name} cannot be {value!r}.")
        self.name = name


@dataclass(frozen=True, slots=True)
class Comfort:
    """What a person may change for themselves."""

    blur: int = 0  # px, over the blurred derivative
    grey: bool = False  # the clear image without colours
    muted: bool = False  # the clear image with faint colours
    thumbnail: int = 192  # px, the longer side
    reveal: str = "hold"
    reblur: int = 0  # s
    breaks: int = 45  # min
    budget: int = 14_400  # weighted seconds a shift: an hour of S3

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class House:
    """One edition of the organisation's settings. There is no evidence for exact numbers: these are where to start."""

    comfort: Comfort = field(default_factory=Comfort)
    floors: frozenset[str] = frozenset({"budget"})  # those of `comfort` that nobody may make less gentle
    weights: tuple[float, ...] = (0.25, 1.0, 2.0, 4.0, 8.0)  # what a second of S0 … S4 counts for
    shift: int = 12  # h: exposure older than this is of another shift
    warn: int = 80  # % of the budget
    benign: int = 0  # % of a claim, of requests up to S1
    severest_items: int = 20  # S4 looks a shift
    severest_days: int = 5  # days with S4, after which come
    rest_days: int = 2  # days without

    def __post_init__(self) -> None:
        check(self)
        # A budget that people could raise would be none.
        object.__setattr__(self, "floors", frozenset(self.floors) | {"budget"})
        if unknown := self.floors - {one.name for one in fields(Comfort)}:
            raise UnfitSettings("floors", sorted(unknown))
        object.__setattr__(self, "weights", tuple(self.weights))
        if len(self.weights) != 5 or not all(0 <= weight <= HEAVIEST for weight in self.weights):
            raise UnfitSettings("weights", self.weights)

    @classmethod
    def load(cls, body: Mapping[str, Any]) -> Self:
        """As `dump` wrote it. What is missing has its default, so that old editions stay readable."""
        known = {one.name for one in fields(cls)} & body.keys()
        return cls(**{name: body[name] for name in known} | {"comfort": comfort_of(body.get("comfort", {}))})

    def dump(self) -> dict[str, Any]:
        return asdict(self) | {"floors": sorted(self.floors), "weights": list(self.weights)}


def check(settings: Comfort | House) -> None:
    """Raises UnfitSettings."""
    for name in {one.name for one in fields(settings)} & BOUNDS.keys():
        low, high = BOUNDS[name]
        value = getattr(settings, name)
        if type(value) is not int or not low <= value <= high:
            raise UnfitSettings(name, value)
    if isinstance(settings, Comfort):
        if settings.reveal not in REVEALS:
            raise UnfitSettings("reveal", settings.reveal)
        for name in ("grey", "muted"):
            if type(getattr(settings, name)) is not bool:
                raise UnfitSettings(name, getattr(settings, name))


def comfort_of(values: Mapping[str, Any], base: Comfort | None = None) -> Comfort:
    """`base` with these values; names that are no longer known are passed over. Raises UnfitSettings."""
    known = {one.name for one in fields(Comfort)} & values.keys()
    return Comfort(**asdict(base or Comfort()) | {name: values[name] for name in known})


def gentleness(name: str, value: Any) -> float:
    """How gentle a value of this setting is: the more, the gentler."""
    match name:
        case "reveal":
            return REVEALS.index(value)
        case "reblur" | "breaks":
            return -(value or inf)
        case "thumbnail" | "budget":
            return -float(value)
        case _:
            return float(value)


def merged(house: House, chosen: Mapping[str, Any]) -> Comfort:
    """The organisation's defaults as one person changed them; a floor holds where they would go below it."""
    wanted = comfort_of(chosen, house.comfort)
    return comfort_of(
        {
            name: max(getattr(wanted, name), getattr(house.comfort, name), key=lambda value: gentleness(name, value))
            for name in house.floors
        },
        wanted,
    )


def differing(house: House, values: Mapping[str, Any]) -> dict[str, Any]:
    """Of these, those that are not the organisation's own: only they are kept as a person's choice."""
    return {name: value for name, value in values.items() if value != getattr(house.comfort, name)}
