"""The lines of monitoring, as the ML engineer sets them. Pure: no Django, no clock.

Beyond the first, something is worth a look; beyond the second it raises an alarm. Each has its bounds, so that the
watch can be made stricter or calmer but not blind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self

BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "psi_watch": (0.02, 1.0),
    "psi_act": (0.05, 2.0),
    "ks_watch": (0.02, 0.9),
    "ks_act": (0.05, 1.0),
    "doubt": (0.0005, 0.05),
    "accuracy_watch": (0.51, 0.95),
    "accuracy_act": (0.55, 0.99),
    "prior_watch": (0.01, 0.5),
    "prior_act": (0.02, 0.9),
    "unseen_watch": (0.001, 0.5),
    "unseen_act": (0.002, 0.9),
    "overturn_doubt": (0.001, 0.2),
    "miss_rate": (0.0, 0.5),
    "precision": (0.0, 1.0),
    "recall": (0.0, 1.0),
}
PAIRS: Final = ("psi", "ks", "accuracy", "prior", "unseen")


class UnfitLines(ValueError):
    """A value is not one that a line can have; nothing was changed."""

    def __init__(self, name: str, value: object) -> None:
        super().__init__(f"{name} cannot be {value!r}.")
        self.name = name


@dataclass(frozen=True, slots=True)
class Lines:
    """One edition. `doubt`: the chance of a false alarm of one test of the images (one a day and backbone);
    `overturn_doubt`: of one of the overturned decisions in half a year. The last three are targets of the figures from
    audits, as shares; 0: none is set.
    """

    psi_watch: float = 0.1
    psi_act: float = 0.25
    ks_watch: float = 0.1
    ks_act: float = 0.2
    doubt: float = 0.001
    accuracy_watch: float = 0.55
    accuracy_act: float = 0.65
    prior_watch: float = 0.05
    prior_act: float = 0.1
    unseen_watch: float = 0.01
    unseen_act: float = 0.05
    overturn_doubt: float = 0.05
    miss_rate: float = 0.0
    precision: float = 0.0
    recall: float = 0.0

    def __post_init__(self) -> None:
        for name, (low, high) in BOUNDS.items():
            value = getattr(self, name)
            if type(value) not in {int, float} or not low <= value <= high:
                raise UnfitLines(name, value)
        for name in PAIRS:
            if getattr(self, f"{name}_watch") >= getattr(self, f"{name}_act"):
                raise UnfitLines(f"{name}_act", getattr(self, f"{name}_act"))

    @classmethod
    def load(cls, body: Mapping[str, Any]) -> Self:
        """As `dump` wrote it. What is missing has its default, so that old editions stay readable."""
        known = {one.name for one in fields(cls)} & body.keys()
        return cls(**{name: body[name] for name in known})

    def dump(self) -> dict[str, float]:
        return asdict(self)

    def level(self, name: str, value: float) -> str:
        """Of a figure with two lines: usual, watch or act."""
        act, watch = getattr(self, f"{name}_act"), getattr(self, f"{name}_watch")
        return "act" if value >= act else "watch" if value >= watch else "usual"
