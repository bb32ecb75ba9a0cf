"""Several certificates at once, so that all of them hold together with the stated confidence."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, TypeVar

from moderation.certificates.certifying import Certificate, Risk, certify

Key = TypeVar("Key", bound=Hashable)


def certify_all(
    samples: Mapping[Key, tuple[Any, Any, Any]], *, risk: Risk, alpha: float, delta: float
) -> dict[Key, Certificate]:
    """A certificate for each (scores, violating, weights), all of which hold at once with confidence 1 − `delta`.

    Holm (1979, A simple sequentially rejective multiple test procedure), on ladders: with K of them open, each is
    walked at δ/K; one that reaches the end of its ladder has nothing left to test and leaves its part of δ to the
    others, which are walked again. `delta` of each certificate is the part that it got.
    """
    open_ones, done = set(samples), dict[Key, Certificate]()
    while open_ones:
        part = delta / len(open_ones)
        walked = {key: certified(samples[key], risk, alpha, part) for key in samples if key in open_ones}
        ended = {key for key, one in walked.items() if one.threshold is not None and one.n == one.audits}
        done |= walked
        if not ended:
            break
        open_ones -= ended
    return {key: done[key] for key in samples}


def certified(sample: tuple[Any, Any, Any], risk: Risk, alpha: float, delta: float) -> Certificate:
    scores, violating, weights = sample
    return certify(scores, violating, risk=risk, alpha=alpha, delta=delta, weights=weights)
