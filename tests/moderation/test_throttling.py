"""The limit of requests, shared by processes that each take several at a time."""

from __future__ import annotations

from uuid import uuid4

from moderation.api.throttling import SPARE, Allowances

MINUTE = 29_000_000
MOST = 6000


def test_processes_together_let_through_what_the_limit_says_and_little_less() -> None:
    caller, processes = str(uuid4()), [Allowances() for _process in range(3)]
    let_through = sum(
        processes[number % 3].take(caller, minute=MINUTE, most=MOST) for number in range(MOST + 5 * SPARE)
    )
    assert MOST - 3 * SPARE < let_through <= MOST


def test_one_process_lets_through_exactly_what_the_limit_says() -> None:
    caller, process = str(uuid4()), Allowances()
    assert sum(process.take(caller, minute=MINUTE, most=605) for _request in range(700)) == 605


def test_callers_and_minutes_have_limits_of_their_own() -> None:
    one, other, process = str(uuid4()), str(uuid4()), Allowances()
    taken = [process.take(who, minute=MINUTE, most=1) for who in (one, one, other)]
    assert [*taken, process.take(one, minute=MINUTE + 1, most=1)] == [True, False, True, True]
