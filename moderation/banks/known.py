"""This process's own copy of all PDQ entries, caught up from the database before it is asked.

The database numbers what is added and removed in the order of its commits (`BankEntry.change`), so that catching up is
one short query from the last number read, and nothing is loaded twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

from django.db import connection

from moderation.banks.fingerprints import RADIUS
from moderation.models import Bank, BankEntry

if TYPE_CHECKING:
    from classifiers.hashes import BankIndex

FRESH: Final = 1.0  # seconds that an answer may be old
NEAREST: Final = 5  # entries of each bank that are told of an image
CHUNK: Final = 50_000
# Bank and entry in one number, as the index keeps numbers only.
SHIFT: Final = 40

# Entries come in parcels of thousands: a million rows handed over one by one cost longer than reading them does.
EVERY: Final = """
COPY (
    SELECT string_agg(int8send(bank_id::bigint << %s | id) || pdq, ''::bytea) FROM moderation_bankentry
    WHERE removed_at IS NULL AND length(pdq) = 32
        AND bank_id IN (SELECT id FROM moderation_bank WHERE retired_at IS NULL)
    GROUP BY id >> 12
) TO STDOUT (FORMAT binary)
"""
ENTRY: Final = [("key", ">i8"), ("pdq", "V32")]


@dataclass(frozen=True, slots=True)
class Near:
    """An entry near an image: how far, and in which of the eight ways of laying the image down."""

    bank: int
    entry: int
    distance: int
    way: int


@dataclass(slots=True)
class Known:
    """What this process knows of the banks. `banks` are those not retired."""

    banks: Mapping[int, Bank] = field(default_factory=dict)
    _index: BankIndex | None = None
    _read: int = 0
    _checked: float = -FRESH
    _lock: RLock = field(default_factory=RLock)

    def refresh(self, *, at_once: bool = False) -> None:
        """Afterwards nothing that was committed more than `FRESH` seconds ago is missing."""
        with self._lock:
            now = time.monotonic()
            if not at_once and now - self._checked < FRESH:
                return
            self.banks = {bank.pk: bank for bank in Bank.objects.active()}
            if self.banks and self._index is None:
                self._load()
            elif self._index is not None:
                self._catch_up(self._index)
            self._checked = now

    def near(self, images: Sequence[Sequence[bytes]]) -> list[list[Near]]:
        """Per image, given in one or all ways of laying it down, the nearest entries of each bank."""
        with self._lock:
            if self._index is None:
                return [[] for _ in images]
            found = iter(self._index.search([hash_ for ways in images for hash_ in ways], RADIUS))
        return [self._nearest([next(found) for _ in ways]) for ways in images]

    def _nearest(self, found: Sequence[Sequence[tuple[int, int]]]) -> list[Near]:
        near: dict[int, dict[int, Near]] = {}
        pairs = sorted((distance, way, key) for way, one in enumerate(found) for key, distance in one)
        for distance, way, key in pairs:
            bank, entry = key >> SHIFT, key & ((1 << SHIFT) - 1)
            chosen = near.setdefault(bank, {})
            if bank in self.banks and len(chosen) < NEAREST and entry not in chosen:
                chosen[entry] = Near(bank, entry, distance, way)
        return [one for chosen in near.values() for one in chosen.values()]

    def _load(self) -> None:
        import numpy as np

        from classifiers.hashes import BankIndex

        # First the number, then the rows: what comes between is read twice, which does no harm.
        read = last_change()
        with connection.cursor() as cursor, cursor.copy(EVERY, [SHIFT]) as copy:
            copy.set_types(["bytea"])
            data = b"".join(parcel for (parcel,) in copy.rows())
        rows = np.frombuffer(data, np.dtype(ENTRY))
        keys = rows["key"].astype(np.int64)
        codes = np.frombuffer(rows["pdq"].tobytes(), np.uint64).reshape(-1, 4)
        self._index, self._read = BankIndex.of(keys, codes), read

    def _catch_up(self, index: BankIndex) -> None:
        for rows in changes(self._read):
            fresh: dict[int, bytes] = {}
            for key, pdq, removed, change in rows:
                if removed:
                    fresh.pop(key, None)
                    if key in index:
                        index.remove(key)
                elif key not in index:
                    fresh[key] = pdq
                self._read = change
            index.extend(fresh.items())


def changes(since: int) -> Iterator[list[tuple[int, bytes, bool, int]]]:
    """(key, pdq, whether removed, change), in order, some at a time."""
    while True:
        rows = (
            BankEntry.objects.filter(change__gt=since, pdq__gt=b"")
            .order_by("change")
            .values_list("bank_id", "id", "pdq", "removed_at", "change")[:CHUNK]
        )
        read: list[tuple[int, bytes, bool, int]] = [
            (key_of(bank, entry), bytes(pdq), removed is not None, change) for bank, entry, pdq, removed, change in rows
        ]
        if read:
            yield read
            since = read[-1][3]
        if len(read) < CHUNK:
            return


def key_of(bank: int, entry: int) -> int:
    return bank << SHIFT | entry


def last_change() -> int:
    found: Any = BankEntry.objects.order_by("-change").values_list("change", flat=True).first()
    return int(found or 0)


known: Final = Known()
"""The one of this process; it fills when it is first asked, after a worker has forked."""
