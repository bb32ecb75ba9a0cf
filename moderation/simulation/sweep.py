"""Routing by columns: what `moderation.routing.route` says of each of a million images, in a fraction of the time.

It knows no more than bands and conditional tightening. Every image of which a signal showed something (a demand, a
rule, a tightening of its own), or of which a score is out of range or in a category without a band, goes through
`route` itself. A property test holds both equal on random plans and findings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from moderation.plans import Band, Plan, Tightening
from moderation.routing import Action, Context, Zone, route
from moderation.simulation.columns import SILENT, Voice, above, at_least, decimals, spoken

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moderation.simulation.columns import Flags, Reals

    Codes = NDArray[np.int8]

ACTIONS: Final[tuple[Action, ...]] = ("approve", "review", "block", "quarantine")
ZONES: Final[tuple[Zone, ...]] = ("approve", "review", "block")
APPROVE, REVIEW, BLOCK, QUARANTINE = range(4)
UNSEEN: Final = -1
"""In place of an action: a pinned version has nothing stored for the image. In place of a zone: nobody scored it."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """Where N images go: `actions[N]` index ACTIONS, `zones[category][N]` ZONES, `categories[N]` the `names`; UNSEEN
    where there is none. `by_hand` of them went through `route` one by one.
    """

    actions: Codes
    zones: Mapping[str, Codes]
    categories: NDArray[np.int16]
    names: tuple[str, ...]
    by_hand: int = 0

    def category(self, row: int) -> str:
        index = int(self.categories[row])
        return self.names[index] if index >= 0 else ""

    def zoned(self, row: int) -> dict[str, Zone]:
        """The zone of each category that somebody scored."""
        return {code: ZONES[column[row]] for code, column in self.zones.items() if column[row] >= 0}

    def action(self, row: int) -> Action | None:
        index = int(self.actions[row])
        return ACTIONS[index] if index >= 0 else None


def swept(
    voices: Mapping[str, Voice], plan: Plan | None, images: int, *, over: tuple[Plan, Sweep] | None = None
) -> Sweep:
    """Where each of the images goes under this plan, as `route` says with no context; from no plan, all go to people.

    `over`: another plan's sweep over the same images, whose columns are shared where both plans say the same.
    """
    if plan is None:
        return Sweep(np.full(images, REVIEW, np.int8), {}, np.full(images, UNSEEN, np.int16), ())
    heard = [voices[ref] for ref in plan.classifiers if ref in voices]
    if len(heard) < len(plan.classifiers):
        return Sweep(np.full(images, UNSEEN, np.int8), {}, np.full(images, UNSEEN, np.int16), ())
    seen = np.logical_and.reduce([voice.spoke for voice in heard])
    odd = np.flatnonzero(apart(heard, plan) & seen)
    known = shared(plan, *over) if over and not len(odd) else {}
    found = Sorting(plan, spoken(heard), images).sweep(known)
    if not seen.all():
        found.actions[~seen] = UNSEEN
        found.categories[~seen] = UNSEEN
        for code in found.zones.keys() - known.keys():
            found.zones[code][~seen] = UNSEEN
    return routed_apart(found, heard, plan, odd)


def shared(plan: Plan, other: Plan, swept: Sweep) -> Mapping[str, Codes]:
    """The zones that the other plan has already found, of categories on which both say the same. Images that went
    through `route` stand in them as both plans have them only where nothing else differs.
    """
    if plan.classifiers != other.classifiers or swept.by_hand:
        return {}
    return {
        code: column
        for code, column in swept.zones.items()
        if plan.bands.get(code) == other.bands[code] and rules_of(plan, code) == rules_of(other, code)
    }


@dataclass(slots=True)
class Sorting:
    """The columns sorted into the plan's bands."""

    plan: Plan
    scores: Mapping[str, Reals]
    images: int

    def sweep(self, known: Mapping[str, Codes]) -> Sweep:
        names = tuple(sorted(set(self.plan.bands) & set(self.scores)))
        zones = {code: known[code] if code in known else self.zoned(code) for code in names}
        actions = np.zeros(self.images, np.int8)
        for column in zones.values():
            np.maximum(actions, column, out=actions)
        categories = np.full(self.images, UNSEEN, np.int16)
        depth = np.full(self.images, -np.inf)
        for index, code in enumerate(names):  # in order of name, so that of equals the first stays
            rows = np.flatnonzero((zones[code] == actions) & (actions > APPROVE))
            deep = self.depths(code, rows)
            deeper = deep > depth[rows]
            depth[rows[deeper]] = deep[deeper]
            categories[rows[deeper]] = index
        return Sweep(actions, zones, categories, names)

    def steps(self, code: str) -> list[tuple[Flags, Band]]:
        """Where this category's cuts are lower, and how they lie then; what comes later holds over what came before."""
        band = self.plan.bands[code]
        heard = [one for one in rules_of(self.plan, code) if one.when in self.scores]
        return [(above(self.scores[one.when], one.above), band.tightened(one.by)) for one in heard]

    def zoned(self, code: str) -> Codes:
        column = self.scores[code]
        zones = banded(column, self.plan.bands[code])
        for where, band in self.steps(code):
            rows = np.flatnonzero(where)
            zones[rows] = banded(column[rows], band)
        zones[column == SILENT] = UNSEEN
        return zones

    def depths(self, code: str, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """`moderation.routing.nearness` of these rows, which lie above their approve cut."""
        approve = np.full(len(rows), self.plan.bands[code].approve)
        for where, band in self.steps(code):
            approve[where[rows]] = band.approve
        span = 1 - approve
        span[span == 0] = 1
        nearness: NDArray[np.float64] = (decimals(self.scores[code][rows]) - approve) / span
        return nearness


def rules_of(plan: Plan, code: str) -> list[Tightening]:
    """What lowers this category's cuts, by how much, the least first; a step of 0 is none."""
    return sorted((one for one in plan.tightening if one.category == code and one.by > 0), key=lambda one: one.by)


def banded(column: Reals, band: Band) -> Codes:
    zones = at_least(column, band.approve).astype(np.int8)
    if band.block is not None:
        zones[at_least(column, band.block)] = BLOCK
    return zones


def routed_apart(found: Sweep, heard: Sequence[Voice], plan: Plan, rows: NDArray[np.intp]) -> Sweep:
    """The same with these images as `route` itself has them."""
    if not len(rows):
        return found
    names = list(found.names)
    zones = dict(found.zones)
    for row in rows.tolist():
        one = route([voice.evidence(row) for voice in heard], plan, Context())
        found.actions[row] = ACTIONS.index(one.action)
        for code, column in zones.items():
            column[row] = ZONES.index(one.zones[code]) if code in one.zones else UNSEEN
        if one.category and one.category not in names:
            names.append(one.category)
        found.categories[row] = names.index(one.category) if one.category else UNSEEN
    return replace(found, names=tuple(names), by_hand=len(rows))


def apart(heard: Sequence[Voice], plan: Plan) -> Flags:
    """The images that columns cannot express."""
    odd = np.zeros(len(heard[0].spoke), np.bool_)
    for voice in heard:
        odd[list(voice.said)] = True
        for code, column in zip(voice.categories, voice.scores, strict=True):
            if code not in plan.bands:
                odd |= column != SILENT
            elif column.size and not (column.min() >= 0 and column.max() <= 1):  # a NaN fails both
                odd |= ~(((column >= 0) & (column <= 1)) | (column == SILENT))
    return odd
