"""Bands: from which probability a machine may approve, block, or must leave it to people."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

Zone = Literal["approve", "review", "block"]


class PlanError(ValueError):
    """The plan cannot be followed; the message names the category and what to mend."""


@dataclass(frozen=True, slots=True)
class Band:
    """Approve below one cut, block from the other; between them a person looks. `block` None: never block unseen."""

    approve: float
    block: float | None = None

    def zone(self, probability: float) -> Zone:
        if self.block is not None and probability >= self.block:
            return "block"
        return "approve" if probability < self.approve else "review"

    def tightened(self, by: float) -> Self:
        """Both cuts lower by `by`, never below 0."""
        return replace(
            self,
            approve=max(0.0, min(self.approve, round(self.approve - by, 6))),
            block=None if self.block is None else max(0.0, min(self.block, round(self.block - by, 6))),
        )


@dataclass(frozen=True, slots=True)
class Tightening:
    """Where `when` scores above `above`, the cuts of `category` are lower by `by`: care in one place asks for care in
    another.
    """

    when: str
    above: float
    category: str
    by: float


def strictest(bands: Iterable[Band]) -> Band:
    """At least as strict as each of them at every probability: the lowest of either cut. There must be one."""
    bands = list(bands)
    blocks = [band.block for band in bands if band.block is not None]
    return Band(min(band.approve for band in bands), min(blocks, default=None))


def parsed_bands(said: object) -> dict[str, Band]:
    """Raises PlanError."""
    if not isinstance(said, Mapping):
        raise PlanError("bands says, for each category, where to approve and where to block")
    return {str(category): parsed_band(str(category), cuts) for category, cuts in said.items()}


def parsed_band(category: str, cuts: Any) -> Band:
    if not isinstance(cuts, Mapping):
        raise PlanError(f"{category}: a band has an approve cut, and a block cut or none")
    approve, block = cuts.get("approve"), cuts.get("block")
    if not is_probability(approve) or not (block is None or is_probability(block)):
        raise PlanError(f"{category}: the cuts are probabilities between 0 and 1")
    if block is not None and block < approve:
        raise PlanError(f"{category}: the block cut {block} lies below the approve cut {approve}")
    return Band(float(approve or 0), None if block is None else float(block))


def is_probability(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value <= 1
