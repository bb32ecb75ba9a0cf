"""Concepts: a handful of example pictures (or a phrase) as a head on the embedding. numpy only.

A picture is compared with two prototypes: the mean of the examples, and the mean of what pictures look like in general
together with the counter-examples. All are unit vectors, so the head is the difference of two cosine similarities: the
nearest class mean of prototypical networks (Snell, Swersky & Zemel 2017), in the manner of the concept vectors with a
threshold each of Stable Diffusion's safety checker (Rando et al. 2022), but open, versioned and measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.base import FloatArray
from classifiers.calibration import Calibration, Choice, choose
from classifiers.evaluation import at_thresholds, best_threshold, evaluate, wilson

FEWEST = 5
"""Different examples that a prototype needs; fewer describe one picture, not a concept."""
SETS = ("calibration", "threshold", "test")
EXAMPLE, LABELLED, PRESUMED = "example", "labelled", "presumed"
_CURVE = 24


def unit(vectors: NDArray[Any]) -> NDArray[np.float64]:
    """Rows of length 1; a row of zeros stays one."""
    table = np.asarray(vectors, dtype=np.float64)
    length = np.linalg.norm(table, axis=1, keepdims=True)
    return np.asarray(np.divide(table, length, out=np.zeros_like(table), where=length > 0))


@dataclass(frozen=True, slots=True, eq=False)
class Prototypes:
    """Unit vectors: of examples [N, D] (or phrases), counter-examples [M, D] and pictures in general [B, D]."""

    examples: NDArray[np.float64]
    counters: NDArray[np.float64]
    background: NDArray[np.float64]

    def head(self) -> tuple[FloatArray, float]:
        """Weight [D] and bias on a unit embedding e: half of |e - c-|^2 - |e - c+|^2, with the means c+ and c-."""
        toward, away = self.examples.mean(axis=0), self.background.mean(axis=0)
        if len(self.counters):
            away = (away + self.counters.mean(axis=0)) / 2
        return (toward - away).astype(np.float32), float(away @ away - toward @ toward) / 2

    def logits(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """[N] of unit embeddings [N, D]."""
        weight, bias = self.head()
        return np.asarray(vectors @ weight.astype(np.float64) + bias)

    def left_out(self, groups: Sequence[str]) -> NDArray[np.float64]:
        """The logit of each example under the prototype of all others that are no near-duplicates of it."""
        named = np.asarray(groups)
        found = np.empty(len(self.examples))
        for group in np.unique(named):
            rest = Prototypes(self.examples[named != group], self.counters, self.background)
            found[named == group] = rest.logits(self.examples[named == group])
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Pictures that a concept is measured on: logits, labels 0/1, weights, where each label comes from, and the group
    of near-duplicates it belongs to."""

    logits: NDArray[np.float64]
    label: NDArray[np.float64]
    weight: NDArray[np.float64]
    source: NDArray[np.str_]
    group: NDArray[np.str_]

    def of(self, chosen: NDArray[np.bool_]) -> "Measured":
        return Measured(*(getattr(self, name)[chosen] for name in ("logits", "label", "weight", "source", "group")))

    def dealt(self) -> Mapping[str, "Measured"]:
        """Three disjoint sets, no group in two of them, each with its share of every source and label."""
        rng, seat = np.random.default_rng(0), np.full(len(self.logits), -1)
        _, place = np.unique(self.group, return_inverse=True)
        first = np.unique(self.group, return_index=True)[1]
        kind = np.char.add(self.source[first], self.label[first].astype(str))
        for one in np.unique(kind):
            groups = rng.permutation(np.flatnonzero(kind == one))
            for number, group in enumerate(groups):
                # The test set is served first: a handful of examples must not leave it empty.
                seat[place == group] = 2 - number % 3
        return {name: self.of(seat == number) for number, name in enumerate(SETS)}


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """A threshold on the probability, the curve that is 0 below it, and figures on pictures that chose neither."""

    threshold: float
    calibration: Calibration
    metrics: dict[str, Any]


def settle(pool: Measured, *, floor: float) -> Settled | None:
    """Calibrate, pick a threshold (largest F1, but not below ``floor``) and measure it, each on a set of its own.

    None when one of the sets lacks a class: then nothing can be said.
    """
    sets = pool.dealt()
    if any(len(np.unique(one.label)) < 2 for one in sets.values()):
        return None
    apart, picking, test = (sets[name] for name in SETS)
    choice = choose(apart.logits, apart.label, weights=apart.weight)
    threshold = max(float(choice.calibration.apply(gap(picking))), floor, 1e-3)
    curve = above(choice.calibration, threshold)
    p = curve.apply(test.logits)
    row = at_thresholds(p, test.label, test.weight, thresholds=[threshold])[0]
    figures: dict[str, Any] = {
        **evaluate(p, test.label, test.weight),
        "picked": {"rule": "largest F1", "picked_on": len(picking.label), **row},
        "calibration": described(choice),
        "labels": {name: {"n": len(one.label), "positives": int(one.label.sum())} for name, one in sets.items()},
        "sources": sources(test, p >= threshold),
        "notes": [],
    }
    return Settled(threshold, curve, figures)


def gap(picking: Measured) -> float:
    """The logit half-way between the last one that counts as a hit at the largest F1 and the next below it: with few
    examples a threshold on the last of them would miss every second one to come."""
    best = best_threshold(picking.logits, picking.label, picking.weight)
    assert best is not None
    below = picking.logits[picking.logits < best]
    return float((best + below.max()) / 2) if len(below) else best


def above(calibration: Calibration, threshold: float) -> Calibration:
    """The same curve from the logit on at which it reaches ``threshold``, and 0 below it: there the concept is silent.

    Raises no error where the curve never gets there: it is then silent everywhere.
    """
    grid = np.linspace(-60, 60, 4001)
    table = np.asarray(calibration.knots)[:, 0] if calibration.knots else (grid - calibration.shift) / calibration.scale
    fine = np.unique(np.concatenate([np.linspace(table.min(), table.max(), 4001), table]))
    p = calibration.apply(fine)
    if p[-1] < threshold:
        return Calibration(calibration.scale, calibration.shift, "threshold", ((0.0, 0.0), (1.0, 0.0)))
    first = int(np.argmax(p >= threshold))
    start = float(np.interp(threshold, p[max(first - 1, 0) : first + 1], fine[max(first - 1, 0) : first + 1]))
    until = max(float(fine[min(int(np.searchsorted(p, p[-1] * 0.9999)), len(fine) - 1)]), start + 1e-6)
    beyond = np.unique(np.linspace(start, until, _CURVE))[1:]
    knots = [(float(np.nextafter(start, -np.inf)), 0.0), (start, threshold)]
    for logit, value in zip(beyond, calibration.apply(beyond), strict=True):
        knots.append((float(logit), float(max(value, knots[-1][1]))))
    return Calibration(calibration.scale, calibration.shift, "threshold", tuple(knots))


def described(choice: Choice) -> dict[str, Any]:
    said = {
        "method": f"{choice.calibration.method}, 0 below the threshold",
        "n": choice.n,
        "positives": choice.positives,
    }
    return {**said, "held_out_log_loss": dict(choice.held_out) or None}


def sources(test: Measured, hit: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """How many pictures of each origin the concept hits, with the 95 % interval of the share."""
    rows = []
    for source in (EXAMPLE, LABELLED, PRESUMED):
        for label in (1, 0):
            here = (test.source == source) & (test.label == label)
            if n := int(here.sum()):
                hits = int(hit[here].sum())
                low, high = wilson(hits / n, n)
                rows.append({"source": source, "label": label, "n": n, "hits": hits, "low": low, "high": high})
    return rows
