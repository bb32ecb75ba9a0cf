"""From what people said of an image to its labels: which, how grave, and how far people agreed. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from moderation.taxonomy import UNTRAINABLE
from review.labels.reading import arrow, whole
from review.labels.scores import CODES, PLACE
from review.models import Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from review.labels.reading import Block

NONE: Final = np.int8(-1)
BARRED: Final = np.array([code in UNTRAINABLE for code in CODES])


@dataclass(frozen=True, eq=False)
class Derived:
    """Of N images and C categories. `label` and `severity` [N, C] are -1 where nobody said anything.

    `agreement` [N, C]: of the people asked, the share that say what the label says. `share` [N, C]: of those who said
    anything of the category, the share that see it. `votes` [N] is how many were asked; `latest` [N] is the row in the
    block of who settled it, -1 where nobody has; `gold` [N] and `named` [N], whether any of them named what nobody may
    train on.
    """

    label: NDArray[np.int8]
    severity: NDArray[np.int8]
    agreement: NDArray[np.float64]
    share: NDArray[np.float64]
    votes: NDArray[np.intp]
    latest: NDArray[np.intp]
    gold: NDArray[np.bool_]
    barred: NDArray[np.bool_]


def derive(block: Block, scored: NDArray[np.bool_]) -> Derived:
    """`scored` [N, C]: what the classifiers looked for. A gold item says all there is to say of its image."""
    count, starts, owner = len(block), block.starts, block.owner
    rows = block.table.num_rows
    if not count:
        nothing = np.zeros((0, len(CODES)))
        small, none = nothing.astype(np.int8), np.zeros(0, np.intp)
        return Derived(small, small, nothing, nothing, none, none, none.astype(np.bool_), none.astype(np.bool_))
    alone = block.alone  # then what follows has nothing to add up

    def total(each: NDArray[Any], how: np.ufunc) -> NDArray[Any]:
        return each if alone else how.reduceat(each, starts)

    named = severities(block)
    blocks = block.column("verdict") == Verdict.BLOCK.value
    gold = block.column("gold").astype(np.bool_)
    of_gold = gold[starts]
    counts = gold | ~of_gold[owner]  # of a gold item's image, people's own decisions count no more
    settles = block.column("settles").astype(np.bool_) & counts
    latest = total(np.where(settles, np.arange(rows), rows), np.minimum)
    unsettled = latest == rows
    of = np.where(unsettled, 0, latest)
    votes = total(counts.astype(np.intp), np.add)

    names, said, blocked = named >= 0, named[of], blocks[of]
    label = np.where(blocked[:, None], np.where(names[of], np.int8(1), NONE), np.where(scored, np.int8(0), NONE))
    severity = np.where(label == 1, said, np.where(label == 0, np.int8(0), NONE))
    label[unsettled] = NONE
    same = (blocks == blocked[owner])[:, None] & (names == (said >= 0)[owner]) & counts[:, None]
    agreement = total(same.astype(np.int32), np.add) / votes[:, None]
    affirm = total((names & (blocks & counts)[:, None]).astype(np.int32), np.add)
    deny = total((~blocks & counts).astype(np.int32), np.add)[:, None]
    share = affirm / np.maximum(affirm + deny, 1)
    barred = total(np.asarray(names[:, BARRED].any(axis=1)), np.logical_or)
    return Derived(label, severity, agreement, share, votes, np.where(unsettled, -1, latest), of_gold, barred)


def severities(block: Block) -> NDArray[np.int8]:
    """[D, C]: how grave each decision says each category is, -1 where it does not name it."""
    told = whole(block.table["labels"]).dictionary_encode()
    table = np.array([read(one) for one in told.dictionary.to_pylist()], np.int8).reshape(-1, len(CODES))
    found: NDArray[np.int8] = table[told.indices.to_numpy()]
    return found


@lru_cache(maxsize=4096)
def read(text: str) -> tuple[int, ...]:
    row = [int(NONE)] * len(CODES)
    for one in json.loads(text):
        row[PLACE[one["category"]]] = int(one["severity"])
    return tuple(row)


def reviewers(block: Block, derived: Derived) -> Any:
    """[N] lists of who was asked, the newest first."""
    gold = block.column("gold").astype(np.bool_)
    counts = gold | ~derived.gold[block.owner]
    edges = np.concatenate([[0], np.cumsum(derived.votes)])
    who = whole(block.table["reviewer_id"]).filter(arrow(counts))
    return pa.ListArray.from_arrays(pa.array(edges, pa.int32()), who)
