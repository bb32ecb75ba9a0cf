"""Two data sets side by side: what was asked, what is in both, and what changed its label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from classifiers import manifests
from review.datasets import MEMBERS, folder_of, index_of
from review.models import Dataset

MOST_ROWS: Final = 500_000  # of each, where labels are compared one by one


@dataclass(frozen=True, slots=True)
class Change:
    """Of one category: affirmed and denied in each."""

    category: str
    first: tuple[int, int]
    second: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """Images only in the first, in both, only in the second. `turned`: labels that say the opposite, None where the
    sets are too large to look. `asked`: parts of the query that differ.
    """

    only_first: int
    both: int
    only_second: int
    turned: int | None
    moved: int | None
    asked: Sequence[tuple[str, Any, Any]]
    categories: Sequence[Change]


def compare(first: Dataset, second: Dataset) -> Difference:
    """Raises FilesGone."""
    a, b = folder_of(first), folder_of(second)
    ours, theirs = members(a), members(b)
    both = len(np.intersect1d(ours, theirs, assume_unique=True))
    turned, moved = changed(a, b) if max(first.rows, second.rows) <= MOST_ROWS else (None, None)
    names = sorted({*first.query, *second.query})
    asked = [(name, first.query.get(name), second.query.get(name)) for name in names]
    return Difference(
        len(ours) - both,
        both,
        len(theirs) - both,
        turned,
        moved,
        [one for one in asked if one[1] != one[2]],
        by_category(index(a), index(b)),
    )


def members(folder: Path) -> Any:
    """Keys as whole numbers."""
    halves = np.frombuffer((folder / MEMBERS).read_bytes(), ">u8").reshape(-1, 2)
    return np.array([high << 64 | low for high, low in halves.tolist()], dtype=object)


def index(folder: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = index_of(folder)["counts"]["categories"]
    return found


def changed(first: Path, second: Path) -> tuple[int, int]:
    """Labels that say the opposite of each other, and images that lie in another split."""
    columns = ["submission_id", "category", "label", "split"]
    ours, theirs = (manifests.read(one).table.select(columns) for one in (first, second))
    joined = ours.join(theirs, ["submission_id", "category"], join_type="inner", right_suffix="_then")
    labels = np.asarray(joined["label"].to_numpy() != joined["label_then"].to_numpy())
    splits = np.asarray(joined["split"].to_numpy() != joined["split_then"].to_numpy())
    apart = joined.filter(pa.array(splits))["submission_id"]
    return int(labels.sum()), len(apart.unique())


def by_category(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Change]:
    def counts(told: Mapping[str, Any], code: str) -> tuple[int, int]:
        cell = told.get(code, {})
        return cell.get("positive", 0), cell.get("negative", 0)

    return [Change(code, counts(first, code), counts(second, code)) for code in sorted({*first, *second})]
