"""Which request comes first: pure arithmetic, no Django and no clock.

A request presses with w · exp((t − due) / τ) at the time t, where w = severity × uncertainty × reach. All requests grow
by the same factor as time passes, so their order never changes, and the logarithm without t, ln w − due / τ, can be
stored once and served by an index. Docs: docs/architecture.md.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final

TAU: Final = 8 * 3600.0
"""Seconds: a due date one shift earlier counts as much as a weight e times as great."""
EPOCH: Final = datetime(2025, 1, 1, tzinfo=UTC)
MOST_VIEWS: Final = 1e9


def severity_factor(severity: int) -> float:
    """Each step from 0 to 4 counts twice the one below."""
    return float(2**severity)


def uncertainty_factor(probability: float | None, approve: float | None, block: float | None) -> float:
    """1 in the middle of the band of review, ½ at its cuts and beyond; 1 where no probability is known, for that is
    doubt too. Without a block cut the band ends at 1.
    """
    low, high = approve if approve is not None else 0.0, block if block is not None else 1.0
    if probability is None or high <= low:
        return 1.0
    return 0.5 + 0.5 * max(0.0, 1 - abs(2 * (probability - low) / (high - low) - 1))


def reach_factor(views: object) -> float:
    """1 + log10(1 + expected views), up to a thousand million; 1 for what is no such number."""
    if isinstance(views, bool) or not isinstance(views, int | float) or not views > 0:
        return 1.0
    return 1 + math.log10(1 + min(views, MOST_VIEWS))


def weight(
    severity: int,
    *,
    probability: float | None = None,
    approve: float | None = None,
    block: float | None = None,
    reach: object = None,
) -> float:
    """ln w."""
    w = severity_factor(severity) * uncertainty_factor(probability, approve, block) * reach_factor(reach)
    return math.log(w)


def urgent_first(weight: float, due: datetime) -> float:
    """The stored key of a request in a queue that goes by urgency; the greatest comes first."""
    return weight - (due - EPOCH).total_seconds() / TAU


def oldest_first(opened: datetime) -> float:
    """The stored key in a queue that goes by age."""
    return -(opened - EPOCH).total_seconds() / TAU
