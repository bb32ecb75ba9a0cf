"""A block of decisions, narrowed to what a query asks for, and let through the door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, get_args
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from moderation.models import Client, Reason
from review.labels import definitions
from review.labels.definitions import History
from review.labels.deriving import NONE, Derived, derive
from review.labels.door import Candidates, admit, truth
from review.labels.queries import Query, Refusal, Source
from review.labels.reading import FIRST, arrow, blocks, whole
from review.labels.scores import CODES, Scores, scores_of

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from review.labels.reading import Block

SOURCES: Final[tuple[Source, ...]] = get_args(Source)
HUMAN, CONSENSUS, GOLD = range(len(SOURCES))
OF_LATEST: Final = ("verdict", "decided_at", "policy_id", "seen_plan_id")
FACTS: Final = ("status", "working", "training", "consent", "licence", "consent_basis")


@dataclass(frozen=True, slots=True)
class Asked:
    """A query at one moment, with what was looked up for it once. `clients` are ids; empty: all."""

    query: Query
    asof: datetime
    history: History
    clients: tuple[str, ...] = ()

    @classmethod
    def at(cls, query: Query, asof: datetime) -> Asked:
        slugs = Client.objects.filter(slug__in=query.clients).values_list("pk", flat=True) if query.clients else ()
        return cls(query, asof, History.until(asof), tuple(map(str, slugs)))


@dataclass(eq=False)
class Selected:
    """Of N images and C categories, what leaves: `label` is -1 for all that does not. `numbers` and `guides` name the
    guideline each was made under, `kind` is a place in `definitions.KINDS`, `source` one in SOURCES.
    """

    block: Block
    scores: Scores
    derived: Derived
    label: NDArray[np.int8]
    severity: NDArray[np.int8]
    agreement: NDArray[np.float64]
    share: NDArray[np.float64]
    numbers: NDArray[np.int64]
    guides: NDArray[np.intp]
    kind: NDArray[np.int8]
    source: NDArray[np.int8]
    latest: pa.Table
    refused: Counter[str]

    def chances(self) -> NDArray[np.float64]:
        """[N]: that a person saw each image, as stored at triage; NaN where a draw to learn from chose it and no lot
        did: then it stands for itself alone.
        """
        table, block = self.block.table, self.block
        chance = np.array(block.images["chance"].to_numpy(), np.float64)
        learnt = truth(pc.equal(table["reason"], pa.scalar(Reason.LEARNING.value)))
        settles = truth(table["settles"])
        others = np.logical_or.reduceat(settles & ~learnt, block.starts) if len(block) else np.zeros(0, np.bool_)
        machine = ~truth(pc.equal(block.images["route"], pa.scalar("review")))
        chance[machine & ~others] = np.nan
        return chance


def selections(asked: Asked, *, after: UUID = FIRST) -> Iterator[Selected]:
    """Block by block, in the order of the images' keys, behind `after`."""
    for block, scores in blocks(asked.query, asof=asked.asof, after=after, beside=scores_of):
        yield select(block, scores, asked)


def select(block: Block, scores: Scores, asked: Asked) -> Selected:
    derived = derive(block, ~np.isnan(scores.highest))
    latest = block.table.select(OF_LATEST)
    if not (block.alone and (derived.latest >= 0).all()):
        latest = latest.take(arrow(np.maximum(derived.latest, 0)))
    shape = derived.label.shape
    told = Selected(
        block,
        scores,
        derived,
        derived.label.copy(),
        derived.severity.copy(),
        derived.agreement.copy(),
        derived.share.copy(),
        numbers(latest, asked.history),
        np.broadcast_to(np.arange(len(CODES)), shape).copy(),
        np.zeros(shape, np.int8),
        np.zeros(shape, np.int8),
        latest,
        Counter(),
    )
    told.label[~wanted(block, derived, latest, asked)] = NONE
    judge_definitions(told, asked)
    query = asked.query
    if query.categories:
        told.label[:, [code not in query.categories for code in CODES]] = NONE
    agreeing = np.rint(told.agreement * derived.votes[:, None])
    told.source = np.where(derived.gold[:, None], GOLD, np.where(agreeing > 1, CONSENSUS, HUMAN)).astype(np.int8)
    if query.sources:
        told.label[~np.isin(told.source, [SOURCES.index(one) for one in SOURCES if one in query.sources])] = NONE
    # Nothing may come after this but taking away.
    facts = block.images.select(FACTS).append_column("verdict", latest["verdict"])
    those = Candidates(facts, told.label, derived.barred, scores.forbidden, derived.gold)
    admitted = admit(those, demand=query.demand)
    told.label = admitted.label
    told.refused += admitted.refused
    return told


def wanted(block: Block, derived: Derived, latest: pa.Table, asked: Asked) -> NDArray[np.bool_]:
    """[N]: which images the query is about."""
    query = asked.query
    wants = derived.latest >= 0
    at = latest["decided_at"].to_numpy()
    if query.since:
        wants &= at >= definitions.microseconds(query.since)
    if query.until:
        wants &= at < definitions.microseconds(query.until)
    if query.clients:
        wants &= truth(pc.is_in(block.images["client_id"], value_set=pa.array(asked.clients, pa.string())))
    if query.generators:
        wants &= truth(pc.is_in(block.images["generator"], value_set=pa.array(query.generators)))
    if query.asked and len(block):
        asked_for = truth(pc.is_in(block.table["reason"], value_set=pa.array(query.asked)))
        wants &= np.logical_or.reduceat(asked_for, block.starts)
    return wants


def numbers(latest: pa.Table, history: History) -> NDArray[np.int64]:
    """[N, C]: which version of each guideline was in force when the image was settled; of the guideline that the
    reviewer had before them, the version they had.
    """
    found = history.numbers_at(latest["decided_at"].to_numpy())
    read = whole(latest["policy_id"]).dictionary_encode()
    seen = [history.own.get(one, (-1, 0)) for one in read.dictionary.to_pylist()]
    table = np.array([*seen, (-1, 0)], np.int64)[read.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
    rows = np.flatnonzero(table[:, 0] >= 0)
    found[rows, table[rows, 0]] = table[rows, 1]
    return found


def judge_definitions(told: Selected, asked: Asked) -> None:
    """Labels under a guideline that was replaced since are marked, taken away, or moved to what it became."""
    latest = asked.history.latest
    older = (told.label != NONE) & (told.numbers != latest) & (latest > 0)
    told.kind[older] = definitions.KINDS.index(definitions.OLDER)
    if asked.query.older == "keep" or not older.any():
        return
    moves = definitions.targets(asked.query.remap) if asked.query.older == "remap" else {}
    moved = []
    for (place, number), target in moves.items():
        rows = np.flatnonzero(older[:, place] & (told.numbers[:, place] == number))
        if target >= 0 and len(rows):
            moved.append((target, place, number, rows, told.label[rows, place], told.severity[rows, place]))
    told.refused[Refusal.REPLACED.value] += int(older.sum()) - sum(len(one[3]) for one in moved)
    told.label[older] = NONE
    for target, place, number, rows, label, severity in moved:
        free = told.label[rows, target] == NONE  # what was said of it under today's words goes first
        at = rows[free]
        told.label[at, target], told.severity[at, target] = label[free], severity[free]
        told.agreement[at, target], told.share[at, target] = told.agreement[at, place], told.share[at, place]
        told.numbers[at, target], told.guides[at, target] = number, place
        told.kind[at, target] = definitions.KINDS.index(definitions.REMAPPED)
