"""The same figures within declared groups: where a version is better, and where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from classifiers.evaluations.comparing import Compared, compare
from classifiers.evaluations.resampling import SEED
from classifiers.evaluations.samples import Samples

REPLICATES = 200
LEAST = 20
"""Labels below which a slice is only counted: its figures would be noise, and its images could be told apart."""
MOST_VALUES = 30


class Slice(TypedDict):
    """``compared`` is None where there are fewer than ``LEAST`` labels."""

    by: str
    value: str
    n: int
    positives: int
    compared: Compared | None


def slices(
    samples: Samples, *, cuts: Mapping[str, float], replicates: int = REPLICATES, seed: int = SEED
) -> list[Slice]:
    """By attribute, the most frequent values first; what lies beyond ``MOST_VALUES`` of an attribute is left out."""
    found: list[Slice] = []
    for by, values in samples.groups.items():
        ranked = sorted(values, key=lambda value, of=values: (-int(of[value].sum()), value))  # type: ignore[misc]
        for value in ranked[:MOST_VALUES]:
            inside = samples.where(values[value])
            if not len(inside):
                continue
            measured = compare(inside, cuts=cuts, replicates=replicates, seed=seed) if len(inside) >= LEAST else None
            found.append(Slice(by=by, value=value, n=len(inside), positives=inside.positives, compared=measured))
    return found
