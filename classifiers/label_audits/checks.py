"""What else is wrong with a data set: near-duplicates in two splits, copies of contrary labels, too few of a class."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifiers.splits import SPLITS, clusters

ALIKE: Final = 0.985  # cosine of standardised embeddings from which two pictures count as one
FEWEST: Final = 20  # labels of the rarer class, below which a split can hardly be learnt from or measured on
RARE: Final = 0.01
LISTED: Final = 200


@dataclass(frozen=True, slots=True)
class Leak:
    """Near-duplicates in more than one split. `by`: cluster, hash or embedding."""

    pictures: tuple[str, ...]
    splits: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Near-duplicates of which one is said to violate a category and another not."""

    category: str
    violating: tuple[str, ...]
    harmless: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Balance:
    """Labels of one category, and by split (n, violating)."""

    category: str
    n: int
    positives: int
    splits: dict[str, tuple[int, int]]

    @property
    def share(self) -> float:
        return self.positives / self.n if self.n else 0.0

    @property
    def words(self) -> tuple[str, ...]:
        """What is too few, if anything: "one class", "rare", or a split's name."""
        rarer = min(self.positives, self.n - self.positives)
        if not rarer:
            return ("one class",)
        thin = [name for name, (n, ones) in self.splits.items() if min(ones, n - ones) < FEWEST]
        return (*(("rare",) if rarer / self.n < RARE else ()), *thin)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The R rows of a manifest, and of its P pictures id, near-duplicate group, split; `picture` [R] joins them."""

    category: NDArray[Any]
    label: NDArray[np.int8]
    picture: NDArray[np.int64]
    names: Sequence[str]
    groups: NDArray[np.int64]
    splits: Sequence[str]


def grouped(names: Sequence[str], stated: Sequence[str], hashes: Sequence[bytes | None]) -> NDArray[np.int64]:
    """The near-duplicate group of each picture: the cluster stated, joined where PDQ hashes are near. Exact."""
    found = clusters([cluster or name for cluster, name in zip(stated, names, strict=True)], hashes)
    _names, groups = np.unique(np.array(found, dtype=object), return_inverse=True)
    return groups.astype(np.int64)


def leaks(
    table: Table, stated: Sequence[str], near: tuple[NDArray[np.int64], NDArray[np.floating]] | None = None
) -> list[Leak]:
    """Groups that lie in several splits, and pairs by `near`, the nearest picture of another group and its cosine."""
    members: dict[int, list[int]] = defaultdict(list)
    for row, group in enumerate(table.groups.tolist()):
        members[group].append(row)
    found = []
    for rows in members.values():
        splits = {table.splits[row] for row in rows}
        if len(splits) > 1:
            by = "cluster" if len({stated[row] for row in rows if table.splits[row]}) == 1 else "hash"
            found.append(Leak(tuple(table.names[row] for row in rows), tuple(sorted(splits)), by))
    if near is not None:
        other, cosine = near
        for row in np.flatnonzero(np.nan_to_num(cosine, nan=-1.0) >= ALIKE).tolist():
            partner = int(other[row])
            seen_before = partner < row and int(other[partner]) == row
            if table.splits[row] != table.splits[partner] and not seen_before:
                pair = (table.names[row], table.names[partner])
                found.append(Leak(pair, tuple(sorted({table.splits[row], table.splits[partner]})), "embedding"))
    return found


def contradictions(table: Table) -> list[Contradiction]:
    sides: dict[tuple[str, int], tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    groups = table.groups[table.picture]
    for category, group, label, picture in zip(table.category, groups, table.label, table.picture, strict=True):
        sides[str(category), int(group)][int(label)].append(table.names[picture])
    return [
        Contradiction(category, tuple(ones), tuple(zeros))
        for (category, _group), (zeros, ones) in sorted(sides.items())
        if zeros and ones
    ]


def balance(table: Table) -> list[Balance]:
    splits = np.array(table.splits, dtype=object)[table.picture]
    found = []
    for category in sorted(set(table.category.tolist())):
        here = table.category == category
        by_split = {}
        for name in SPLITS:
            inside = here & (splits == name)
            by_split[name] = (int(inside.sum()), int(table.label[inside].sum()))
        found.append(Balance(str(category), int(here.sum()), int(table.label[here].sum()), by_split))
    return found
