"""Who errs how, and what is true, when nobody knows the truth: Dawid and Skene's model, fitted by EM. Pure.

Source: Dawid & Skene (1979), Maximum likelihood estimation of observer error-rates using the EM algorithm, Applied
Statistics 28(1), 20–28; the numbers in brackets are its equations.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]

Vote = tuple[Hashable, Hashable, Hashable]  # what was judged, by whom, as what
Votes = Iterable[Vote] | Mapping[Any, Mapping[Any, Any]]

TOLERANCE: Final = 1e-10
MOST_STEPS: Final = 5000


@dataclass(frozen=True, slots=True)
class Estimate:
    """`posteriors`: unit → class → probability that it is the true one. `confusions`: rater → true class → class said →
    probability. `marginals`: class → how common it is. `steps`: of EM; `settled` when it came to rest.

    Unpacks as (posteriors, confusions).
    """

    posteriors: Mapping[Hashable, Mapping[Hashable, float]]
    confusions: Mapping[Hashable, Mapping[Hashable, Mapping[Hashable, float]]]
    marginals: Mapping[Hashable, float]
    log_likelihood: float
    steps: int
    settled: bool

    def __iter__(self) -> Iterator[Any]:
        yield self.posteriors
        yield self.confusions


def dawid_skene(
    votes: Votes, *, smoothing: float = 0.0, tolerance: float = TOLERANCE, most_steps: int = MOST_STEPS
) -> Estimate:
    """The likeliest truths and error rates behind `votes`: triples (unit, rater, class), or unit → rater → class or
    list of classes. A rater may vote on a unit more than once, and need not vote on all.

    Begins with each unit's share of votes [3.1], so that the majority names the classes, and goes on until no posterior
    moves by more than `tolerance`. `smoothing` is added to every cell of every rater's table before it is normalised:
    0 is the paper's maximum likelihood, 1 is Laplace's rule, for raters with few votes. Raises ValueError without
    votes.
    """
    triples = list(flat(votes))
    if not triples:
        raise ValueError("Without votes there is nothing to estimate.")
    units, raters, classes = (ordered(column) for column in zip(*triples, strict=True))
    counts = counted(triples, units, raters, classes)
    truth = counts.sum(axis=1)
    truth /= truth.sum(axis=1, keepdims=True)
    steps, likelihood, settled = 0, -np.inf, False
    while steps < most_steps and not settled:
        steps += 1
        marginals, confusions = maximise(counts, truth, smoothing)
        newer, likelihood = expect(counts, marginals, confusions)
        settled = bool(np.abs(newer - truth).max() <= tolerance)
        truth = newer
    marginals, confusions = maximise(counts, truth, smoothing)
    return Estimate(
        {unit: named(row, classes) for unit, row in zip(units, truth, strict=True)},
        {
            rater: {true: named(row, classes) for true, row in zip(classes, table, strict=True)}
            for rater, table in zip(raters, confusions, strict=True)
        },
        named(marginals, classes),
        likelihood,
        steps,
        settled,
    )


def flat(votes: Votes) -> Iterator[Vote]:
    if not isinstance(votes, Mapping):
        yield from votes
        return
    for unit, by_rater in votes.items():
        for rater, said in by_rater.items():
            for one in said if isinstance(said, list | tuple) else [said]:
                yield unit, rater, one


def ordered(column: Iterable[Hashable]) -> list[Hashable]:
    """Each once, in an order that does not depend on who voted first where the values can be ordered."""
    found = list(dict.fromkeys(column))
    try:
        return sorted(found)  # type: ignore[type-var]
    except TypeError:
        return found


def counted(triples: Sequence[Vote], units: list[Any], raters: list[Any], classes: list[Any]) -> Array:
    """How often each rater called each unit each class: [units, raters, classes]."""
    places = [{value: index for index, value in enumerate(axis)} for axis in (units, raters, classes)]
    counts = np.zeros([len(axis) for axis in places])
    for vote in triples:
        counts[tuple(place[value] for place, value in zip(places, vote, strict=True))] += 1
    return counts


def maximise(counts: Array, truth: Array, smoothing: float) -> tuple[Array, Array]:
    """M-step [2.3, 2.4]: how common the classes are, and each rater's table [raters, true, said].

    A class that a rater never met says nothing of them: its row is even.
    """
    tables = np.einsum("uj,url->rjl", truth, counts) + smoothing
    sums = tables.sum(axis=2, keepdims=True)
    even = np.full_like(tables, 1 / counts.shape[2])
    return truth.mean(axis=0), np.divide(tables, sums, out=even, where=sums > 0)


def expect(counts: Array, marginals: Array, confusions: Array) -> tuple[Array, float]:
    """E-step [2.5]: each unit's posterior; and the log-likelihood [2.7]. In logarithms, so that many votes on one unit
    do not vanish.
    """
    with np.errstate(divide="ignore"):
        logs, prior = np.log(confusions), np.log(marginals)
    finite = np.where(np.isneginf(logs), 0.0, logs)
    # −∞ · 0 is no evidence; a class that a vote rules out is ruled out, however much else speaks for it.
    ruled_out = np.einsum("url,rjl->uj", counts, np.isneginf(logs).astype(float)) > 0
    joint = np.where(ruled_out, -np.inf, np.einsum("url,rjl->uj", counts, finite) + prior)
    top = joint.max(axis=1, keepdims=True)
    weights = np.exp(joint - top)
    sums = weights.sum(axis=1, keepdims=True)
    return weights / sums, float((top + np.log(sums)).sum())


def named(row: Array, classes: Sequence[Hashable]) -> dict[Hashable, float]:
    return {one: float(value) for one, value in zip(classes, row, strict=True)}
