"""Which of the candidates a strategy names. Choices by score are no lots; only what is drawn at random has a chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
from django.utils.translation import gettext as _

from classifiers import selection
from classifiers.models import ClassifierVersion
from review.models import Strategy
from review.selection import candidates
from review.selection.candidates import Pool
from review.selection.opinions import Opinions

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The lot comes first, among all candidates, so that its chance depends on nothing that scores say.
ORDER: Final = (
    Strategy.RANDOM,
    Strategy.UNCERTAINTY,
    Strategy.DISAGREEMENT,
    Strategy.DIVERSITY,
    Strategy.GENERATORS,
)


@dataclass(frozen=True, slots=True)
class Pick:
    """A row of the pool, and why."""

    row: int
    strategy: Strategy
    score: float | None = None
    probability: float | None = None


@dataclass(slots=True)
class Picking:
    """One draw at work: what is picked so far, and what must be said of it."""

    pool: Pool
    opinions: Opinions
    eyes: ClassifierVersion
    seed: int
    picks: list[Pick] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def run(self, budget: int, mix: Mapping[str, float]) -> None:
        """What a strategy of a mix cannot give, for there is nothing to go by, goes to uncertainty."""
        wanted = selection.shares(budget, mix)
        for strategy in ORDER:
            if count := wanted.get(strategy.value, 0):
                self.pick(strategy, count)
        missing = budget - len(self.picks)
        if missing > 0 and len(mix) > 1:
            self.pick(Strategy.UNCERTAINTY, missing, quietly=True)

    def pick(self, strategy: Strategy, count: int, *, quietly: bool = False) -> None:
        rest = self.rest()
        before = len(self.picks)
        match strategy:
            case Strategy.RANDOM:
                rows, chance = selection.at_random(len(rest), count, seed=self.seed)
                self.picks += [Pick(int(rest[row]), strategy, None, chance) for row in rows]
            case Strategy.UNCERTAINTY:
                self.by_score(strategy, rest, selection.entropy(self.opinions.service[rest]), count)
            case Strategy.DISAGREEMENT:
                self.by_score(strategy, rest, selection.disagreement(self.opinions.members[:, rest]), count)
            case Strategy.DIVERSITY:
                known = candidates.covered(self.eyes, candidates.judged())
                taken = self.pool.vectors[[one.row for one in self.picks]]
                covered = np.concatenate([known, taken]).astype(np.float32)
                rows = selection.k_centre(self.pool.vectors[rest], count, covered=covered)
                self.picks += [Pick(int(rest[row]), strategy) for row in rows]
            case Strategy.GENERATORS:
                makers = [self.pool.makers[row] for row in rest]
                kin = [self.pool.kin[row] for row in rest]
                known_makers = candidates.makers(candidates.judged())
                rows = selection.in_turn(makers, known_makers, count, seed=self.seed, kin=kin)
                self.picks += [Pick(int(rest[row]), strategy) for row in rows]
        found = len(self.picks) - before
        if found < count and not quietly:
            self.notes.append(
                _("“%(strategy)s” named %(found)d of %(count)d images: %(why)s")
                % {"strategy": strategy.label, "found": found, "count": count, "why": why(strategy)}
            )

    def by_score(self, strategy: Strategy, rest: NDArray[np.intp], scores: NDArray[np.float64], count: int) -> None:
        rows = selection.top(scores, count, kin=[self.pool.kin[row] for row in rest])
        self.picks += [Pick(int(rest[row]), strategy, float(scores[row])) for row in rows]

    def rest(self) -> NDArray[np.intp]:
        free = np.ones(len(self.pool), np.bool_)
        free[[one.row for one in self.picks]] = False
        return np.flatnonzero(free)


def why(strategy: Strategy) -> str:
    match strategy:
        case Strategy.DISAGREEMENT:
            return _("there are no more on which two versions differ. Put a candidate in the shadow, or retrain.")
        case Strategy.UNCERTAINTY:
            return _("no version in service scores more of them.")
        case Strategy.DIVERSITY:
            return _("what is left lies on what was judged.")
    return _("there are no more candidates.")
