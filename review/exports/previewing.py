"""What a query would give, before anything is made: through the same door, on the newest decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
from django.db import connection
from django.utils import timezone

from review.labels.deriving import NONE
from review.labels.queries import Query
from review.labels.reading import FIRST
from review.labels.scores import CODES
from review.labels.selecting import Asked, selections

NEWEST: Final = 8192  # decisions
START: Final = "SELECT submission_id FROM review_decision ORDER BY submission_id DESC OFFSET %s LIMIT 1"


@dataclass(frozen=True, slots=True)
class Preview:
    """`images` that would leave, of `decisions` that were read; `whole`: those are all there are. `categories`: code,
    affirmed, denied. Sampling and splits are not in it.
    """

    images: int
    labels: int
    decisions: int
    whole: bool
    categories: Sequence[tuple[str, int, int]]
    refused: Counter[str]


def preview(query: Query) -> Preview:
    """Bounded by NEWEST, whatever the archive."""
    start = oldest()
    asked = Asked.at(query, timezone.now())
    counts = np.zeros((len(CODES), 2), np.int64)
    images = decisions = 0
    refused = Counter[str]()
    for selected in selections(asked, after=start or FIRST):
        decisions += selected.block.table.num_rows
        images += int((selected.label != NONE).any(axis=1).sum())
        counts[:, 0] += (selected.label == 0).sum(axis=0)
        counts[:, 1] += (selected.label == 1).sum(axis=0)
        refused += selected.refused
    told = zip(CODES, counts.tolist(), strict=True)
    found = [(code, yes, no) for code, (no, yes) in told if yes + no]
    found.sort(key=lambda one: (-one[1], one[0]))
    return Preview(images, int(counts.sum()), decisions, start is None, found, refused)


def oldest() -> UUID | None:
    """The image before the newest NEWEST decisions; None where there are fewer."""
    with connection.cursor() as cursor:
        cursor.execute(START, [NEWEST])
        row = cursor.fetchone()
    return row[0] if row else None
