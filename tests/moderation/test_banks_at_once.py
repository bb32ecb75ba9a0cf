"""Several processes and one bank: nobody misses what another adds, in whatever order the transactions end."""

from __future__ import annotations

from threading import Event, Thread

import pytest
from django.db import connection, transaction

from moderation.banks import keeping
from moderation.banks.fingerprints import Fingerprint
from moderation.banks.known import Known
from moderation.models import Bank
from tests.moderation.knowing import COMMAND, bank

pytestmark = pytest.mark.django_db(transaction=True)

FIRST, SECOND = "0f" * 32, "f0" * 32


def add(one: Bank, pdq: str) -> None:
    keeping.add(one, [Fingerprint.of(pdq=pdq)], actor=COMMAND)


def add_elsewhere(one: Bank, pdq: str) -> None:
    """In a thread, on a connection of its own."""
    add(one, pdq)
    connection.close()


def knows(process: Known, *hashes: str) -> list[bool]:
    return [bool(found) for found in process.near([[bytes.fromhex(hash_)] for hash_ in hashes])]


def test_what_one_process_adds_every_other_matches_without_loading_all_again() -> None:
    one = bank()
    add(one, FIRST)
    workers = [Known(), Known()]
    for worker in workers:
        worker.refresh(at_once=True)
    loaded = [worker._index for worker in workers]

    adding = Thread(target=add_elsewhere, args=(one, SECOND))
    adding.start()
    adding.join(30)
    for worker in workers:
        worker.refresh(at_once=True)

    assert [knows(worker, FIRST, SECOND) for worker in workers] == [[True, True], [True, True]]
    assert [worker._index for worker in workers] == loaded


def test_an_addition_that_commits_late_is_not_skipped() -> None:
    one = bank()
    add(one, "55" * 32)
    reader, begun, may_end = Known(), Event(), Event()
    reader.refresh(at_once=True)

    def slow() -> None:
        with transaction.atomic():
            add(one, FIRST)
            begun.set()
            assert may_end.wait(30)
        connection.close()

    first = Thread(target=slow)
    first.start()
    assert begun.wait(30)
    second = Thread(target=add_elsewhere, args=(one, SECOND))
    second.start()  # it would be done at once, with the higher number, were there no order
    reader.refresh(at_once=True)
    between = knows(reader, FIRST, SECOND)
    may_end.set()
    first.join(30)
    second.join(30)
    reader.refresh(at_once=True)

    assert between == [False, False]
    assert knows(reader, FIRST, SECOND) == [True, True]
