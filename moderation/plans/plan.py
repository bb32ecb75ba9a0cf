"""The plan itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from moderation.plans.bands import Band, PlanError, Tightening, is_probability, parsed_bands
from moderation.plans.body import (
    ON_ERROR,
    parsed_audit_rates,
    parsed_consensus,
    parsed_copies,
    parsed_privacy_budget,
    parsed_queues,
    parsed_shadows,
    parsed_tightening,
)
from moderation.plans.gates import Gates, parsed_gates
from moderation.plans.overlays import OTHER, UNKNOWN, Overlay, Served, cuts_at, parsed_overlays


@dataclass(frozen=True, slots=True)
class Plan:
    """What triage follows. `classifiers` are pinned by name@version; every one of them must have spoken. `shadows` look
    beside them and have no say. `copies`: whether what people decided of a near-duplicate settles the next one, of the
    same client or of any.

    `consensus`: how many people must say the same of an image whose likely category, or severity ("S3"), is named.
    `audit_rates` and `queues` hold for what a category stands out in; else the plan's one rate, and the queues' own
    conditions.

    `on_error`: an image that one of them failed on goes to a person (review), or waits until it answers (wait).
    `privacy_budget`: the largest epsilon at which what learns from this house's labels may be pinned; None: no bound.
    `gates`: what a version must show before it is promoted; triage never asks.

    `overlays` change bands by where and to whom an image is shown; `whose` names them in what `at` returns.
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
    audit_rates: Mapping[str, float] = field(default_factory=dict)
    queues: Mapping[str, str] = field(default_factory=dict)
    overlays: tuple[Overlay, ...] = ()
    whose: Mapping[str, str] = field(default_factory=dict)
    privacy_budget: float | None = None
    gates: Gates | None = None
    _places: dict[tuple[str, str, str, frozenset[str]], Plan] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )

    def needed(self, category: str, severity: int) -> int:
        """How many people must say the same of such an image; the more careful of the two rules holds."""
        return max(self.consensus.get(category, 1), self.consensus.get(f"S{severity}", 1))

    def rate(self, category: str) -> float:
        """The share of what machines decide where this category stands out that people look at all the same."""
        return self.audit_rates.get(category, self.audit_rate)

    def at(self, served: Served, territory: str) -> Plan:
        """The plan as it holds in one territory ("": not known which). Equal cases give the same object."""
        surfaces = {surface for one in self.overlays for surface in one.surfaces}
        territories = {place for one in self.overlays for place in one.territories}
        surface = served.surface if served.surface in surfaces | {UNKNOWN} else OTHER
        place = territory if territory in territories | {UNKNOWN} else OTHER
        case = (place, served.audience, surface, served.verified)
        if case not in self._places:
            cuts = cuts_at(self.bands, self.overlays, replace(served, surface=surface), place)
            self._places[case] = replace(self, bands=cuts.bands, whose=cuts.whose, overlays=())
        return self._places[case]

    @classmethod
    def from_body(cls, body: Mapping[str, Any], *, number: int) -> Self:
        """Parse and check a stored plan. Raises PlanError."""
        bands = parsed_bands(body.get("bands") or {})
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
        return cls(
            number,
            bands,
            refs,
            float(rate),
            tuple(parsed_tightening(each, bands) for each in body.get("tightening") or ()),
            on_error,
            parsed_shadows(body, refs),
            parsed_copies(body),
            parsed_consensus(body, bands),
            parsed_audit_rates(body, bands),
            parsed_queues(body, bands),
            parsed_overlays(body.get("overlays") or [], bands),
            privacy_budget=parsed_privacy_budget(body),
            gates=parsed_gates(body.get("gates")),
        )
