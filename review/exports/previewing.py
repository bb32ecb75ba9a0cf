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
from review.labels.reading import FIRST, blocks
from review.labels.scores import CODES
from review.labels.selecting import Asked, select

NEWEST: Final = 8192  # decisions
START: Final = "SELECT submission_id FROM review_decision ORDER BY submission_id DESC OFFSET %s LIMIT 1"


@dataclass(frozen=True, slots=True)
class Preview:
    """`images` that would leave, of `decisions` that were read; `whole`: those are all there are. `categories`: code,
    affirmed, denied, and the share affirmed. Sampling and splits are not in it.
    """

    images: int
    labels: int
    decisions: int
    whole: bool
    categories: Sequence[tuple[str, int, int, float]]
    refused: Counter[str]


def preview(query: Query) -> Preview:
    """Bounded by NEWEST, whatever the archive."""
    start = oldest()
    asked = Asked.at(query, timezone.now())
    counts = np.zeros((len(CODES), 2), np.int64)
    images = decisions = 0
    refused = Counter[str]()
    for block in blocks(query, asof=asked.asof, after=start or FIRST):
        told = select(block, asked)
        decisions += block.table.num_rows
        images += int((told.label != NONE).any(axis=1).sum())
        counts[:, 0] += (told.label == 0).sum(axis=0)
        counts[:, 1] += (told.label == 1).sum(axis=0)
        refused += told.refused
    found = [(code, int(yes), int(no), yes / (yes + no)) for code, (no, yes) in zip(CODES, counts, strict=True) if yes + no]
    found.sort(key=lambda one: (-one[1], one[0]))
    return Preview(images, int(counts.sum()), decisions, start is None, found, refused)


def oldest() -> UUID | None:
    """The image before the newest NEWEST decisions; None where there are fewer."""
    with connection.cursor() as cursor:
        cursor.execute(START, [NEWEST])
        row = cursor.fetchone()
    return row[0] if row else None
