"""What the classifiers said of many images, as columns: a row an image, a column a category. No Django, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from moderation.routing import Evidence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float32]
    Flags = NDArray[np.bool_]

SILENT: Final = np.float32(-1)
"""Where a version says nothing of a category, which is no score of 0 in it."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One version's word on N images: `scores[K, N]` as PostgreSQL stores them (`real`), SILENT where there is none.

    `spoke[N]`: it had a word, if only that there is nothing to say. `said`: all it said, by row, where that was more
    than scores.
    """

    ref: str
    categories: tuple[str, ...]
    scores: Reals
    spoke: Flags
    said: Mapping[int, Evidence] = field(default_factory=dict)

    def evidence(self, row: int) -> Evidence:
        """As `moderation.triage.replay` gives it to routing."""
        if not self.spoke[row]:
            return Evidence(self.ref, error=f"{self.ref} has nothing stored for this image")
        if row in self.said:
            return self.said[row]
        values = zip(self.categories, self.scores[:, row], strict=True)
        return Evidence(self.ref, {code: decimal(value) for code, value in values if value != SILENT})


def spoken(voices: Sequence[Voice]) -> dict[str, Reals]:
    """Each category's highest score, SILENT where nobody scored it. One voice's column is not copied."""
    highest: dict[str, Reals] = {}
    for voice in voices:
        for code, column in zip(voice.categories, voice.scores, strict=True):
            highest[code] = np.maximum(highest[code], column) if code in highest else column
    return highest


def decimal(value: np.float32) -> float:
    """The number that PostgreSQL writes for this `real`: the shortest decimal that reads back as it."""
    return float(str(value))


def decimals(values: Reals) -> NDArray[np.float64]:
    """`decimal` of each. What triage stores has six decimals, which needs no text."""
    wide: NDArray[np.float64] = np.asarray(np.round(values.astype(np.float64), 6), np.float64)
    odd = np.flatnonzero(wide.astype(np.float32) != values)
    wide[odd] = [decimal(value) for value in values[odd]]
    return wide


def at_least(column: Reals, cut: float) -> Flags:
    """Where the stored decimal is `cut` or more, exactly: rounding to `real` keeps the order, so only numbers that
    round to the same `real` as the cut can lie on either side of it, and these are all the same number.
    """
    edge = np.float32(cut)
    return column >= edge if decimal(edge) >= cut else column > edge


def above(column: Reals, cut: float) -> Flags:
    """Where the stored decimal is more than `cut`, exactly."""
    edge = np.float32(cut)
    return column >= edge if decimal(edge) > cut else column > edge
