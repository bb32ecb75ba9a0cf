"""The newest triaged images as columns: by binary COPY straight into arrays, a million findings in about a second."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final
from uuid import UUID

import numpy as np
from django.db import connection

from classifiers.cards import SIGNALS
from classifiers.models import ClassifierVersion
from moderation.models import Status, Submission
from moderation.plans.overlays import Served
from moderation.routing import Evidence, Plan
from moderation.simulation.columns import SILENT, Voice
from moderation.simulation.effects import RECENT
from moderation.simulation.places import Declared
from moderation.triage.replay import evidence_under
from moderation.triage.scoring import named, read

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moderation.simulation.columns import Flags

    Keys = NDArray[np.uint64]

MOST: Final = 1_000_000
BLOCK: Final = 10_000  # rows parsed at a time: they stay in the cache, and never lie in memory twice as a whole
HEADER: Final = 19  # bytes before the first row
END: Final = (2, b"\xff\xff")  # the last message
EMPTY: Final = HEADER + 2  # bytes of the only message where there are no rows
FIRST: Final = "SELECT id FROM moderation_submission ORDER BY id DESC OFFSET %s LIMIT 1"
SINCE: Final = ">= %s"
AMONG: Final = "= ANY(%s::uuid[])"
# In these, {among} says which images.
COUNTED: Final = "SELECT count(*) FROM moderation_submission WHERE id {among} AND status <> 'received'"
# As pgvector's `vector` the numbers, all of them finite, leave the server in half the bytes and much less time than as
# an array. There is no `vector` of none.
FINDINGS: Final = """
COPY (
    SELECT submission_id, evidence <> '{{}}', {numbers} FROM moderation_finding
    WHERE classifier_id = %s AND submission_id {among} AND cardinality(probabilities) = %s
) TO STDOUT (FORMAT BINARY)
"""
HEARD: Final = """
COPY (
    SELECT id, hash_array_extended(heard, 0) FROM moderation_submission WHERE id {among} AND status <> 'received'
) TO STDOUT (FORMAT BINARY)
"""
# What overlays ask about, as one number an image; what it stands for is looked up once for each.
SERVED: Final = """
COPY (
    SELECT id, hashtextextended(
        concat_ws('|', territories::text, audience, length(surface), surface, context ->> 'verified'), 0
    ) FROM moderation_submission WHERE id {among} AND status <> 'received'
) TO STDOUT (FORMAT BINARY)
"""
SHOWN: Final = """
SELECT submission_id, probabilities, evidence FROM moderation_finding
WHERE classifier_id = %s AND submission_id {among} AND evidence <> '{{}}'
"""


@dataclass(frozen=True, slots=True)
class Window:
    """Which images a statement reads: those since a key, or those named."""

    among: str
    value: UUID | str

    @classmethod
    def newest(cls, last: int) -> Window:
        return cls(SINCE, oldest_of(last))

    @classmethod
    def named(cls, keys: Keys) -> Window:
        return cls(AMONG, uuid_array(keys))

    def statement(self, text: str, **more: str) -> str:
        return text.format(among=self.among, **more)


@dataclass(frozen=True, slots=True)
class History:
    """N triaged images, in no order, and what each version said of them. `keys[N, 2]` are the halves of their ids."""

    keys: Keys
    voices: dict[str, Voice]

    def __len__(self) -> int:
        return len(self.keys)

    def ids(self, rows: NDArray[np.intp]) -> list[UUID]:
        return identities(self.keys[rows])


@dataclass(frozen=True, slots=True)
class Told:
    """What one version's findings hold: of M images, by key, the scores [K, M], and whether it showed anything."""

    version: ClassifierVersion
    keys: Keys
    scores: NDArray[np.float32]
    showed: Flags


def newest(refs: Sequence[str], *, last: int = MOST) -> History:
    """What these versions said of the newest `last` images that triage has seen."""
    return read_in(Window.newest(last), refs)


def read_in(window: Window, refs: Sequence[str]) -> History:
    """What these versions said of the window's images that triage has seen. A few statements, whatever their number.

    A version that has nothing stored for an image but could be asked again (heads on a stored embedding, rules) is
    asked for the newest of them only; on the rest it is silent, as `moderation.triage.replay` has it. A ref that
    nobody registered has no voice.
    """
    told = [findings(version, window) for version in named(refs)]
    keys, heard = images(told, window)
    voices = {one.version.ref: voice(one, keys, heard.get(one.version.ref), window) for one in told}
    return History(keys, asked_again(voices, keys))


def oldest_of(last: int) -> UUID:
    with connection.cursor() as cursor:
        cursor.execute(FIRST, [max(0, last - 1)])
        row = cursor.fetchone()
    return row[0] if row else UUID(int=0)


def findings(version: ClassifierVersion, window: Window) -> Told:
    size = len(version.categories)
    # Of a record: two lengths, the image, whether anything was shown, a length, and the numbers.
    plain = [("fields", ">i2"), ("a", ">i4"), ("key", ">u8", 2), ("b", ">i4"), ("showed", "?"), ("c", ">i4")]
    numbers = [("head", ">i2", 2), ("values", ">f4", (size,))] if size else [("none", ">i4", 3)]
    record = np.dtype([*plain, *numbers])
    statement = window.statement(FINDINGS, numbers="probabilities::vector" if size else "probabilities")
    keys, scores, showed = [], [], []
    for block in records(statement, [version.pk, window.value, size], record):
        if size and not (block["head"] == (size, 0)).all():
            raise ValueError(f"{version.ref}: a stored finding holds something other than {size} numbers")
        keys.append(block["key"].astype(np.uint64))
        values = block["values"].T if size else np.zeros((0, len(block)))
        scores.append(np.ascontiguousarray(values, dtype=np.float32))
        showed.append(block["showed"].copy())
    if not keys:
        return Told(version, np.zeros((0, 2), np.uint64), np.zeros((size, 0), np.float32), np.zeros(0, np.bool_))
    table = np.concatenate(scores, axis=1)
    if version.kind in SIGNALS:
        table[table == 0] = SILENT
    return Told(version, np.concatenate(keys), table, np.concatenate(showed))


def records(
    statement: str, parameters: Sequence[object] | Mapping[str, object], record: np.dtype[np.void]
) -> Iterator[NDArray[np.void]]:
    """The rows of a binary COPY whose records all have one size, in blocks."""
    with connection.cursor() as cursor, cursor.copy(statement, parameters) as copy:
        # Straight from libpq up to the message that ends a COPY, with as little Python a row as can be: psycopg's own
        # loop is slower than the server.
        take = partial(copy.connection.pgconn.get_copy_data, 0)
        first = take()
        rows = iter(take, END) if first[0] != EMPTY else iter(())
        data = bytearray(first[1][HEADER:])
        while True:
            for _size, part in islice(rows, BLOCK):
                data += part  # at once, so that libpq gets the same memory back for the next row
            if len(data) < record.itemsize:
                break
            yield np.frombuffer(data, record, len(data) // record.itemsize)
            data = bytearray()
        for _rest in copy:
            pass


def images(told: Sequence[Told], window: Window) -> tuple[Keys, dict[str, Flags]]:
    """The images triage has seen since, and which of the versions were heard on each. Where one version's findings
    name all of them, theirs is the order, and nothing more is read.
    """
    with connection.cursor() as cursor:
        cursor.execute(window.statement(COUNTED), [window.value])
        total = cursor.fetchone()[0]
    if len(told) == 1 and len(told[0].keys) == total:
        return told[0].keys, {}
    keys, numbers = numbered(HEARD, window)
    sets, examples, which = np.unique(numbers, return_index=True, return_inverse=True)
    names = dict(Submission.objects.filter(pk__in=identities(keys[examples])).values_list("pk", "heard"))
    by_set = [frozenset(names.get(key, ())) for key in identities(keys[examples])]
    assert len(by_set) == len(sets)
    return keys, {
        one.version.ref: np.array([one.version.ref in heard for heard in by_set], np.bool_)[which] for one in told
    }


def numbered(statement: str, window: Window) -> tuple[Keys, NDArray[np.int64]]:
    """The window's images, and one number each."""
    record = np.dtype([("fields", ">i2"), ("a", ">i4"), ("key", ">u8", 2), ("b", ">i4"), ("number", ">i8")])
    blocks = [(np.zeros((0, 2), np.uint64), np.zeros(0, np.int64))]
    blocks += [
        (block["key"].astype(np.uint64), block["number"].astype(np.int64))
        for block in records(window.statement(statement), [window.value], record)
    ]
    return np.concatenate([keys for keys, _ in blocks]), np.concatenate([numbers for _, numbers in blocks])


def declared(found: History, window: Window) -> Declared:
    """To whom each of these images is shown; an image that came meanwhile is not among them."""
    keys, numbers = numbered(SERVED, window)
    _numbers, examples, which = np.unique(numbers, return_index=True, return_inverse=True)
    columns = ("territories", "audience", "surface", "context")
    told = Submission.objects.filter(pk__in=identities(keys[examples])).values_list("pk", *columns)
    by_key = {key: Served.declared(*said) for key, *said in told}
    cases = [by_key.get(key, Served()) for key in identities(keys[examples])]
    places = find(found.keys, keys)
    # Not known to whom: the strictest of what may hold does.
    return Declared([*cases, Served()], np.where(places >= 0, which[places] if len(which) else -1, len(cases)))


def voice(told: Told, keys: Keys, heard: Flags | None, window: Window) -> Voice:
    """The version's findings in the order of `keys`, with what it showed."""
    version = told.version
    if keys is told.keys:
        places, scores, spoke, showed = np.arange(len(keys)), told.scores, np.ones(len(keys), np.bool_), told.showed
    else:
        places = find(told.keys, keys)
        there = places >= 0
        scores = np.full((len(version.categories), len(keys)), SILENT, np.float32)
        scores[:, places[there]] = told.scores[:, there]
        spoke = np.zeros(len(keys), np.bool_) if heard is None else heard.copy()
        spoke[places[there]] = True
        showed = told.showed & there
    said = {}
    if showed.any():
        place = dict(zip(identities(told.keys[showed]), places[showed].tolist(), strict=True))
        with connection.cursor() as cursor:
            cursor.execute(window.statement(SHOWN), [version.pk, window.value])
            for key, values, shown in cursor.fetchall():
                if key in place:
                    evidence = json.loads(shown) if isinstance(shown, str) else shown
                    said[place[key]] = read(version, values, evidence)
    return Voice(version.ref, tuple(version.categories), scores, spoke, said)


def asked_again(voices: dict[str, Voice], keys: Keys) -> dict[str, Voice]:
    """The same, with the newest images that a version was silent on worked out from what is stored of them."""
    quiet = np.zeros(len(keys), np.bool_)
    for one in voices.values():
        quiet |= ~one.spoke
    rows = np.flatnonzero(quiet)
    if not len(rows):
        return voices
    late = sorted(zip(identities(keys[rows]), rows.tolist(), strict=True), reverse=True)[:RECENT]
    stored = Submission.objects.exclude(status=Status.RECEIVED).only("pk", "heard").in_bulk([key for key, _row in late])
    asked = [(stored[key], row) for key, row in late if key in stored]
    plan = Plan(0, {}, tuple(voices))
    answers = evidence_under([submission for submission, _row in asked], plan)
    told: dict[str, dict[int, Evidence]] = {ref: {} for ref in voices}
    for (_submission, row), evidence in zip(asked, answers, strict=True):
        for said in evidence:
            if not said.error and not voices[said.classifier].spoke[row]:
                told[said.classifier][row] = said
    return {ref: with_late(one, told[ref]) for ref, one in voices.items()}


def with_late(one: Voice, late: dict[int, Evidence]) -> Voice:
    spoke = one.spoke.copy()
    spoke[list(late)] = True
    return Voice(one.ref, one.categories, one.scores, spoke, {**one.said, **late})


def find(wanted: Keys, keys: Keys) -> NDArray[np.intp]:
    """Where in `keys` each wanted one lies, -1 where nowhere."""
    mixed = mix(keys)
    order = np.argsort(mixed)
    places = np.searchsorted(mixed, mix(wanted), sorter=order)
    if not len(keys):
        return np.full(len(wanted), -1)
    found: NDArray[np.intp] = order[np.minimum(places, len(keys) - 1)]
    return np.where((keys[found] == wanted).all(axis=1), found, -1)


def mix(keys: Keys) -> NDArray[np.uint64]:
    """One number an image to sort by. Ids made in one millisecond share much of their first half; that two of a million
    meet in it happens once in ten million runs, and then one of them counts as unseen.
    """
    mixed: NDArray[np.uint64] = (keys[:, 0] * np.uint64(0x9E3779B97F4A7C15)) ^ keys[:, 1]
    return mixed


def identities(keys: Keys) -> list[UUID]:
    return [UUID(int=high << 64 | low) for high, low in keys.tolist()]


def uuid_array(keys: Keys) -> str:
    """As PostgreSQL reads it; a hundred thousand UUID objects would cost more than the query."""
    text = keys.astype(">u8").tobytes().hex()
    return "{" + ",".join(text[at : at + 32] for at in range(0, len(text), 32)) + "}"
