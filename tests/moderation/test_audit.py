"""The audit log: appended to, never changed; and whoever changes it all the same is found."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from moderation import audit, seals
from moderation.actors import HOUSE
from moderation.audit import Entry
from moderation.models import AuditChain, AuditEvent, AuditRoot
from tests.servers import superuser_url

Superuser = psycopg.Connection[Any]


@pytest.fixture
def log(transactional_db: None) -> list[AuditEvent]:
    """Five events of one subject, sealed, and some of others."""
    with transaction.atomic():
        for other in range(20):
            audit.record(Entry(HOUSE, "test.other", f"thing:{other}"))
        events = [audit.record(Entry(HOUSE, "test.event", "plan:1", {"n": n})) for n in range(5)]
    audit.seal()
    return events


@pytest.fixture
def superuser(log: list[AuditEvent]) -> Iterator[Superuser]:
    """Somebody with the database in their hands: triggers are off for this session."""
    with psycopg.connect(superuser_url(connection.settings_dict["NAME"]), autocommit=True) as session:
        session.execute("SET session_replication_role = replica")
        yield session


def named(event: AuditEvent) -> tuple[int, int, str]:
    return event.chain, event.position, str(event.pk)


def found() -> list[tuple[int, int, str]]:
    return [(broken.chain, broken.position, broken.event) for broken in audit.verify()]


def test_an_untouched_log_verifies(log: list[AuditEvent]) -> None:
    assert found() == []


@pytest.mark.parametrize(
    "change",
    [
        "actor_label = 'somebody else'",
        "actor = 'person:1'",
        "action = 'test.nothing'",
        "subject = 'plan:2'",
        "at = at + interval '1 microsecond'",
        "data = '{\"n\": 99}'",
    ],
)
def test_an_altered_row_is_named(log: list[AuditEvent], superuser: Superuser, change: str) -> None:
    superuser.execute(f"UPDATE moderation_auditevent SET {change} WHERE id = %s", [log[2].pk])

    assert found() == [named(log[2])]


def test_an_altered_row_with_a_fresh_digest_breaks_the_chain_after_it(
    log: list[AuditEvent], superuser: Superuser
) -> None:
    forged = log[2]
    forged.data = {"n": 99}
    superuser.execute(
        "UPDATE moderation_auditevent SET data = '{\"n\": 99}', digest = %s WHERE id = %s",
        [audit.digest(forged), forged.pk],
    )

    assert named(log[3]) in found()


@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_removed_row_is_named_by_its_place(log: list[AuditEvent], superuser: Superuser, place: int) -> None:
    gone = log[place]
    superuser.execute("DELETE FROM moderation_auditevent WHERE id = %s", [gone.pk])

    assert (gone.chain, gone.position, "") in found()


def test_two_swapped_rows_are_both_named(log: list[AuditEvent], superuser: Superuser) -> None:
    one, two = log[1], log[3]
    for pk, position in ((one.pk, 10_000), (two.pk, one.position), (one.pk, two.position)):
        superuser.execute("UPDATE moderation_auditevent SET position = %s WHERE id = %s", [position, pk])

    places = {(event, position) for _chain, position, event in found()}

    assert {(str(one.pk), two.position), (str(two.pk), one.position)} <= places


def test_a_row_added_at_the_end_is_named(log: list[AuditEvent], superuser: Superuser) -> None:
    last = log[-1]
    superuser.execute(
        "INSERT INTO moderation_auditevent "
        "(id, chain, position, at, actor, actor_label, action, subject, data, previous, digest) "
        "SELECT gen_random_uuid(), chain, position + 1, at, actor, actor_label, action, subject, data, "
        "digest, previous FROM moderation_auditevent WHERE id = %s",
        [last.pk],
    )

    assert last.position + 1 in {position for _chain, position, _event in found()}


def test_a_log_cut_short_with_its_head_is_found_by_the_seal(log: list[AuditEvent], superuser: Superuser) -> None:
    gone, kept = log[-1], log[-2]
    superuser.execute("DELETE FROM moderation_auditevent WHERE id = %s", [gone.pk])
    superuser.execute(
        "UPDATE moderation_auditchain SET length = %s, head = %s WHERE number = %s",
        [kept.position, kept.digest, kept.chain],
    )

    assert [broken.problem for broken in audit.verify()] == ["root 1 sealed another row here"]


def test_a_missing_head_is_named(log: list[AuditEvent], superuser: Superuser) -> None:
    superuser.execute("DELETE FROM moderation_auditchain WHERE number = %s", [log[0].chain])

    assert (log[0].chain, 0, "") in found()


@pytest.mark.parametrize(
    "change", ["UPDATE moderation_auditroot SET at = now()", "DELETE FROM moderation_auditroot WHERE number = 1"]
)
def test_a_root_that_was_touched_is_named(log: list[AuditEvent], superuser: Superuser, change: str) -> None:
    with transaction.atomic():
        audit.record(Entry(HOUSE, "test.event", "plan:1"))
    audit.seal()

    superuser.execute(change)

    assert 1 in {position for chain, position, _event in found() if chain == -1}


@pytest.mark.parametrize("table", ["moderation_auditevent", "moderation_auditroot"])
@pytest.mark.parametrize("change", ["UPDATE {} SET at = now()", "DELETE FROM {}"])
def test_the_database_refuses_every_change(log: list[AuditEvent], table: str, change: str) -> None:
    with pytest.raises(IntegrityError, match="never changed or removed"), connection.cursor() as cursor:
        cursor.execute(change.format(table))


@pytest.mark.django_db
def test_a_seal_is_written_only_when_something_happened() -> None:
    with transaction.atomic():
        audit.record(Entry(HOUSE, "test.event", "plan:1"))

    first, second = audit.seal(), audit.seal()

    assert first is not None
    assert second is None
    assert AuditRoot.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_event_needs_the_transaction_of_what_it_records() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        audit.record(Entry(HOUSE, "test.event", "plan:1"))


@pytest.mark.django_db(transaction=True)
def test_many_writers_leave_one_unbroken_log() -> None:
    def write(writer: int) -> None:
        try:
            for n in range(10):
                with transaction.atomic():
                    audit.record_many([Entry(HOUSE, "test.event", f"thing:{writer + k}", {"n": n}) for k in range(4)])
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(write, range(4)))

    assert AuditEvent.objects.count() == sum(chain.length for chain in AuditChain.objects.all()) == 160
    assert found() == []


@pytest.mark.django_db(transaction=True)
def test_single_events_of_many_writers_follow_each_other_too() -> None:
    def write(writer: int) -> None:
        try:
            for n in range(10):
                with transaction.atomic():
                    audit.record(Entry(HOUSE, "test.event", "thing:1", {"writer": writer, "n": n}))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(write, range(4)))

    assert [event.position for event in audit.events_of("thing:1")] == list(range(1, 41))
    assert found() == []


@pytest.mark.django_db(transaction=True)
def test_heads_that_are_missing_are_made_before_any_is_locked() -> None:
    """Else whoever holds one waits for somebody who makes another, and who waits for the one."""
    one, other = (next(f"thing:{n}" for n in range(99) if audit.chain_of(f"thing:{n}") == chain) for chain in (1, 5))
    with transaction.atomic():
        audit.record(Entry(HOUSE, "test.event", other))
    with transaction.atomic():
        assert audit.locked([1, 5]) == {}
    with transaction.atomic():
        audit.record_many([Entry(HOUSE, "test.event", one), Entry(HOUSE, "test.event", other)])
    assert found() == []


def test_an_event_comes_back_as_it_was_written(db: None) -> None:
    with transaction.atomic():
        made = audit.record(Entry(HOUSE, "test.event", "thing:ä\u2028", {"z": 1.5, "a": {"b": [None, "ü\\"]}}))
    kept = AuditEvent.objects.get(pk=made.pk)
    columns = [field.attname for field in AuditEvent._meta.concrete_fields]
    assert [getattr(made, name) for name in columns] == [
        bytes(value) if isinstance(value := getattr(kept, name), memoryview) else value for name in columns
    ]
    assert audit.digest(kept) == made.digest
    assert found() == []


class TestCommand:
    def test_an_untouched_log_passes(self, log: list[AuditEvent]) -> None:
        out = io.StringIO()

        call_command("verify_audit", stdout=out)

        assert out.getvalue().splitlines() == ["25 events in 16 chains, 1 seals", "Every row holds."]

    def test_a_broken_log_fails_and_names_the_row(self, log: list[AuditEvent], superuser: Superuser) -> None:
        superuser.execute("UPDATE moderation_auditevent SET data = '{}' WHERE id = %s", [log[2].pk])
        out = io.StringIO()

        with pytest.raises(CommandError) as failure:
            call_command("verify_audit", stdout=out)

        assert failure.value.returncode == 1
        assert f"chain {log[2].chain}, position {log[2].position}, event {log[2].pk}" in out.getvalue()

    def test_scripts_read_the_same_as_json(self, log: list[AuditEvent], superuser: Superuser) -> None:
        superuser.execute("DELETE FROM moderation_auditevent WHERE id = %s", [log[2].pk])
        out = io.StringIO()

        with pytest.raises(CommandError):
            call_command("verify_audit", json=True, stdout=out)

        said = json.loads(out.getvalue())
        assert (said["events"], said["seals"]) == (24, 1)
        assert {
            "chain": log[2].chain,
            "position": log[2].position,
            "event": "",
            "problem": "the row is missing",
        } in said["breaks"]


class TestLastSeal:
    def test_before_the_first_there_is_none(self, db: None) -> None:
        assert seals.last() is None

    def test_it_counts_what_it_covers(self, log: list[AuditEvent]) -> None:
        seal = seals.last()

        assert seal is not None
        assert (seal.number, seal.events, seal.breaks) == (1, 25, ())

    def test_it_finds_a_changed_end_of_a_chain(self, log: list[AuditEvent], superuser: Superuser) -> None:
        last = log[-1]
        superuser.execute("UPDATE moderation_auditevent SET data = '{}' WHERE id = %s", [last.pk])

        seal = seals.last()

        assert seal is not None
        assert [(one.chain, one.position, one.event) for one in seal.breaks] == [named(last)]

    def test_it_finds_a_removed_end_of_a_chain(self, log: list[AuditEvent], superuser: Superuser) -> None:
        last = log[-1]
        superuser.execute("DELETE FROM moderation_auditevent WHERE id = %s", [last.pk])

        seal = seals.last()

        assert seal is not None
        assert [(one.chain, one.position, one.event) for one in seal.breaks] == [(last.chain, last.position, "")]

    def test_it_finds_a_forged_root(self, log: list[AuditEvent], superuser: Superuser) -> None:
        superuser.execute("UPDATE moderation_auditroot SET at = now()")

        seal = seals.last()

        assert seal is not None
        assert [one.chain for one in seal.breaks] == [-1]
