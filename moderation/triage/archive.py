"""The looks of the last images triaged, as one worker process holds them.

Read from the table of fingerprints: whole at the start, then what is new before each batch. Numbers come in the order
of writing and appear in that of committing, so a number that is missing below the newest is asked for again until it
appears, or has been missing for so long that its transaction must have failed. So every worker comes to hold the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

import numpy as np
from django.conf import settings
from django.db import connection

from classifiers.hashes import BankIndex

RADIUS: Final = 31  # of 256 bits: what PDQ's authors take for the same picture
PATIENCE: Final = 600.0  # seconds that a transaction may take to appear
LOOK_BACK: Final = 1000  # numbers below the newest that may be in flight when a process starts
CHUNK: Final = 20_000
SPARE: Final = 0.9  # share of the window that is kept when it is full

LOAD: Final = """
COPY (SELECT seq, pdq FROM moderation_fingerprint WHERE pdq IS NOT NULL ORDER BY seq DESC LIMIT %s)
TO STDOUT (FORMAT BINARY)
"""
READ: Final = """
(SELECT seq, pdq FROM moderation_fingerprint WHERE seq > %s ORDER BY seq LIMIT %s)
UNION ALL SELECT seq, pdq FROM moderation_fingerprint WHERE seq = ANY(%s) ORDER BY seq
"""
# PostgreSQL's binary COPY: a header, rows of two fields with their lengths, two bytes at the end.
HEADER: Final = 19
ROW: Final = np.dtype([("fields", ">i2"), ("a", ">i4"), ("seq", ">i8"), ("b", ">i4"), ("pdq", "u1", 32)])


class Archive:
    """Which fingerprints are near a hash. Holds the last `window` of them, about 140 bytes each."""

    def __init__(self, window: int) -> None:
        self.window = window
        self.index = BankIndex(())
        self.newest = 0
        self.missing: dict[int, float] = {}
        self.loaded = False

    def near(self, hashes: Sequence[bytes]) -> list[list[tuple[int, int]]]:
        """(number, distance) of each fingerprint within RADIUS, a list a hash; in step with what is committed now."""
        self.catch_up()
        return self.index.search(hashes, RADIUS) if hashes else []

    def catch_up(self) -> None:
        if not self.loaded:
            self.load(self.window)
        while self.read() >= CHUNK:
            pass
        if len(self.index) > self.window:
            self.load(int(self.window * SPARE))

    def forget(self, numbers: Iterable[int]) -> None:
        """What is gone from the table, as when an author was erased, is not found any more."""
        for number in numbers:
            if number in self.index:
                self.index.remove(number)

    def load(self, count: int) -> None:
        """Afterwards the last `count` fingerprints are held, and nothing else."""
        self.index = BankIndex(())  # before the next one is built: the two together would take twice the room
        with connection.cursor() as cursor, cursor.copy(LOAD, [count]) as copy:
            data = bytearray().join(copy)
        rows = np.frombuffer(data, ROW, count=(len(data) - HEADER) // ROW.itemsize, offset=HEADER)
        numbers = rows["seq"].astype(np.int64)
        codes = np.ascontiguousarray(rows["pdq"]).view(np.uint64)
        del rows, data
        self.index = BankIndex.of(numbers, codes)
        self.newest = int(numbers.max(initial=self.newest))
        recent = range(max(1, self.newest - LOOK_BACK), self.newest)
        held = set(numbers[numbers >= recent.start].tolist())
        self.missing = dict.fromkeys((number for number in recent if number not in held), time.monotonic())
        self.loaded = True

    def read(self) -> int:
        """One step forward; returns how many fingerprints came."""
        now = time.monotonic()
        self.missing = {number: since for number, since in self.missing.items() if now - since < PATIENCE}
        with connection.cursor() as cursor:
            cursor.execute(READ, [self.newest, CHUNK, list(self.missing)])
            rows = cursor.fetchall()
        for number, _pdq in rows:
            if number > self.newest:
                self.missing |= dict.fromkeys(range(self.newest + 1, number), now)
                self.newest = number
            else:
                self.missing.pop(number, None)
        self.index.extend((number, bytes(pdq)) for number, pdq in rows if pdq is not None)
        return len(rows)


@cache
def of_this_process() -> Archive:
    """Filled at the first batch, after the worker has forked."""
    return Archive(settings.NEIGHBOUR_WINDOW)
