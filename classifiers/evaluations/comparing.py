"""One or two versions on one category's labels: every figure with its interval, and the differences with theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

import numpy as np

from classifiers.evaluation import wilson
from classifiers.evaluations.figures import AT_CUT, HIGHER_IS_BETTER, Figures, defined
from classifiers.evaluations.resampling import LEAST_CLUSTERS, REPLICATES, SEED, interval, resampled
from classifiers.evaluations.samples import Floats, Mask, Samples, looks

CANDIDATE, INCUMBENT = "candidate", "incumbent"
BETTER_AT_CUT = {"precision": True, "recall": True, "false_positive_rate": False, "false_omission": False}


class Figure(TypedDict):
    """With 95 % limits, None where there are too few labels for any."""

    value: float | None
    low: float | None
    high: float | None


class Difference(Figure):
    """Candidate less incumbent. ``verdict``: better or worse where the interval leaves out 0, else open; same where
    the two never differ."""

    verdict: str


class Compared(TypedDict):
    """``clusters``: distinct near-duplicates. ``sides``: side -> figure name -> figure; ``differences`` likewise, empty
    with one side."""

    n: int
    positives: int
    clusters: int
    sides: dict[str, dict[str, Figure]]
    differences: dict[str, Difference]


def compare(
    samples: Samples, *, cuts: Mapping[str, float] | None = None, replicates: int = REPLICATES, seed: int = SEED
) -> Compared:
    """Shares at a cut have Wilson intervals on as many looks as the labels are worth; all other figures, and the
    differences, have bootstrap intervals over clusters. Each is at 95 % by itself: they are not adjusted for being
    many."""
    cuts = dict(cuts or {})
    measures = {side: Figures(p, samples.label, cuts) for side, p in samples.scores.items()}
    here = {side: {k: v[0] for k, v in one.of(samples.weight[None]).items()} for side, one in measures.items()}
    enough = samples.clusters >= LEAST_CLUSTERS
    drawn = _drawn(samples, measures, replicates, seed) if enough else {}
    sides = {
        side: {
            name: _share(samples, p, name, value, cuts) if "." in name else _figure(value, drawn.get((side, name)))
            for name, value in here[side].items()
        }
        for side, p in samples.scores.items()
    }
    return Compared(
        n=len(samples),
        positives=samples.positives,
        clusters=samples.clusters,
        sides=sides,
        differences=_differences(here, drawn) if {CANDIDATE, INCUMBENT} <= here.keys() else {},
    )


def _drawn(
    samples: Samples, measures: Mapping[str, Figures], replicates: int, seed: int
) -> dict[tuple[str, str], Floats]:
    found: dict[tuple[str, str], list[Floats]] = {}
    for w in resampled(samples, replicates=replicates, seed=seed):
        for side, one in measures.items():
            for name, values in one.of(w).items():
                found.setdefault((side, name), []).append(values)
    return {key: np.concatenate(parts) for key, parts in found.items()}


def _figure(value: float, drawn: Floats | None) -> Figure:
    low, high = (None, None) if drawn is None else interval(drawn)
    return Figure(value=defined(value), low=low, high=high)


def _share(samples: Samples, p: Floats, name: str, value: float, cuts: Mapping[str, float]) -> Figure:
    """Of whom the share at a cut is said, and their worth in looks."""
    share = defined(value)
    if share is None:
        return Figure(value=None, low=None, high=None)
    cut, _, figure = name.rpartition(".")
    whom = _whom(figure, p >= cuts[cut], samples.label == 1)
    low, high = wilson(min(max(share, 0.0), 1.0), looks(samples.weight[whom], samples.cluster[whom]))
    return Figure(value=share, low=low, high=high)


def _whom(figure: str, above: Mask, harmful: Mask) -> Mask:
    return {
        "flagged": np.ones_like(above),
        "precision": above,
        "recall": harmful,
        "false_positive_rate": ~harmful,
        "false_omission": ~above,
    }[figure]


def _differences(
    here: Mapping[str, Mapping[str, float]], drawn: Mapping[tuple[str, str], Floats]
) -> dict[str, Difference]:
    found = {}
    for name in here[CANDIDATE]:
        value = defined(here[CANDIDATE][name] - here[INCUMBENT][name])
        pair = drawn.get((CANDIDATE, name)), drawn.get((INCUMBENT, name))
        low, high = (None, None) if pair[0] is None or pair[1] is None else interval(pair[0] - pair[1])
        found[name] = Difference(value=value, low=low, high=high, verdict=verdict(name, value, low, high))
    return found


def verdict(name: str, value: float | None, low: float | None, high: float | None) -> str:
    """ "flagged" is neither good nor bad: it is told as more or fewer."""
    if value is None or low is None or high is None:
        return "open"
    if low == high == 0:
        return "same"
    if low <= 0 <= high:
        return "open"
    better = HIGHER_IS_BETTER.get(name, BETTER_AT_CUT.get(name.rpartition(".")[2]))
    if better is None:
        return "more" if low > 0 else "fewer"
    return "better" if (low > 0) == better else "worse"


__all__ = ["AT_CUT", "CANDIDATE", "INCUMBENT", "Compared", "Difference", "Figure", "compare", "verdict"]
