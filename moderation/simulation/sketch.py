"""What moving one category's cuts would do, answered without looking at an image again: counts of calibrated scores, by
what the other categories make of each image.

A sketch is exact for one category's cuts with at most three decimals, the others' as in its plan. Where several
categories are moved at once, their effects are added up; the sum is wrong by at most the images that more than one of
them touches, which is stated as `slack` by whoever adds (static/js/bands.js).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from moderation.plans import Plan
from moderation.simulation.columns import SILENT, above, decimals, spoken
from moderation.simulation.history import History
from moderation.simulation.sweep import APPROVE, BLOCK, QUARANTINE, REVIEW, UNSEEN, Sweep, rules_of, swept

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moderation.simulation.columns import Flags, Reals

BINS: Final = 1000
RESTS: Final = ("approve", "review", "block")


@dataclass(frozen=True, slots=True)
class Sketch:
    """Of `images` images under one plan: `table[c, r, b]` counts those whose score in category c lies in bin b, and of
    which the other categories make RESTS[r]; bin b holds scores from b/BINS, the last one 1 alone. `silent[c, r]` have
    no score there. `fixed` by action: held by a known image, a rule or a term, whatever the cuts.
    """

    categories: tuple[str, ...]
    table: NDArray[np.int64]
    silent: NDArray[np.int64]
    fixed: tuple[int, int, int]
    images: int

    def totals(self, category: str, approve: float, block: float | None) -> tuple[int, int, int]:
        """How many images machines approve, people see, and machines block, with these cuts of one category."""
        index = self.categories.index(category)
        table, silent = self.table[index], self.silent[index]
        first = edge(approve)
        last = BINS + 1 if block is None else edge(block)
        blocked = int(table[BLOCK].sum() + table[:BLOCK, last:].sum() + silent[BLOCK])
        approved = int(table[APPROVE, : min(first, last)].sum() + silent[APPROVE])
        people = int(table.sum() + silent.sum()) - blocked - approved
        return approved + self.fixed[0], people + self.fixed[1], blocked + self.fixed[2]

    def scored(self, category: str) -> int:
        """How many images have a score in it that cuts can act on."""
        return int(self.table[self.categories.index(category)].sum())

    def as_json(self, category: str) -> dict[str, Any]:
        index = self.categories.index(category)
        return {
            "category": category,
            "bins": BINS,
            "images": self.images,
            "table": dict(zip(RESTS, self.table[index].tolist(), strict=True)),
            "silent": dict(zip(RESTS, self.silent[index].tolist(), strict=True)),
            "fixed": dict(zip(RESTS, self.fixed, strict=True)),
        }


def edge(cut: float) -> int:
    """The first bin of which all scores reach the cut; exact for three decimals, else wrong by one bin's images."""
    return round(cut * BINS)


def sketch(history: History, plan: Plan) -> Sketch:
    """One pass over the columns. Raises KeyError where the plan pins what has no voice."""
    heard = [history.voices[ref] for ref in plan.classifiers]
    scores = spoken(heard)
    found = swept(history.voices, plan, len(history))
    judged = found.actions != UNSEEN
    fixed = judged & apart(history, plan)
    free = judged & ~fixed
    names = tuple(code for code in sorted(plan.bands) if code in found.zones)
    reviews, blocks = tallies(found, len(history))
    table = np.zeros((len(names), 3, BINS + 1), np.int64)
    silent = np.zeros((len(names), 3), np.int64)
    for index, code in enumerate(names):
        zone = found.zones[code]
        rest = np.where(blocks > (zone == BLOCK), BLOCK, np.where(reviews > (zone == REVIEW), REVIEW, APPROVE))
        scored = free & (scores[code] != SILENT)
        bins = binned(plan, code, scores)
        counts = np.bincount(rest[scored] * (BINS + 1) + bins[scored], minlength=3 * (BINS + 1))
        table[index] = counts.reshape(3, BINS + 1)
        silent[index] = np.bincount(rest[free & ~scored], minlength=3)
    actions = np.bincount(found.actions[fixed].astype(np.intp), minlength=4).tolist()
    settled = (actions[APPROVE], actions[REVIEW], actions[BLOCK] + actions[QUARANTINE])
    return Sketch(names, table, silent, settled, int(np.count_nonzero(judged)))


def apart(history: History, plan: Plan) -> Flags:
    """Images of which a signal showed something: their route may not follow their scores."""
    odd = np.zeros(len(history), np.bool_)
    for ref in plan.classifiers:
        odd[list(history.voices[ref].said)] = True
    return odd


def tallies(found: Sweep, images: int) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """In how many categories each image lies between the cuts, and in how many above."""
    reviews, blocks = np.zeros(images, np.int8), np.zeros(images, np.int8)
    for zone in found.zones.values():
        reviews += zone == REVIEW
        blocks += zone == BLOCK
    return reviews, blocks


def binned(plan: Plan, code: str, scores: dict[str, Reals]) -> NDArray[np.intp]:
    """The bin of each score; a score whose cuts are lower by a step lies a step higher, which comes to the same."""
    millionths = np.rint(decimals(np.maximum(scores[code], 0)) * 1e6)
    steps = np.zeros(len(millionths))
    for rule in rules_of(plan, code):
        if rule.when in scores:
            steps[above(scores[rule.when], rule.above)] = round(rule.by * 1e6)
    bins: NDArray[np.intp] = np.minimum(np.floor((millionths + steps) / (1e6 / BINS)), BINS).astype(np.intp)
    return bins
