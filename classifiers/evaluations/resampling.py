"""The bootstrap over clusters of near-duplicates (Efron 1979; Field & Welsh 2007 for clusters), paired: both versions
are measured on the same resamples, so that what they share cancels in the difference."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from classifiers.evaluations.samples import Floats, Samples

REPLICATES = 400
SEED = 20260
LEAST_CLUSTERS = 10
"""With fewer clusters an interval would pretend to know what it cannot: there is none."""
_CELLS = 2_000_000


def resampled(samples: Samples, *, replicates: int = REPLICATES, seed: int = SEED) -> Iterator[Floats]:
    """Weights [b, N] of the resamples, a block at a time; the same seed gives the same. Clusters are drawn with
    replacement, as many as there are; a label's weight is multiplied by how often its cluster was drawn."""
    _names, place = np.unique(samples.cluster, return_inverse=True)
    count = int(place.max()) + 1 if len(place) else 0
    if count == 0:
        return
    rng = np.random.default_rng(seed)
    block = max(1, min(replicates, _CELLS // max(len(samples), 1)))
    for start in range(0, replicates, block):
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=min(block, replicates - start))
        yield samples.weight * drawn[:, place]


def interval(values: Floats) -> tuple[float | None, float | None]:
    """The middle 95 % of what the resamples gave; (None, None) where more than a tenth of them could not say."""
    known = values[np.isfinite(values)]
    if len(known) < 0.9 * len(values) or not len(known):
        return None, None
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)
