"""What a version must show before it may be promoted: the gates of a plan. `review.promotion` holds them to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from moderation.plans.bands import PlanError, is_probability

ATTRIBUTES: Final = ("generator", "seen", "territory", "language", "audience", "surface", "style")
"""Declared attributes that slices and groups may go by; "seen" is whether training saw the generator."""
LIMITS: Final = ("statistical_parity", "equal_opportunity", "average_odds", "disparate_impact")
LEAST: Final = 20
"""Labels below which a slice is only counted: its figures would be noise (`classifiers.evaluations.slicing`)."""
MOST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Gates:
    """None, and nothing named, asks for nothing. `tolerance`: the margin of non-inferiority, by how much the AUC may
    fall on the whole and on any slice of `least` labels by the attributes `slices`; `calibration`: the highest ECE;
    `fairness`: the largest gap between groups by the attributes `groups`, of `disparate_impact` the smallest ratio;
    `alpha` and `delta`: the approve cuts must be certified at FOR ≤ alpha on the same labels. The plan's privacy budget
    is a gate, too. All but the last go by the ends of 95 % intervals (`review.promotion.bounds`).
    """

    tolerance: float | None = None
    slices: tuple[str, ...] = ()
    least: int = LEAST
    calibration: float | None = None
    fairness: Mapping[str, float] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    alpha: float | None = None
    delta: float = 0.05


KEYS: Final = frozenset({"tolerance", "slices", "least", "calibration", "fairness", "groups", "alpha", "delta"})


def parsed_gates(said: object) -> Gates | None:
    """None where the plan has none. Raises PlanError."""
    if said is None or said == {}:
        return None
    if not isinstance(said, Mapping):
        raise PlanError("gates names what a version must show before it may be promoted")
    if odd := sorted(map(str, said.keys() - KEYS)):
        raise PlanError(f"gates knows no {odd[0]}; it has {', '.join(sorted(KEYS))}")
    fairness = said.get("fairness") or {}
    if not isinstance(fairness, Mapping) or (set(fairness) - set(LIMITS)):
        raise PlanError(f"gates, fairness: limits on {', '.join(LIMITS)}")
    groups = attributes(said, "groups")
    if fairness and not groups:
        raise PlanError("gates, fairness: name the attributes whose groups are compared")
    return Gates(
        tolerance=share(said, "tolerance"),
        slices=attributes(said, "slices"),
        least=least(said),
        calibration=share(said, "calibration"),
        fairness={name: limit for name in fairness if (limit := share(fairness, name)) is not None},
        groups=groups,
        alpha=inside(said, "alpha"),
        delta=inside(said, "delta") or 0.05,
    )


def share(said: Mapping[str, Any], name: str) -> float | None:
    value = said.get(name)
    if value is not None and not is_probability(value):
        raise PlanError(f"gates, {name}: a number between 0 and 1")
    return None if value is None else float(value)


def least(said: Mapping[str, Any]) -> int:
    value = said.get("least")
    if value is None:
        return LEAST
    if not isinstance(value, int) or isinstance(value, bool) or not LEAST <= value <= MOST:
        raise PlanError(f"gates, least: a whole number of labels, {LEAST} to {MOST}")
    return value


def inside(said: Mapping[str, Any], name: str) -> float | None:
    value = share(said, name)
    if value in {0.0, 1.0}:
        raise PlanError(f"gates, {name}: more than 0 and less than 1")
    return value


def attributes(said: Mapping[str, Any], part: str) -> tuple[str, ...]:
    named = said.get(part) or ()
    if isinstance(named, str) or any(one not in ATTRIBUTES for one in named):
        raise PlanError(f"gates, {part}: attributes among {', '.join(ATTRIBUTES)}")
    return tuple(dict.fromkeys(str(one) for one in named))
