"""Thresholds picked by a test, not by eye.

Learn-then-Test (Angelopoulos, Bates, Candès, Jordan & Lei 2021, arXiv 2110.01052) with fixed-sequence testing: the
thresholds of a ladder are tested from the strictest to the loosest, each at the full δ, and the first that fails ends
it. With probability 1 − δ none of those that passed breaks the limit: it could only if the first bad one on the ladder
had passed, and that happens with probability δ at most.

The ladder never sees a label. Its rungs are ranks of the scores, evenly spaced from a first rung that n, α, δ and the
weights fix to the whole sample. Below a threshold taken from the scores the audits are a sample of the traffic below
it, so each rung's test is exact; and since the share of violations does not fall as a calibrated score rises, a rung
just past the limit holds no fewer violations than the exact test allows for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from moderation.certificates.betting import Bets
from moderation.certificates.tails import binomial_tail, sample_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Risk = Literal["FOR", "FDR"]
RUNGS: Final = 500


@dataclass(frozen=True, slots=True)
class Certificate:
    """Of what lies on the safe side of `threshold` (score <= it for FOR, >= it for FDR), at most `alpha` is wrong, with
    confidence 1 − `delta`: `n` audits lie there, `k` of them wrong, and so few or fewer would turn up with probability
    `p_value` if the limit were broken. `share` of the traffic lies there.

    Where nothing can be certified `threshold` is None and `share` 0: all goes to people. n, k and p are then those of
    the strictest threshold that was tried (of all audits where there were too few for any).
    `method`: the exact binomial test, or betting for weighted audits. `rate`: the (weighted) share that was wrong.
    """

    risk: Risk
    alpha: float
    delta: float
    threshold: float | None
    n: int
    k: int
    p_value: float
    share: float
    audits: int
    method: Literal["binomial", "betting"]
    rate: float


@dataclass(frozen=True, slots=True)
class Sample:
    """Audits from the safest to the least safe score: the last place of each score, and sums up to it."""

    scores: Floats
    wrong: NDArray[np.bool_]
    weights: Floats | None

    @classmethod
    def of(cls, scores: Any, violating: Any, weights: Any, risk: Risk) -> Sample:
        """Raises ValueError where the three do not fit each other, or a number is none."""
        values = np.asarray(scores, dtype=np.float64).ravel()
        wrong = np.asarray(violating).ravel()
        if wrong.shape != values.shape or not np.isin(wrong, (0, 1)).all():
            raise ValueError("violating says 0 or 1 of every score")
        if not np.isfinite(values).all():
            raise ValueError("scores are finite numbers")
        w = None if weights is None else np.asarray(weights, dtype=np.float64).ravel()
        if w is not None and (w.shape != values.shape or not (np.isfinite(w) & (w > 0)).all()):
            raise ValueError("weights are positive numbers, one a score: the inverse of the chance to be audited")
        order = np.argsort(values if risk == "FOR" else -values, kind="stable")
        wrong = wrong.astype(bool) if risk == "FOR" else ~wrong.astype(bool)
        equal = w is None or w.size == 0 or w.min() == w.max()
        return cls(values[order], wrong[order], None if w is None or equal else w[order])

    def rungs(self, first: int) -> NDArray[np.int64]:
        """How many audits lie up to each threshold of the ladder, ties of score included, ascending."""
        n = len(self.scores)
        if first > n:
            return np.zeros(0, dtype=np.int64)
        ranks = np.unique(np.linspace(first, n, RUNGS).astype(np.int64))
        ends = np.flatnonzero(np.diff(self.scores, append=np.nan) != 0) + 1  # where a score is followed by another
        return np.unique(ends[np.searchsorted(ends, ranks)])


def certify(scores: Any, violating: Any, *, risk: Risk, alpha: float, delta: float, weights: Any = None) -> Certificate:
    """The loosest threshold whose risk is at most `alpha` with confidence 1 − `delta`, by the rule above.

    `scores` and `violating` are audits of all traffic, in any order. FOR is the share violating among score <=
    threshold, FDR the share not violating among score >= threshold. Audits drawn with equal chance are tested by the
    exact binomial test, P(Bin(n, α) ≤ k) ≤ δ. `weights` are the inverse of each audit's chance; where they differ, by
    betting (`moderation.certificates.betting`), for which the largest of them is taken for the bound 1/π_min.
    Raises ValueError for numbers that cannot be.
    """
    if risk not in {"FOR", "FDR"}:
        raise ValueError("risk is FOR or FDR")
    if not (0 < alpha < 1 and 0 < delta < 1):
        raise ValueError("alpha and delta lie between 0 and 1")
    sample = Sample.of(scores, violating, weights, risk)
    if sample.weights is None:
        return walked(sample, exact_test(sample, alpha), risk, alpha, delta, least=sample_size(alpha, delta))
    bets = Bets.on(sample.wrong, sample.weights, alpha)
    return walked(sample, bets.p_value, risk, alpha, delta, least=bets.least(delta))


def exact_test(sample: Sample, alpha: float) -> Callable[[int], float]:
    counts = np.cumsum(sample.wrong)
    return lambda rank: binomial_tail(int(counts[rank - 1]), rank, alpha) if rank else 1.0


def walked(
    sample: Sample, test: Callable[[int], float], risk: Risk, alpha: float, delta: float, *, least: int
) -> Certificate:
    """Along the ladder until a rung fails. It begins at a third of the audits, but with no fewer than the `least` that
    pass without a violation, and no more than three times those: stricter thresholds are easily stopped by one unlucky
    violation, and hold little traffic.
    """
    passed, p_value = 0, 1.0
    tried: tuple[int, float] | None = None
    for rank in sample.rungs(max(least, min(len(sample.scores) // 3, 3 * least))).tolist():
        p = test(rank)
        tried = tried or (rank, p)
        if p > delta:
            break
        passed, p_value = rank, p
    rank = passed or (tried[0] if tried else len(sample.scores))
    if not passed:
        p_value = tried[1] if tried else test(rank)
    w = sample.weights
    total = 1.0 if w is None else float(w.sum())
    inside = float(passed) / max(len(sample.scores), 1) if w is None else float(w[:passed].sum()) / total
    k = int(sample.wrong[:rank].sum())
    rate = (k / rank if rank else 0.0) if w is None else float(w[:rank][sample.wrong[:rank]].sum() / w[:rank].sum())
    threshold = float(sample.scores[passed - 1]) if passed else None
    method: Literal["binomial", "betting"] = "binomial" if w is None else "betting"
    return Certificate(risk, alpha, delta, threshold, rank, k, p_value, inside, len(sample.scores), method, rate)
