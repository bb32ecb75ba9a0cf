"""Precision, miss rate, recall and prevalence from the parts of the traffic: what machines approved, what they blocked,
and what people decided. Pure.

How many violate in a part is its share times its images, which are counted and not estimated. Intervals of sums, and of
the ratio of two sums, are put together from those of the parts by the method of variance estimates recovery (G. Y. Zou
and A. Donner, Statistics in Medicine 27, 2008; A. Donner and G. Y. Zou, Statistical Methods in Medical Research 21,
2012): it needs no normal law and keeps an interval's lopsidedness, as where no miss was found among few audits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import Final, Literal, Self

from review.estimates.shares import Figure, Sums, share

Part = Literal["approve", "review", "block", "own"]
PARTS: Final[tuple[Part, ...]] = ("approve", "review", "block", "own")
Name = Literal["precision", "miss_rate", "recall", "prevalence"]
NAMES: Final[tuple[Name, ...]] = ("precision", "miss_rate", "recall", "prevalence")
NOTHING: Final = Figure(None, 0.0, 1.0, 0, 0)


@dataclass(frozen=True, slots=True)
class Total:
    """So many images, between `low` and `high` of them with 95 % confidence; `value` None: nobody looked."""

    value: float | None
    low: float
    high: float

    @classmethod
    def within(cls, sums: Sums) -> Self:
        """How many of these images are hits."""
        found = share(sums)
        value = 0.0 if not sums.images else None if found.value is None else sums.images * found.value
        return cls(value, sums.images * found.low, sums.images * found.high)

    @classmethod
    def over(cls, parts: Sequence[Self]) -> Self:
        """Of parts that were drawn apart from each other."""
        if any(one.value is None for one in parts):
            return cls(None, sum(one.low for one in parts), sum(one.high for one in parts))
        middles = [one.value or 0.0 for one in parts]
        middle = sum(middles)
        down = sqrt(sum((at - one.low) ** 2 for at, one in zip(middles, parts, strict=True)))
        up = sqrt(sum((one.high - at) ** 2 for at, one in zip(middles, parts, strict=True)))
        return cls(middle, max(0.0, middle - down), middle + up)


@dataclass(frozen=True, slots=True)
class Quality:
    """Of one category, or of any harm. `precision`: of what machines blocked for it, what violates it; `miss_rate`: of
    what they approved, what violates it (FOR); `recall`: of all that violates it, what machines blocked or people saw;
    `prevalence`: of all images, what violates it.
    """

    precision: Figure
    miss_rate: Figure
    recall: Figure
    prevalence: Figure
    images: float
    n: int

    @classmethod
    def of(cls, parts: Mapping[str, Sums]) -> Self:
        approve, review, block, own = (parts.get(name, Sums()) for name in PARTS)
        whole = approve + review + block
        found, missed = Total.over([Total.within(review), Total.within(block)]), Total.within(approve)
        return cls(
            share(own),
            share(approve),
            recall(found, missed, whole),
            prevalence(Total.over([found, missed]), whole),
            whole.images,
            whole.n,
        )

    def figures(self) -> Iterable[tuple[Name, Figure]]:
        return ((name, getattr(self, name)) for name in NAMES)


def prevalence(total: Total, whole: Sums) -> Figure:
    if not whole.images or not whole.n:
        return NOTHING
    value = None if total.value is None else min(total.value / whole.images, 1.0)
    return Figure(value, total.low / whole.images, min(total.high / whole.images, 1.0), whole.n, whole.hits)


def recall(found: Total, missed: Total, whole: Sums) -> Figure:
    """found / (found + missed), which falls as missed / found grows."""
    least, most = ratio(missed, found)
    low, high = 1 / (1 + most), 1 / (1 + least)
    both = None if found.value is None or missed.value is None else found.value + missed.value
    value = found.value / both if both and found.value is not None else None
    if value is not None:
        low, high = min(low, value), max(high, value)
    return Figure(value, low, high, whole.n, whole.hits)


def ratio(above: Total, below: Total) -> tuple[float, float]:
    """The interval of above / below, after Donner and Zou; without a middle, or where the formula has no root, the ends
    over the ends, which is wider.
    """
    widest = (above.low / below.high if below.high else 0.0, above.high / below.low if below.low else inf)
    if above.value is None or below.value is None:
        return widest
    a, b = above.value, below.value
    least = bound(a, b, above.low, below.high)
    most = bound(a, b, above.high, below.low)
    return (widest[0] if least is None else least[0]), (widest[1] if most is None else most[1])


def bound(a: float, b: float, end: float, other: float) -> tuple[float, float] | None:
    """Both roots of the quadratic for the end of a/b where a's is `end` and b's `other`; None where it has none."""
    scale, product = other * (2 * b - other), a * b
    inside = product**2 - end * other * (2 * a - end) * (2 * b - other)
    if scale <= 0 or inside < 0:
        return None
    root = sqrt(inside)
    return (product - root) / scale, (product + root) / scale
