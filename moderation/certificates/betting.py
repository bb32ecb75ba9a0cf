"""A test for audits drawn with unequal chances: bets that win in the long run only if the limit is kept."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Of the largest stake that cannot ruin; most weight is on the boldest, which few violations, or none, repay.
STAKES: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98)
SHARES: Final = (0.07,) * 9 + (0.37,)


@dataclass(frozen=True, slots=True)
class Bets:
    """For audits i with loss L_i in {0, 1} and weight w_i = 1/π_i ≤ W, the risk breaks α where E[w(L − α)] > 0. Each
    stake λ in (0, 1/(1−α)) then grows K = Π(1 + λ (w_i/W)(α − L_i)) to at most 1 in expectation, and so does their
    mixture; by Markov's inequality 1/K is a p-value (Waudby-Smith & Ramdas 2024, Estimating means of bounded random
    variables by betting, JRSS B 86; mixtures after Cover 1991). It does not depend on the order of the audits.

    `won` is ln K of each stake up to each audit if none of them violated, which the weights alone decide; `costs`, what
    the violations so far take from it, and `lost`, how many there are.
    """

    won: Floats
    costs: Floats
    lost: NDArray[np.int64]

    @classmethod
    def on(cls, wrong: NDArray[np.bool_], weights: Floats, alpha: float) -> Self:
        """Of audits in the order of their scores."""
        relative = weights / weights.max()
        violations = relative[wrong]
        won = np.empty((len(STAKES), len(weights)))
        costs = np.zeros((len(STAKES), len(violations) + 1))
        for at, stake in enumerate(STAKES):
            gain = stake / (1 - alpha) * alpha
            np.cumsum(np.log1p(gain * relative), out=won[at])
            np.cumsum(np.log1p(-stake * violations) - np.log1p(gain * violations), out=costs[at, 1:])
        return cls(won, costs, np.cumsum(wrong))

    def p_value(self, rank: int) -> float:
        """Of the first `rank` audits."""
        if not rank:
            return 1.0
        return p_of(self.won[:, rank - 1] + self.costs[:, self.lost[rank - 1]])

    def least(self, delta: float) -> int:
        """The fewest audits that pass if none of them violates; one more than there are, where all do not."""
        ranks = range(self.won.shape[1])
        return bisect_left(ranks, True, key=lambda at: p_of(self.won[:, at]) <= delta) + 1


def p_of(logs: Floats) -> float:
    """1/K of the mixture of the stakes, at most 1."""
    highest = float(logs.max())
    return math.exp(min(0.0, -highest - math.log(float(np.array(SHARES) @ np.exp(logs - highest)))))
