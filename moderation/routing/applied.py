"""Which bands held for an image that was routed: the plan's own, or those of an overlay, lowered where something said
of the image asked for that. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moderation.plans import UNKNOWN, Cuts, Plan, Served
from moderation.routing.deciding import STRICTNESS, steps_of, tightened, weigh
from moderation.routing.words import Evidence


def applied(
    plan: Plan, served: Served, said: Sequence[Evidence], by_territory: Mapping[str, Mapping[str, Any]]
) -> Cuts:
    """The bands that decided, and the overlay that each is of where it is not the plan's own. Of several territories
    they are those of the one with the strictest route, which is the image's. `by_territory` as it is stored.
    """
    here = plan.at(served, deciding_place(served, by_territory)) if plan.overlays else plan
    _doubts, highest = weigh(said, here)
    return Cuts(tightened(here, steps_of(said, here, highest)), here.whose)


def deciding_place(served: Served, by_territory: Mapping[str, Mapping[str, Any]]) -> str:
    """Of equally strict ones the first by name, as `route` has it. Where all were treated alike, so is the first."""
    if not by_territory:
        return min(served.territories, default=UNKNOWN)
    return max(sorted(by_territory), key=lambda place: STRICTNESS[by_territory[place]["route"]])
