"""Overlays: other cuts for some territories, audiences, surfaces or verified contexts. Where it is not known whether an
overlay holds, the strictest of what may hold does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self

from moderation.plans.bands import Band, PlanError, parsed_bands, strictest

CONTEXTS: Final = ("art", "education", "medical", "news")
UNKNOWN: Final = ""
OTHER: Final = "*"  # declared, and named by no overlay
MOST: Final = 100
FITS = Literal["no", "perhaps", "yes"]


@dataclass(frozen=True, slots=True)
class Served:
    """To whom an image is shown, as declared: no territory or surface stands for not known. `verified` are the contexts
    that the platform answers for.
    """

    territories: tuple[str, ...] = ()
    audience: str = "general"
    surface: str = UNKNOWN
    verified: frozenset[str] = frozenset()

    @classmethod
    def declared(cls, territories: Sequence[str], audience: str, surface: str, context: Any) -> Self:
        """From a submission's own fields; `context` may be anything that JSON can say."""
        said = context.get("verified") if isinstance(context, Mapping) else None
        verified = [one for one in said if one in CONTEXTS] if isinstance(said, list) else []
        return cls(tuple(territories), audience, surface, frozenset(verified))


@dataclass(frozen=True, slots=True)
class Overlay:
    """Its bands replace the plan's own where all of its conditions hold; an empty condition always does."""

    name: str
    bands: Mapping[str, Band]
    territories: frozenset[str] = frozenset()
    audiences: frozenset[str] = frozenset()
    surfaces: frozenset[str] = frozenset()
    contexts: frozenset[str] = frozenset()

    def fits(self, served: Served, territory: str) -> FITS:
        """Whether it holds for what is served so in this territory."""
        if self.audiences and served.audience not in self.audiences:
            return "no"
        if self.contexts and not self.contexts & served.verified:
            return "no"
        told = ((self.territories, territory), (self.surfaces, served.surface))
        if any(asked and said != UNKNOWN and said not in asked for asked, said in told):
            return "no"
        return "perhaps" if any(asked and said == UNKNOWN for asked, said in told) else "yes"


@dataclass(frozen=True, slots=True)
class Cuts:
    """The bands as they hold somewhere, and the overlay that each comes from where it is not the plan's own."""

    bands: Mapping[str, Band]
    whose: Mapping[str, str] = field(default_factory=dict)


def cuts_at(bands: Mapping[str, Band], overlays: Sequence[Overlay], served: Served, territory: str) -> Cuts:
    """The cuts for what is served so in this territory. Of overlays that hold together, the strictest counts; one that
    only may hold never loosens anything.
    """
    fitting = [(one, one.fits(served, territory)) for one in overlays]
    found, whose = dict(bands), dict[str, str]()
    for category in {category for one, fits in fitting if fits != "no" for category in one.bands}:
        sure = [one.bands[category] for one, fits in fitting if fits == "yes" and category in one.bands]
        perhaps = [one.bands[category] for one, fits in fitting if fits == "perhaps" and category in one.bands]
        band = strictest([*(sure or [bands[category]]), *perhaps])
        if band == bands[category]:
            continue
        found[category] = band
        names = sorted(one.name for one, fits in fitting if fits != "no" and shapes(one, category, band))
        whose[category] = ", ".join(names)
    return Cuts(found, whose)


def shapes(overlay: Overlay, category: str, band: Band) -> bool:
    """Whether one of the band's cuts is this overlay's."""
    own = overlay.bands.get(category)
    return own is not None and (own.approve == band.approve or (own.block is not None and own.block == band.block))


def parsed_overlays(said: object, bands: Mapping[str, Band]) -> tuple[Overlay, ...]:
    """Raises PlanError."""
    if not isinstance(said, list) or len(said) > MOST:
        raise PlanError(f"overlays is a list, of at most {MOST}")
    found = tuple(parsed_overlay(one, bands) for one in said)
    names = [one.name for one in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PlanError(f"Two overlays are called {twice[0]!r}: reasons name them, so give each a name of its own")
    return found


def parsed_overlay(said: object, bands: Mapping[str, Band]) -> Overlay:
    if not isinstance(said, Mapping):
        raise PlanError("An overlay has a name, conditions and bands")
    name = said.get("name")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= 60:
        raise PlanError("An overlay has a name of at most 60 characters")
    own = parsed_bands(said.get("bands") or {})
    if stray := sorted(set(own) - set(bands)):
        raise PlanError(f"Overlay {name}: {', '.join(stray)} has no band in the plan that it could lie over")
    territories, audiences, surfaces, contexts = (
        parsed_condition(name, said, part) for part in ("territories", "audiences", "surfaces", "contexts")
    )
    if not (territories or audiences or surfaces or contexts):
        raise PlanError(f"Overlay {name} has no condition: change the plan's own bands instead")
    if odd := sorted(contexts - set(CONTEXTS)):
        raise PlanError(f"Overlay {name}: {odd[0]!r} is no context; it is one of {', '.join(CONTEXTS)}")
    if odd := sorted(one for one in territories if not (len(one) == 2 and one.isascii() and one.isupper())):
        raise PlanError(f"Overlay {name}: {odd[0]!r} is no territory; use codes of two capital letters")
    return Overlay(name.strip(), own, territories, audiences, surfaces, contexts)


def parsed_condition(name: str, said: Mapping[str, Any], part: str) -> frozenset[str]:
    listed = said.get(part) or []
    if not isinstance(listed, list) or not all(isinstance(one, str) and one for one in listed):
        raise PlanError(f"Overlay {name}: {part} is a list of words")
    return frozenset(listed)
