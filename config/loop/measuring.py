"""What heads are worth on pictures held back: how well they rank, and what they leave to people.

The pictures held back are a sample of all, drawn by a lot before anything was learnt, and nobody learnt from them. So
for each round's heads they are what audits are: `certify` finds the loosest threshold below which at most α violate,
with confidence 1 − δ. What scores above it goes to people: that share is the reviewer load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from classifiers.evaluation import auc
from config.loop.typed import said
from moderation.certificates import certify

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRAWS: Final = 2000
LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """N pictures held back, in the order of their bytes' digests, so that runs that held back the same agree in it:
    `violating` [N], and what each round's heads say of them, `scores` [R, N].
    """

    violating: NDArray[np.int8]
    scores: NDArray[np.float64]

    def aucs(self) -> NDArray[np.float64]:
        """[R]. NaN where all pictures are of one class."""
        found = [auc(row, self.violating) for row in self.scores]
        return np.array([np.nan if one is None else one for one in found])

    def loads(self, *, alpha: float, delta: float) -> NDArray[np.float64]:
        """[R]: the share that people must see for a certified false omission rate of `alpha`; 1 where none can be."""
        made = [certify(row, self.violating, risk="FOR", alpha=alpha, delta=delta) for row in self.scores]
        return np.array([1 - one.share for one in made])

    def resampled(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """[DRAWS, R]: AUC on as many pictures drawn with replacement, the same for all rounds, so that differences
        between rounds keep their pairing. NaN where a draw holds one class only.
        """
        n = len(self.violating)
        counts = rng.multinomial(n, np.full(n, 1 / n), size=DRAWS).astype(np.float64)
        return np.stack([weighted_aucs(row, self.violating, counts) for row in self.scores], axis=1)

    def as_json(self) -> dict[str, Any]:
        return {"violating": self.violating.tolist(), "scores": np.round(self.scores, 9).tolist()}

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Held:
        return cls(np.array(said["violating"], np.int8), np.array(said["scores"], np.float64))


def weighted_aucs(
    scores: NDArray[np.float64], violating: NDArray[np.int8], counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """[B]: AUC where picture i counts as often as counts[b, i] says, ties counting half."""
    _, place = np.unique(scores, return_inverse=True)
    order = np.argsort(place, kind="stable")
    sides = [np.where(violating[order] == one, counts[:, order], 0.0) for one in (1, 0)]
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    positive, negative = (np.add.reduceat(side, starts, axis=1) for side in sides)
    below = np.cumsum(negative, axis=1) - negative
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    won = (positive * (below + negative / 2)).sum(axis=1)
    return np.asarray(np.divide(won, pairs, out=np.full(len(counts), np.nan), where=pairs > 0))


def interval(draws: NDArray[np.float64]) -> tuple[float, float]:
    """The middle 95 % of the draws (percentile bootstrap, Efron 1979)."""
    tail = 50 * (1 - LEVEL)
    low, high = np.nanpercentile(draws, [tail, 100 - tail])
    return float(low), float(high)


def scores_of(manifest: Path, versions: Sequence[str], *, category: str) -> Held:
    """What each of these heads says of the pictures of a manifest, from their stored embeddings, beside its labels."""
    from classifiers import manifests, registry

    labels = manifests.read(manifest)
    of_category = np.flatnonzero(labels.column("category") == category)
    rows = of_category[np.argsort(labels.column("sha256")[of_category].astype(str), kind="stable")]
    vectors = labels.vectors()[rows]
    told = []
    for row in registry.versions(list(versions)):
        heads = registry.load_heads(row)
        told.append(heads.apply(vectors)[:, heads.categories.index(category)])
    return Held(labels.column("label")[rows].astype(np.int8), np.array(told, np.float64))


def certificate_of(category: str, *, alpha: float, delta: float) -> dict[str, Any]:
    """What `certify` says of the plan in force: of the last heads, on the pictures held back, as the house knows."""
    found = said("certify", "--category", category, "--risk", "FOR", "--alpha", alpha, "--delta", delta)
    return {name: found[name] for name in ("threshold", "share", "audits", "n", "k", "p_value", "method")}
