"""The plan that triage follows, parsed and checked. No Django, no clock, no I/O."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, Self

Zone = Literal["approve", "review", "block"]
ON_ERROR: Final = ("review", "wait")
MOST_SHADOWS: Final = 4
COPIES_ACROSS: Final = "settle_across_clients"
COPIES: Final = ("off", "settle", COPIES_ACROSS)
MOST_VOTES: Final = 5
SEVERITIES: Final = ("S0", "S1", "S2", "S3", "S4")


class PlanError(ValueError):
    """The plan cannot be followed; the message names the category and what to mend."""


@dataclass(frozen=True, slots=True)
class Band:
    """Approve below one cut, block from the other; between them a person looks. `block` None: never block unseen."""

    approve: float
    block: float | None = None

    def zone(self, probability: float) -> Zone:
        if self.block is not None and probability >= self.block:
            return "block"
        return "approve" if probability < self.approve else "review"

    def tightened(self, by: float) -> Self:
        """Both cuts lower by `by`, never below 0."""
        return replace(
            self,
            approve=max(0.0, min(self.approve, round(self.approve - by, 6))),
            block=None if self.block is None else max(0.0, min(self.block, round(self.block - by, 6))),
        )


@dataclass(frozen=True, slots=True)
class Tightening:
    """Where `when` scores above `above`, the cuts of `category` are lower by `by`: care in one place asks for care in
    another.
    """

    when: str
    above: float
    category: str
    by: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What triage follows. `classifiers` are pinned by name@version; every one of them must have spoken. `shadows` look
    beside them and have no say. `copies`: whether what people decided of a near-duplicate settles the next one, of the
    same client or of any.

    `consensus`: how many people must say the same of an image whose likely category, or severity ("S3"), is named.

    `on_error`: an image that one of them failed on goes to a person (review), or waits until it answers (wait).
    """

    number: int
    bands: Mapping[str, Band]
    classifiers: tuple[str, ...]
    audit_rate: float = 0.0
    tightening: tuple[Tightening, ...] = ()
    on_error: Literal["review", "wait"] = "review"
    shadows: tuple[str, ...] = ()
    copies: str = "off"
    consensus: Mapping[str, int] = field(default_factory=dict)

    def needed(self, category: str, severity: int) -> int:
        """How many people must say the same of such an image; the more careful of the two rules holds."""
        return max(self.consensus.get(category, 1), self.consensus.get(f"S{severity}", 1))

    @classmethod
    def from_body(cls, body: Mapping[str, Any], *, number: int) -> Self:
        """Parse and check a stored plan. Raises PlanError."""
        bands = {}
        for category, cuts in dict(body.get("bands") or {}).items():
            approve, block = cuts.get("approve"), cuts.get("block")
            if not is_probability(approve) or not (block is None or is_probability(block)):
                raise PlanError(f"{category}: the cuts are probabilities between 0 and 1")
            if block is not None and block < approve:
                raise PlanError(f"{category}: the block cut {block} lies below the approve cut {approve}")
            bands[category] = Band(float(approve), None if block is None else float(block))
        if not bands:
            raise PlanError("A plan needs a band for at least one category")
        refs = tuple(body.get("classifiers") or ())
        if not refs:
            raise PlanError("A plan pins at least one classifier as name@version")
        rate = body.get("audit_rate", 0.0)
        if not is_probability(rate):
            raise PlanError("The audit rate is a probability between 0 and 1")
        on_error = body.get("on_error", "review")
        if on_error not in ON_ERROR:
            raise PlanError(f"on_error is one of {', '.join(ON_ERROR)}, not {on_error!r}")
        tightening = tuple(parsed_tightening(each, bands) for each in body.get("tightening") or ())
        return cls(
            number,
            bands,
            refs,
            float(rate),
            tightening,
            on_error,
            parsed_shadows(body, refs),
            parsed_copies(body),
            parsed_consensus(body, bands),
        )


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


def is_probability(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value <= 1
