"""What certified automation leaves to people: the figure by which versions are compared at equal risk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from classifiers.evaluations.comparing import CANDIDATE, INCUMBENT, Difference, verdict
from classifiers.evaluations.resampling import LEAST_CLUSTERS, SEED, interval, resampled
from moderation.certificates.certifying import Certificate, certify

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifiers.evaluations.samples import Samples

    Floats = NDArray[np.float64]

REPLICATES: Final = 100


@dataclass(frozen=True, slots=True)
class Burden:
    """`load`: the share of the traffic that goes to people when the approve threshold is the certified one, 1 where
    nothing can be certified. `low` and `high`: what it comes to in 95 of 100 resamples of clusters.
    """

    certificate: Certificate
    load: float
    low: float | None
    high: float | None


def burdens(
    samples: Samples, *, alpha: float, delta: float, replicates: int = REPLICATES, seed: int = SEED
) -> tuple[dict[str, Burden], Difference | None]:
    """Each side's, at FOR ≤ `alpha` with confidence 1 − `delta` on the same labels, and the candidate's less the
    incumbent's where both are there.
    """
    proved = {side: proof(p, samples.label, samples.weight, alpha, delta) for side, p in samples.scores.items()}
    drawn: Mapping[str, Floats] = {}
    if samples.clusters >= LEAST_CLUSTERS:
        drawn = again(samples, alpha, delta, replicates, seed)
    found = {}
    for side, one in proved.items():
        low, high = interval(drawn[side]) if drawn else (None, None)
        found[side] = Burden(one, 1 - one.share, low, high)
    if not {CANDIDATE, INCUMBENT} <= found.keys():
        return found, None
    value = found[CANDIDATE].load - found[INCUMBENT].load
    low, high = interval(drawn[CANDIDATE] - drawn[INCUMBENT]) if drawn else (None, None)
    # as of a loss: less is better
    return found, Difference(value=value, low=low, high=high, verdict=verdict("log_loss", value, low, high))


def again(samples: Samples, alpha: float, delta: float, replicates: int, seed: int) -> Mapping[str, Floats]:
    """The load of each side on each resample. A label drawn twice stands there twice: the test counts whole labels."""
    loads: dict[str, list[float]] = {side: [] for side in samples.scores}
    for block in resampled(samples, replicates=replicates, seed=seed):
        for w in block:
            drawn = np.repeat(np.arange(len(samples)), np.rint(w / samples.weight).astype(np.int64))
            for side, p in samples.scores.items():
                one = proof(p[drawn], samples.label[drawn], samples.weight[drawn], alpha, delta)
                loads[side].append(1 - one.share)
    return {side: np.array(values) for side, values in loads.items()}


def proof(p: Floats, y: Floats, w: Floats, alpha: float, delta: float) -> Certificate:
    return certify(p, y, risk="FOR", alpha=alpha, delta=delta, weights=w)
