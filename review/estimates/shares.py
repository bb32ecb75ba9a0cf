"""Shares and counts of all images, from those that people looked at by lot. Pure.

Each image had its chance π to be looked at, stored at triage, and stands for w = 1/π images (Horvitz and Thompson,
JASA 47, 1952). A share is the ratio of two such sums (J. Hájek in Godambe & Sprott, Foundations of Statistical
Inference, 1971); where the number of images is known, the weights are scaled to meet it, so that images drawn and not
yet answered are spoken for by those that were.

The interval is a weighted Clopper and Pearson's (Biometrika 26, 1934). To go up, one more hit is added, as M. P. Fay
and E. J. Feuer do for weighted counts (Statistics in Medicine 16, 1997), of the weight Σw²/Σw: that of an image met by
its weight. The variance of the ratio, linearised by Taylor's rule for a lot drawn image by image, then says how many
equally likely images it is worth (E. L. Korn and B. I. Graubard, Survey Methodology 24, 1998), and the end is the Beta
quantile for that many. To go down, the same of what was no hit. With equal chances, and few of all images drawn, it is
exactly Clopper and Pearson's; with no hit at all it is not empty; what was looked at whole has no doubt left.
`tests/review/estimates` simulates what it covers, beside Taylor's own interval, which breaks down where hits are few.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from typing import Any, Final, Self

from review.quality.posteriors import beta_quantile

TAIL: Final = 0.025
LARGEST: Final = 1e7  # images' worth, beyond which more say nothing more


@dataclass(frozen=True, slots=True)
class Sums:
    """Of one kind of images: how many there are, how many were looked at (`n`), how many of these are hits, and Σw and
    Σw² over both. Sums of days add up to those of a week.
    """

    images: float = 0.0
    n: int = 0
    hits: int = 0
    w: float = 0.0
    w2: float = 0.0
    w_hits: float = 0.0
    w2_hits: float = 0.0

    def __add__(self, other: Self) -> Self:
        return type(self)(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @classmethod
    def over(cls, parts: Iterable[Self]) -> Self:
        return sum(parts, cls())

    @classmethod
    def of(cls, seen: Iterable[tuple[float, bool]], *, images: float | None = None) -> Self:
        """From each image's chance and whether it is a hit; without `images`, as many as the weights say."""
        rows = [(1 / chance, hit) for chance, hit in seen]
        hits = [weight for weight, hit in rows if hit]
        w = sum(weight for weight, _hit in rows)
        return cls(
            w if images is None else images,
            len(rows),
            len(hits),
            w,
            sum(weight**2 for weight, _hit in rows),
            sum(hits),
            sum(weight**2 for weight in hits),
        )

    @classmethod
    def load(cls, counts: Mapping[str, Any]) -> Self:
        return cls(**{name: counts.get(name, 0) for name in cls.__slots__})

    @property
    def rest(self) -> Self:
        """The same images, the others being hits."""
        return type(self)(
            self.images,
            self.n,
            self.n - self.hits,
            self.w,
            self.w2,
            self.w - self.w_hits,
            self.w2 - self.w2_hits,
        )

    @property
    def share(self) -> float | None:
        """Hájek's ratio; None where nothing was looked at."""
        return min(1.0, max(0.0, self.w_hits / self.w)) if self.w else None


@dataclass(frozen=True, slots=True)
class Figure:
    """An estimate with its 95 % interval, the images looked at for it, and the hits among them. `value` is None, and
    the interval everything, where nothing was.
    """

    value: float | None
    low: float
    high: float
    n: int
    hits: int


def share(sums: Sums) -> Figure:
    """Of these images, the share that are hits."""
    found = sums.share
    if found is None:
        return Figure(None, 0.0, 1.0, 0, 0)
    low, high = 1 - upper(sums.rest), upper(sums)
    return Figure(found, min(low, found), max(high, found), sums.n, sums.hits)


def upper(sums: Sums) -> float:
    """The end of the interval above. In it v = w(w − 1) is a hit's part of the variance: what is surely looked at has
    none.
    """
    scale = sums.images / sums.w
    more = max(scale * sums.w2 / sums.w, 1.0)
    total = scale * sums.w + more
    ratio = min((scale * sums.w_hits + more) / total, 1.0)
    hits = spread(scale, sums.w_hits, sums.w2_hits) + more * (more - 1)
    others = spread(scale, sums.w - sums.w_hits, sums.w2 - sums.w2_hits)
    variance = (1 - ratio) ** 2 * hits + ratio**2 * others
    if variance <= 0 or ratio >= 1:
        return 1.0 if ratio >= 1 and sums.w_hits < sums.w else (sums.share or 0.0)
    worth = min(ratio * (1 - ratio) * total**2 / variance, LARGEST)
    return beta_quantile(1 - TAIL, ratio * worth, (1 - ratio) * worth)


def spread(scale: float, w: float, w2: float) -> float:
    return max(scale * scale * w2 - scale * w, 0.0)
