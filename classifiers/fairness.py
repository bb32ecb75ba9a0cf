"""What a cut does to each declared group, and how far apart the groups are. numpy only.

A positive prediction is a flag: a score at or above the cut, whatever comes of it (a person looks, or a block). So the
selection rate is the share flagged, the FPR how often the harmless is flagged (over-blocking), the FNR what is missed.
Groups are what integrators declared; nothing is ever inferred of a person. Formulas as in AI Fairness 360 and in
Fairlearn, against which the tests hold them.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Final, TypedDict

import numpy as np

from classifiers.evaluation import expected_calibration_error, wilson
from classifiers.evaluations.resampling import LEAST_CLUSTERS, SEED, interval, resampled
from classifiers.evaluations.samples import Floats, Mask, Samples, looks

RATES: Final = ("selection_rate", "tpr", "fpr", "fnr", "fdr", "for", "overturn_rate")
GAPS: Final = ("statistical_parity", "disparate_impact", "equal_opportunity", "average_odds")
FOUR_FIFTHS: Final = (0.8, 1.25)
"""Outside of these a ratio of selection rates is flagged (the four-fifths rule and its mirror)."""
LEAST: Final = 20
REPLICATES: Final = 400


class Rate(TypedDict):
    """Of ``n`` labels (None where there is none); Wilson's 95 % limits on as many looks as they are worth."""

    value: float | None
    low: float
    high: float
    n: int


class Group(TypedDict):
    """``calibration_error``: ECE inside the group. ``ratio`` and ``flagged``: its selection rate over that of all
    others, and whether that lies outside ``FOUR_FIFTHS``. ``difference``, ``opportunity``, ``odds``: its selection
    rate, TPR, and mean of TPR and FPR, less those of all others."""

    value: str
    n: int
    positives: int
    rates: dict[str, Rate]
    calibration_error: float | None
    ratio: float | None
    flagged: bool
    difference: float | None
    opportunity: float | None
    odds: float | None


class Gap(TypedDict):
    """The largest between any two groups of ``LEAST`` labels and more; of ``disparate_impact`` the smallest ratio.
    With bootstrap limits over clusters of near-duplicates."""

    value: float | None
    low: float | None
    high: float | None


class Attribute(TypedDict):
    """``few``: values with fewer than ``LEAST`` labels, which no gap rests on."""

    by: str
    groups: list[Group]
    few: list[str]
    gaps: dict[str, Gap]
    theil_between: float | None


class Worst(TypedDict):
    """The subgroup whose error is surely the highest: by the lower limit of its interval, so that luck does not win."""

    rate: str
    by: str
    value: str
    found: Rate


class Report(TypedDict):
    """``cut``: the score from which an image is flagged. ``theil``: inequality of benefit over all labels."""

    cut: float
    n: int
    positives: int
    overall: dict[str, Rate]
    theil: float | None
    attributes: list[Attribute]
    intersections: list[Attribute]
    worst: list[Worst]


def report(
    samples: Samples,
    side: str,
    *,
    cut: float,
    block: float | None = None,
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> Report:
    """Of one side's scores. ``cut`` flags; below it, and from ``block`` on where there is one, machines would settle
    the image, and the overturn rate is the share of these that people said the opposite of."""
    view = _View(samples, samples.scores[side], cut, block)
    declared = {by: values for by, values in samples.groups.items() if values}
    attributes = [view.attribute(by, values, replicates, seed) for by, values in declared.items()]
    crossed = [
        view.attribute(f"{a} × {b}", _crossed(declared[a], declared[b]), replicates, seed)
        for a, b in combinations(declared, 2)
    ]
    crossed = [one for one in crossed if one["groups"]]
    everyone = np.ones(len(samples), dtype=bool)
    return Report(
        cut=cut,
        n=len(samples),
        positives=samples.positives,
        overall=view.rates(everyone),
        theil=theil(view.flagged, samples.label, samples.weight),
        attributes=attributes,
        intersections=crossed,
        worst=_worst([*attributes, *crossed]),
    )


def theil(flagged: Mask | Floats, label: Floats, weight: Floats) -> float | None:
    """Theil index of the benefits b = y − ŷ + 1 (Speicher et al. 2018; generalised entropy with α = 1): the mean of
    b/μ · ln(b/μ), 0 where all fare alike. To be let through is the good outcome: a harmless image that is flagged has
    benefit 0, a violation that is missed 2. None where nobody benefits at all."""
    return _entropy(label - np.asarray(flagged, dtype=np.float64) + 1, weight)


class _View:
    """One side at one cut. Weighted sums over any set of labels are products with these columns."""

    def __init__(self, samples: Samples, p: Floats, cut: float, block: float | None) -> None:
        self.samples, self.p = samples, p
        self.flagged, harmful = p >= cut, samples.label == 1
        blocked = np.zeros_like(self.flagged) if block is None else p >= block
        settled = ~self.flagged | blocked
        self.parts: dict[str, tuple[Mask, Mask]] = {  # of whom, and which of them
            "selection_rate": (np.ones_like(harmful), self.flagged),
            "tpr": (harmful, self.flagged),
            "fpr": (~harmful, self.flagged),
            "fnr": (harmful, ~self.flagged),
            "fdr": (self.flagged, ~harmful),
            "for": (~self.flagged, harmful),
            "overturn_rate": (settled, np.where(blocked, ~harmful, harmful)),
        }

    def rates(self, inside: Mask) -> dict[str, Rate]:
        return {name: self.rate(name, inside) for name in RATES}

    def rate(self, name: str, inside: Mask) -> Rate:
        whom, which = self.parts[name]
        here, weight = whom & inside, self.samples.weight
        total = float(weight[here].sum())
        if not total:
            return Rate(value=None, low=0.0, high=1.0, n=0)
        share = float(weight[here & which].sum() / total)
        low, high = wilson(min(share, 1.0), looks(weight[here], self.samples.cluster[here]))
        return Rate(value=share, low=low, high=high, n=int(here.sum()))

    def group(self, value: str, inside: Mask, declared: Mask) -> Group:
        rates, others = self.rates(inside), self.rates(declared & ~inside)
        own, rest = ({name: one["value"] for name, one in side.items()} for side in (rates, others))
        ratio = _ratio(own["selection_rate"], rest["selection_rate"])
        s = self.samples
        opportunity, error = _less(own["tpr"], rest["tpr"]), _less(own["fpr"], rest["fpr"])
        return Group(
            value=value,
            n=int(inside.sum()),
            positives=int(s.label[inside].sum()),
            rates=rates,
            calibration_error=expected_calibration_error(self.p[inside], s.label[inside], s.weight[inside]),
            ratio=ratio,
            flagged=ratio is not None and not FOUR_FIFTHS[0] <= ratio <= FOUR_FIFTHS[1],
            difference=_less(own["selection_rate"], rest["selection_rate"]),
            opportunity=opportunity,
            odds=None if opportunity is None or error is None else (opportunity + error) / 2,
        )

    def attribute(self, by: str, values: Mapping[str, Mask], replicates: int, seed: int) -> Attribute:
        there = {value: mask for value, mask in values.items() if mask.any()}
        enough = {value: mask for value, mask in there.items() if mask.sum() >= LEAST}
        declared = np.any(np.stack(list(there.values())), axis=0) if there else np.zeros(len(self.samples), bool)
        ranked = sorted(enough, key=lambda value: (-int(enough[value].sum()), value))
        return Attribute(
            by=by,
            groups=[self.group(value, enough[value], declared) for value in ranked],
            few=sorted(set(there) - set(enough)),
            gaps=self.gaps(list(enough.values()), replicates, seed),
            theil_between=self.theil_between(list(enough.values())),
        )

    def gaps(self, masks: list[Mask], replicates: int, seed: int) -> dict[str, Gap]:
        if len(masks) < 2:
            return {name: Gap(value=None, low=None, high=None) for name in GAPS}
        here = self._gaps_under(self.samples.weight[None], masks)
        drawn: dict[str, list[Floats]] = {name: [] for name in GAPS}
        if self.samples.clusters >= LEAST_CLUSTERS:
            for w in resampled(self.samples, replicates=replicates, seed=seed):
                for name, values in self._gaps_under(w, masks).items():
                    drawn[name].append(values)
        found = {}
        for name in GAPS:
            value = float(here[name][0])
            low, high = interval(np.concatenate(drawn[name])) if drawn[name] else (None, None)
            found[name] = Gap(value=value if np.isfinite(value) else None, low=low, high=high)
        return found

    def _gaps_under(self, w: Floats, masks: list[Mask]) -> dict[str, Floats]:
        """Each gap [B] under the weights [B, N]; groups in which a rate cannot be said do not count for it."""
        inside = np.stack(masks, axis=1).astype(np.float64)

        def per_group(name: str) -> Floats:
            whom, which = self.parts[name]
            with np.errstate(invalid="ignore", divide="ignore"):
                found: Floats = ((w * (whom & which)) @ inside) / ((w * whom) @ inside)
            return found

        selection, tpr, fpr = (per_group(name) for name in ("selection_rate", "tpr", "fpr"))
        lowest, highest = _least(selection), _most(selection)
        with np.errstate(invalid="ignore", divide="ignore"):
            impact = np.where(highest > 0, lowest / highest, np.nan)
        opportunity, error = _most(tpr) - _least(tpr), _most(fpr) - _least(fpr)
        return {
            "statistical_parity": highest - lowest,
            "disparate_impact": impact,
            "equal_opportunity": opportunity,
            "average_odds": (opportunity + error) / 2,
        }

    def theil_between(self, masks: list[Mask]) -> float | None:
        """The part of the Theil index that lies between these groups: each label's benefit is its group's mean. Only
        where no label is in two of them."""
        if not masks or np.sum(masks, axis=0).max() > 1:
            return None
        benefit, s = self.samples.label - self.flagged.astype(np.float64) + 1, self.samples
        mean = np.concatenate([np.full(m.sum(), np.average(benefit[m], weights=s.weight[m])) for m in masks])
        return _entropy(mean, np.concatenate([s.weight[m] for m in masks]))


def _entropy(benefit: Floats, weight: Floats) -> float | None:
    if not len(benefit):
        return None
    middle = float(np.average(benefit, weights=weight))
    if middle <= 0:
        return None
    part = benefit / middle
    logs = np.log(np.where(part > 0, part, 1.0))  # 0 ln 0 is 0
    return float(np.average(part * logs, weights=weight))


def _crossed(first: Mapping[str, Mask], second: Mapping[str, Mask]) -> dict[str, Mask]:
    crossed = {f"{a} × {b}": left & right for a, left in first.items() for b, right in second.items()}
    return {value: mask for value, mask in crossed.items() if mask.any()}


def _worst(attributes: list[Attribute]) -> list[Worst]:
    found = []
    for rate in ("fnr", "fpr"):
        groups = [(one["by"], g["value"], g["rates"][rate]) for one in attributes for g in one["groups"]]
        groups = [one for one in groups if one[2]["value"] is not None]
        if groups:
            by, value, worst = max(groups, key=lambda one: one[2]["low"])
            found.append(Worst(rate=rate, by=by, value=value, found=worst))
    return found


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _ratio(one: float | None, other: float | None) -> float | None:
    return None if one is None or not other else one / other


def _least(values: Floats) -> Floats:
    known = np.where(np.isfinite(values), values, np.inf).min(axis=1)
    return np.where(np.isfinite(known), known, np.nan)


def _most(values: Floats) -> Floats:
    known = np.where(np.isfinite(values), values, -np.inf).max(axis=1)
    return np.where(np.isfinite(known), known, np.nan)
