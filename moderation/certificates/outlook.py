"""What is missing for a certificate, and what it costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from moderation.certificates.certifying import Risk, certify
from moderation.certificates.tails import binomial_tail, sample_size

TIMES: Final = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
REPEATED: Final = 4_000_000  # audits tested at once
MOST: Final = 5_000_000  # audits: beyond that, nobody waits for it


@dataclass(frozen=True, slots=True)
class Need:
    """`inside`: audits still needed on the safe side of the threshold; `audits`: of all traffic, to get these;
    `hours` of reviewers. All None where no number would do, for the rate seen is not below the limit.
    """

    inside: int | None
    audits: int | None
    hours: float | None


def needed(
    *, n: int, k: int, share: float, alpha: float, delta: float, seconds: float | None, worth: float = 1.0
) -> Need:
    """If violations go on turning up as they did (`k` of `n` inside a threshold that holds `share` of the traffic), how
    many more audits until the exact test passes there: the smallest N with P(Bin(N, α) ≤ k + (N−n)·k/n) ≤ δ.

    `worth`: how many equal audits one weighted audit is worth. `seconds` an audit takes, by measure; None: unknown.
    """
    rate = k / n if n else 0.0
    if rate >= alpha or share <= 0:
        return Need(None, None, None)

    def passes(size: int) -> bool:
        return binomial_tail(math.ceil(k + max(0, size - n) * rate - 1e-9), size, alpha) <= delta

    low, high = max(1, n), max(n, sample_size(alpha, delta, 0))
    while not passes(high):
        low, high = high, 2 * high
        if high > MOST:
            return Need(None, None, None)
    while low < high:
        middle = (low + high) // 2
        if passes(middle):
            high = middle
        else:
            low = middle + 1
    inside = math.ceil(max(0, low - n) / worth)
    audits = math.ceil(inside / share)
    return Need(inside, audits, None if seconds is None else audits * seconds / 3600)


def repeated(scores: Any, violating: Any, weights: Any, *, cut: float, risk: Risk, alpha: float, delta: float) -> int:
    """How many times over weighted audits must have come in, such as came in, until betting certifies the cut: a bet
    has no formula for that. One of TIMES; the last that was tried where none would do.
    """
    tried = 1
    for times in TIMES:
        if times * len(scores) > REPEATED:
            break
        tried = times
        said = (np.tile(np.asarray(one), times) for one in (scores, violating, weights))
        values, wrong, chances = said
        found = certify(values, wrong, risk=risk, alpha=alpha, delta=delta, weights=chances)
        if found.threshold is None:
            continue
        if found.n == found.audits or (cut <= found.threshold if risk == "FOR" else cut >= found.threshold):
            break
    return tried
