"""Confident learning for a yes or no: how many labels of each kind are wrong, and which. numpy only.

Northcutt, Jiang, Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70: a label counts
as truly j where its out-of-sample probability of j reaches the mean of those that were given j. That needs no
calibration beyond the level each class has by itself, and no class is drowned by a larger one. Where heads are weak
those means lie close together, and more labels are taken for wrong than are: what is estimated is then a ceiling.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """`counts[i, j]`: labels given i that are confidently j; `estimated[i, j]`: the same scaled so that each row adds
    up to the labels given i; `thresholds[j]`; `confidently` [N]: j, or -1 where neither is confident.
    """

    counts: Counts
    estimated: Counts
    thresholds: NDArray[np.float64]
    confidently: NDArray[np.int8]

    @property
    def missed(self) -> float | None:
        """Of the labels 0, the share that truly is 1."""
        return self._share(0, 1)

    @property
    def wrongful(self) -> float | None:
        """Of the labels 1, the share that truly is 0."""
        return self._share(1, 0)

    @property
    def errors(self) -> float:
        """How many labels are wrong."""
        return float(self.estimated[0, 1] + self.estimated[1, 0])

    def _share(self, given: int, truly: int) -> float | None:
        total = self.estimated[given].sum()
        return float(self.estimated[given, truly] / total) if total else None


def joint(given: NDArray[np.int8], probability: NDArray[np.float64]) -> Joint:
    """`given` [N] of 0 and 1, `probability` [N] of 1 by a head that did not see the label; both classes are there."""
    if not len(given) or given.min() == given.max():
        raise ValueError("confident learning needs labels of both classes")
    sure = np.stack([1 - probability, probability], axis=1)
    thresholds = np.array([sure[given == j, j].mean() for j in (0, 1)])
    reached = np.where(sure >= thresholds, sure, -1.0)
    confidently = np.where(reached.max(axis=1) >= 0, reached.argmax(axis=1), -1).astype(np.int8)
    counts = np.array([[((given == i) & (confidently == j)).sum() for j in (0, 1)] for i in (0, 1)], dtype=np.float64)
    totals = np.array([(given == i).sum() for i in (0, 1)], dtype=np.float64)
    rows = counts.sum(axis=1)
    # Nobody of a class is confidently anything: nothing is known against its labels.
    shares = np.where(rows[:, None] > 0, counts / np.maximum(rows, 1)[:, None], np.eye(2))
    return Joint(counts, shares * totals[:, None], thresholds, confidently)


def self_confidence(given: NDArray[np.int8], probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N]: the probability of the label that was given; low is suspect."""
    return np.asarray(np.where(given == 1, probability, 1 - probability))


def margin(given: NDArray[np.int8], probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N] in [-1, 1]: the probability of the label given less that of the other one."""
    return np.asarray(2 * self_confidence(given, probability) - 1)
