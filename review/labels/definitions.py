"""Under which wording of which guideline a label was made, and what becomes of labels made under older ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import pyarrow as pa

from moderation.models import PolicyVersion
from review.labels.reading import arrow
from review.labels.scores import CODES, PLACE

if TYPE_CHECKING:
    from numpy.typing import NDArray

CURRENT, OLDER, REMAPPED = "current", "older", "remapped"
KINDS: Final = (CURRENT, OLDER, REMAPPED)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True, eq=False)
class History:
    """Every wording of every category, as published until one moment. `since[c]` ascends, in microseconds, and
    `numbers[c]` belongs to it; `own` has the place in CODES and the number of each category's own guidelines by id.
    """

    since: tuple[NDArray[np.int64], ...]
    numbers: tuple[NDArray[np.int64], ...]
    own: Mapping[str, tuple[int, int]]

    @classmethod
    def until(cls, moment: datetime) -> Self:
        rows = PolicyVersion.objects.of_categories().filter(published_at__lte=moment).order_by("published_at", "number")
        pairs: dict[str, list[tuple[int, int]]] = defaultdict(list)
        own = {}
        for key, code, number, at in rows.values_list("pk", "category", "number", "published_at"):
            pairs[code].append((microseconds(at), number))
            own[str(key)] = (PLACE[code], number)
        tables = [np.array(pairs[code], np.int64).reshape(-1, 2) for code in CODES]
        return cls(tuple(one[:, 0] for one in tables), tuple(one[:, 1] for one in tables), own)

    @cached_property
    def latest(self) -> NDArray[np.int64]:
        """[C]: the number in force, 0 where there is no guideline."""
        return np.array([one[-1] if len(one) else 0 for one in self.numbers], np.int64)

    def in_force(self) -> dict[str, str]:
        return {code: f"{code} v{number}" for code, number in zip(CODES, self.latest.tolist(), strict=True) if number}

    def numbers_at(self, moments: NDArray[np.int64]) -> NDArray[np.int64]:
        """[N, C]: the number in force at each moment, 0 where there was none."""
        edges, numbers = self.periods
        return numbers[np.searchsorted(edges, moments, side="right")]

    @cached_property
    def periods(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Moments [M] at which anything was published, ascending, and the numbers [M + 1, C] before, between and after
        them.
        """
        edges = np.unique(np.concatenate([*self.since, np.zeros(0, np.int64)]))
        numbers = np.zeros((len(edges) + 1, len(CODES)), np.int64)
        for column, (since, told) in enumerate(zip(self.since, self.numbers, strict=True)):
            if len(since):
                places = np.searchsorted(since, edges, side="right")
                numbers[1:, column] = np.concatenate([[0], told])[places]
        return edges, numbers


def names(numbers: NDArray[np.int64], columns: NDArray[np.intp]) -> Any:
    """“HATE v2” for each pair of a number and a category; "" for number 0."""
    pairs = columns.astype(np.int64) * (1 << 20) + numbers
    distinct, which = np.unique(pairs, return_inverse=True)
    words = [f"{CODES[one >> 20]} v{one & 0xFFFFF}" if one & 0xFFFFF else "" for one in distinct.tolist()]
    return pa.array(words, pa.string()).take(arrow(which))


def targets(remap: Mapping[str, str]) -> dict[tuple[int, int], int]:
    """(category, number) → category, -1 for none, as places in CODES."""
    found = {}
    for guideline, category in remap.items():
        code, _space, number = guideline.partition(" v")
        if code in PLACE:
            found[PLACE[code], int(number)] = PLACE[category] if category else -1
    return found
