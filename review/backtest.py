"""What people's decisions say of a simulated plan: how often it would be wrong, and how many hours it asks of people.

Only what triage sent to people, by doubt or by lot, counts as a label: reports, appeals and draws to learn from choose
their images. Each counts 1/π, with π the chance, stored when it was routed, that a person sees it (Hájek's ratio:
Särndal, Swensson, Wretman 1992, §5.7). The interval is Wilson's on the effective number of labels (Σw)²/Σw² (Kish
1965).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from django.db import connection

from moderation.models import Reason
from moderation.simulation.comparison import Comparison
from moderation.simulation.history import find
from moderation.simulation.sweep import APPROVE, BLOCK, QUARANTINE, UNSEEN, Sweep
from review.models import EffectState, Verdict
from review.service_times import service_times

if TYPE_CHECKING:
    from numpy.typing import NDArray

Z: Final = 1.959964  # of 95 %
MOST: Final = 1_000_000
DRAWN: Final = (
    Reason.AUDIT_SAMPLE,
    Reason.UNCERTAIN,
    Reason.POLICY,
    Reason.HASH_MATCH,
    Reason.CLASSIFIER_ERROR,
)
LABELS: Final = """
SELECT DISTINCT ON (decision.submission_id) decision.submission_id, decision.verdict <> %(approve)s,
    submission.inclusion_probability
FROM review_decision decision
JOIN review_effect effect ON effect.decision_id = decision.id AND effect.settles AND effect.state = %(applied)s
JOIN review_claim claim ON claim.id = decision.claim_id
JOIN moderation_reviewrequest request ON request.id = claim.request_id
JOIN moderation_submission submission ON submission.id = decision.submission_id
WHERE decision.verdict = ANY(%(verdicts)s) AND submission.inclusion_probability > 0
    AND (request.reason = ANY(%(reasons)s) OR request.reason = %(learning)s AND submission.route = 'review')
ORDER BY decision.submission_id DESC, decision.id DESC LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share with its 95 % interval, and the `labels` it rests on, which weigh as much as `effective` of equal weight.
    No value without labels.
    """

    value: float | None
    low: float
    high: float
    labels: int
    effective: float


@dataclass(frozen=True, slots=True)
class Errors:
    """How a plan would have judged what people judged. `missed`: of what it approves, what violates; `wrongful`: of
    what it blocks, what does not; `precision`: the rest of that; `recall`: of what violates, what it does not approve.
    """

    missed: Estimate
    wrongful: Estimate
    precision: Estimate
    recall: Estimate


@dataclass(frozen=True, slots=True)
class Hours:
    """Reviewer hours for the images that go to people, at the measured time a decision; None where none is measured."""

    before: float | None
    after: float | None
    seconds: float | None
    decisions: int


@dataclass(frozen=True, slots=True)
class Backtest:
    """What people say of both sides of a comparison. `labels` of its images they have judged."""

    before: Errors
    after: Errors
    labels: int
    hours: Hours


def backtest(found: Comparison) -> Backtest:
    """Two statements; the images are those of the comparison."""
    rows, violating, chance = labels(found)
    return Backtest(
        errors(found.before, rows, violating, chance),
        errors(found.after, rows, violating, chance),
        len(rows),
        hours(found),
    )


def labels(found: Comparison) -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.float64]]:
    """Of the comparison's images that people judged: their rows, whether they violate, and π."""
    parameters: dict[str, Any] = {
        "approve": Verdict.APPROVE,
        "applied": EffectState.APPLIED,
        "reasons": list(DRAWN),
        "learning": Reason.LEARNING,  # of what triage sent to people anyway, this answer is as good as any other
        "verdicts": [Verdict.APPROVE, Verdict.BLOCK, Verdict.QUARANTINE],
        "most": MOST,
    }
    with connection.cursor() as cursor:
        cursor.execute(LABELS, parameters)
        said = cursor.fetchall()
    keys = np.array([divmod(key.int, 1 << 64) for key, _violates, _chance in said], np.uint64).reshape(-1, 2)
    rows = find(keys, found.history.keys)
    known = rows >= 0
    known[known] = found.judged[rows[known]]
    violating = np.array([violates for _key, violates, _chance in said], np.bool_)
    chance = np.array([chance for _key, _violates, chance in said], np.float64)
    return rows[known], violating[known], chance[known]


def errors(sweep: Sweep, rows: NDArray[np.intp], violating: NDArray[np.bool_], chance: NDArray[np.float64]) -> Errors:
    actions = sweep.actions[rows]
    assert not (actions == UNSEEN).any()
    approved = actions == APPROVE
    blocked = (actions == BLOCK) | (actions == QUARANTINE)
    weights = 1 / chance
    return Errors(
        estimate(violating[approved], weights[approved]),
        estimate(~violating[blocked], weights[blocked]),
        estimate(violating[blocked], weights[blocked]),
        estimate(~approved[violating], weights[violating]),
    )


def estimate(hits: NDArray[np.bool_], weights: NDArray[np.float64]) -> Estimate:
    """Hájek's ratio of weighted hits, with Wilson's interval on the effective number."""
    if not len(hits):
        return Estimate(None, 0.0, 1.0, 0, 0.0)
    total = float(weights.sum())
    share = float(weights[hits].sum()) / total
    n = total**2 / float((weights**2).sum())
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return Estimate(share, max(0.0, middle - half), min(1.0, middle + half), len(hits), n)


def hours(found: Comparison) -> Hours:
    """By the time that answers in each category took lately; in a category without enough, as long as all did."""
    times = service_times()
    average = times.seconds
    if average is None:
        return Hours(None, None, None, times.answers)

    def spent(images: Counter[str]) -> float:
        return sum(count * (times.of(category) or average) for category, count in images.items()) / 3600

    before, after = found.to_people()
    return Hours(spent(before), spent(after), average, times.answers)


def as_json(found: Backtest) -> dict[str, Any]:
    """For programs; shares between 0 and 1."""
    sides = {"before": found.before, "after": found.after}
    return {
        "labels": found.labels,
        "reviewer_hours": {
            "before": found.hours.before,
            "after": found.hours.after,
            "seconds_a_decision": found.hours.seconds,
            "measured_on": found.hours.decisions,
        },
        **{
            side: {name: estimate_json(getattr(said, name)) for name in ("missed", "wrongful", "precision", "recall")}
            for side, said in sides.items()
        },
    }


def estimate_json(one: Estimate) -> dict[str, Any]:
    return {
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "labels": one.labels,
        "effective_labels": round(one.effective, 1),
    }
