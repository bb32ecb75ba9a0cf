"""Reading the parts of a plan's stored body that are not bands. Each raises PlanError."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from moderation.plans.bands import Band, PlanError, Tightening, is_probability

ON_ERROR: Final = ("review", "wait")
MOST_SHADOWS: Final = 4
COPIES_ACROSS: Final = "settle_across_clients"
COPIES: Final = ("off", "settle", COPIES_ACROSS)
MOST_VOTES: Final = 5
SEVERITIES: Final = ("S0", "S1", "S2", "S3", "S4")


def parsed_consensus(body: Mapping[str, Any], bands: Mapping[str, Band]) -> Mapping[str, int]:
    rules = body.get("consensus") or {}
    if not isinstance(rules, Mapping):
        raise PlanError("consensus says, for a category or a severity, how many people must say the same")
    for what, votes in rules.items():
        if what not in bands and what not in SEVERITIES:
            raise PlanError(
                f"consensus names {what!r}; it is a category with a band, or one of {', '.join(SEVERITIES)}"
            )
        if not isinstance(votes, int) or isinstance(votes, bool) or not 1 <= votes <= MOST_VOTES:
            raise PlanError(f"consensus of {what}: a whole number of people from 1 to {MOST_VOTES}")
    return dict(rules)


def parsed_copies(body: Mapping[str, Any]) -> str:
    copies = body.get("copies", "off")
    if copies not in COPIES:
        raise PlanError(f"copies is one of {', '.join(COPIES)}, not {copies!r}")
    return str(copies)


def parsed_privacy_budget(body: Mapping[str, Any]) -> float | None:
    budget = body.get("privacy_budget")
    if budget is None:
        return None
    if isinstance(budget, bool) or not isinstance(budget, int | float) or not 0 < budget < float("inf"):
        raise PlanError("privacy_budget is the largest epsilon of differential privacy, a number above 0")
    return float(budget)


def parsed_shadows(body: Mapping[str, Any], refs: Sequence[str]) -> tuple[str, ...]:
    shadows = tuple(dict.fromkeys(body.get("shadows") or ()))
    if both := [ref for ref in shadows if ref in refs]:
        raise PlanError(f"In service and in the shadow at once: {', '.join(both)}. A version is one or the other.")
    if len(shadows) > MOST_SHADOWS:
        raise PlanError(f"At most {MOST_SHADOWS} versions in the shadow: each of them costs time on every image.")
    return shadows


def parsed_tightening(each: Mapping[str, Any], bands: Mapping[str, Band]) -> Tightening:
    when, category = str(each.get("when")), str(each.get("category"))
    above, by = each.get("above"), each.get("by")
    if when not in bands or category not in bands:
        raise PlanError(f"Tightening names {when!r} and {category!r}; both must have a band")
    if not is_probability(above) or not is_probability(by):
        raise PlanError(f"Tightening {category} when {when}: above and by are numbers between 0 and 1")
    return Tightening(when, float(above or 0), category, float(by or 0))


def parsed_audit_rates(body: Mapping[str, Any], bands: Mapping[str, Band]) -> Mapping[str, float]:
    rates = by_category(body, "audit_rates", bands)
    if odd := sorted(category for category, rate in rates.items() if not is_probability(rate)):
        raise PlanError(f"{odd[0]}: the audit rate is a probability between 0 and 1")
    return {category: float(rate) for category, rate in rates.items()}


def parsed_queues(body: Mapping[str, Any], bands: Mapping[str, Band]) -> Mapping[str, str]:
    queues = by_category(body, "queues", bands)
    if odd := sorted(category for category, slug in queues.items() if not isinstance(slug, str) or not slug):
        raise PlanError(f"{odd[0]}: name the queue by its short name")
    return queues


def by_category(body: Mapping[str, Any], part: str, bands: Mapping[str, Band]) -> dict[str, Any]:
    said = body.get(part) or {}
    if not isinstance(said, Mapping):
        raise PlanError(f"{part} says something of each category it names")
    if odd := sorted(set(said) - set(bands)):
        raise PlanError(f"{part} names {odd[0]}, which has no band")
    return dict(said)
