"""What the runs of one strategy come to, over all seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from config.loop.measuring import DRAWS, Held, interval
from config.loop.terms import Terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """S seeds, R rounds: `auc` [S, R], `loads` [S, R] for each α, and `draws` [B, R], the mean AUC when both the seeds
    and the pictures each held back are drawn anew.
    """

    strategy: str
    seeds: tuple[int, ...]
    auc: Floats
    loads: Mapping[float, Floats]
    draws: Floats

    @classmethod
    def of(cls, runs: Sequence[Mapping[str, Any]], terms: Terms) -> Outcome:
        """Of the runs of one strategy, by seed."""
        held = [Held.from_json(run["held_back"]) for run in runs]
        # The same seed draws the same pictures whatever the strategy, so strategies can be compared draw by draw.
        draws = np.array(
            [one.resampled(np.random.default_rng(run["seed"])) for one, run in zip(held, runs, strict=True)]
        )
        loads = {alpha: np.array([one.loads(alpha=alpha, delta=terms.delta) for one in held]) for alpha in terms.alphas}
        seeds = tuple(int(run["seed"]) for run in runs)
        aucs = np.array([one.aucs() for one in held])
        picked = drawn_anew(len(seeds))
        means = draws[picked, np.arange(len(picked))[:, None]].mean(axis=1)
        return cls(str(runs[0]["strategy"]), seeds, aucs, loads, means)

    @property
    def rounds(self) -> int:
        return int(self.auc.shape[1])

    def intervals(self) -> list[tuple[float, float]]:
        """Of the mean AUC, a round."""
        return [interval(self.draws[:, r]) for r in range(self.rounds)]

    def change(self, start: int, end: int) -> tuple[float, tuple[float, float]]:
        """Of the mean AUC between two rounds, counted from 0, and its interval, the pairs kept."""
        change = float(self.auc[:, end].mean() - self.auc[:, start].mean())
        return change, interval(self.draws[:, end] - self.draws[:, start])

    def fall(self, alpha: float) -> float:
        """By which share the mean load of the last round is less than that of the first."""
        means = self.loads[alpha].mean(axis=0)
        return float(1 - means[-1] / means[0]) if means[0] else 0.0

    def falls(self, alpha: float) -> list[float]:
        """The same, seed by seed."""
        loads = self.loads[alpha]
        return [float(1 - row[-1] / row[0]) if row[0] else 0.0 for row in loads]

    def fall_interval(self, alpha: float) -> tuple[float, float]:
        """Of `fall`, when the seeds are drawn anew; not the pictures, for audits drawn twice certify nothing."""
        means = self.loads[alpha][drawn_anew(len(self.seeds))].mean(axis=1)
        first = np.where(means[:, 0] > 0, means[:, 0], 1.0)
        return interval(1 - means[:, -1] / first)


def drawn_anew(seeds: int) -> NDArray[np.intp]:
    """[DRAWS, S]: seeds drawn with replacement, the same draws for every strategy, so that pairs are kept."""
    return np.random.default_rng(0).integers(0, seeds, (DRAWS, seeds))


def lead(one: Outcome, other: Outcome) -> tuple[float, tuple[float, float]]:
    """By how much the AUC of `one` is above that of `other`, as the mean of all rounds after the first, which both
    begin alike; and its interval, pictures and seeds paired.
    """
    found = float((one.auc[:, 1:] - other.auc[:, 1:]).mean())
    return found, interval((one.draws[:, 1:] - other.draws[:, 1:]).mean(axis=1))
