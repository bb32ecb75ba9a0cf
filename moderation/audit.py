"""The audit log: append and verify.

Each event carries the digest of the one before it in its chain, so a row that is altered, removed or swapped is found
and named. There are several chains (an event goes to the one its subject hashes to), so that appends do not wait for
each other; root records seal all chains together from time to time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from moderation.actors import Actor
from moderation.models import AuditChain, AuditEvent, AuditRoot
from moderation.statements import prepared

CHAINS: Final = 16
GENESIS: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened, before it has a place in a chain."""

    actor: Actor
    action: str
    subject: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Break:
    """One place where the log does not hold: which row, and what is wrong with it."""

    chain: int
    position: int
    event: str
    problem: str

    def __str__(self) -> str:
        return f"chain {self.chain}, position {self.position}, event {self.event or '-'}: {self.problem}"


def chain_of(subject: str) -> int:
    return hashlib.sha256(subject.encode()).digest()[0] % CHAINS


def spelled(said: Mapping[str, Any]) -> str:
    """Canonical JSON: ASCII, sorted, without spaces."""
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def around(event: AuditEvent) -> tuple[str, str]:
    """The canonical JSON of everything the row says, before and after the digits of its position."""
    before = {
        "id": str(event.id),
        "chain": event.chain,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": event.actor,
        "actor_label": event.actor_label,
        "action": event.action,
        "data": event.data,
    }
    return spelled(before)[:-1] + ',"position":', "," + spelled({"subject": event.subject})[1:]


def digest(event: AuditEvent) -> bytes:
    """SHA-256 over the previous digest and the canonical JSON."""
    before, after = around(event)
    return hashlib.sha256(bytes(event.previous) + f"{before}{event.position}{after}".encode()).digest()


def begun(entry: Entry, chain: int) -> AuditEvent:
    """The event of an entry, without a place in its chain yet."""
    return AuditEvent(
        id=uuid7(),
        chain=chain,
        at=timezone.now(),
        actor=str(entry.actor),
        actor_label=entry.actor.label,
        action=entry.action,
        subject=entry.subject,
        # Through JSON once, so that what is hashed is what the database will give back.
        data=json.loads(json.dumps(dict(entry.data), default=str)),
    )


# Every image and every decision takes this path. The chain's head is locked, moved on and followed in one statement:
# nobody else's append waits for our round trips. PostgreSQL hashes, for it knows the position and the digest before.
RECORD: Final = """
WITH chain AS (
    SELECT number, length, head FROM moderation_auditchain WHERE number = %(chain)s FOR UPDATE
),
next AS (
    SELECT number, length + 1 AS position, head AS previous,
        sha256(head || convert_to(%(before)s || (length + 1)::text || %(after)s, 'UTF8')) AS digest
    FROM chain
),
advanced AS (
    UPDATE moderation_auditchain chain SET length = next.position, head = next.digest
    FROM next WHERE chain.number = next.number
)
INSERT INTO moderation_auditevent
    (id, chain, position, at, actor, actor_label, action, subject, data, previous, digest)
SELECT %(id)s::uuid, number, position, %(at)s::timestamptz, %(actor)s, %(actor_label)s, %(action)s, %(subject)s,
    %(data)s::jsonb, previous, digest
FROM next RETURNING position, previous, digest
"""


def record(entry: Entry) -> AuditEvent:
    """As `record_many`, in one statement."""
    check_transaction()
    event = begun(entry, chain_of(entry.subject))
    before, after = around(event)
    values = {name: getattr(event, name) for name in EVENT if name != "position"}
    values |= {"before": before, "after": after, "data": json.dumps(event.data)}
    with prepared() as cursor:
        cursor.execute(RECORD, values)
        if not (placed := cursor.fetchone()):
            make_heads([event.chain])
            cursor.execute(RECORD, values)
            placed = cursor.fetchone()
    event.position, event.previous, event.digest = placed[0], bytes(placed[1]), bytes(placed[2])
    return event


def check_transaction() -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An audit event belongs to the transaction of what it records.")


def record_many(entries: Sequence[Entry]) -> list[AuditEvent]:
    """Append in order, in the caller's transaction: what is recorded and the record stand or fall together.

    Locks the chains concerned in ascending order, so two writers cannot deadlock; call it last in a transaction.
    """
    check_transaction()
    if not entries:
        return []
    numbers = sorted({chain_of(entry.subject) for entry in entries})
    heads = lock(numbers)
    events = []
    for entry in entries:
        head = heads[chain_of(entry.subject)]
        event = begun(entry, head.number)
        event.position, event.previous = head.length + 1, bytes(head.head)
        event.digest = head.head = digest(event)
        head.length = event.position
        events.append(event)
    append(events, heads.values())
    return events


APPEND: Final = """
WITH advanced AS (
    UPDATE moderation_auditchain chain SET length = new.length, head = new.head
    FROM unnest(%s::smallint[], %s::bigint[], %s::bytea[]) new (number, length, head) WHERE chain.number = new.number
)
INSERT INTO moderation_auditevent
    (id, chain, position, at, actor, actor_label, action, subject, data, previous, digest)
SELECT * FROM unnest(
    %s::uuid[], %s::smallint[], %s::bigint[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::text[],
    %s::jsonb[], %s::bytea[], %s::bytea[]
)
"""
EVENT: Final = ("id", "chain", "position", "at", "actor", "actor_label", "action", "subject")


def append(events: Sequence[AuditEvent], heads: Iterable[AuditChain]) -> None:
    chains = [(head.number, head.length, bytes(head.head)) for head in heads]
    columns: list[list[Any]] = [list(column) for column in zip(*chains, strict=True)]
    columns += [[getattr(event, name) for event in events] for name in EVENT]
    columns.append([json.dumps(event.data) for event in events])
    columns += [[bytes(event.previous) for event in events], [bytes(event.digest) for event in events]]
    with prepared() as cursor:
        cursor.execute(APPEND, columns)


def reserve(subjects: Iterable[str]) -> None:
    """Lock the chains of these subjects, for a transaction that appends to them more than once: each append for itself
    would lock them in an order of its own, and two such transactions would wait for each other.
    """
    if numbers := sorted({chain_of(subject) for subject in subjects}):
        lock(numbers)


def lock(numbers: Sequence[int]) -> dict[int, AuditChain]:
    """The heads of these chains, locked in ascending order; a chain's first event makes its head."""
    heads = locked(numbers)
    if not heads:
        make_heads(numbers)
        heads = locked(numbers)
    return heads


def make_heads(numbers: Iterable[int]) -> None:
    AuditChain.objects.bulk_create([AuditChain(number=n, head=GENESIS) for n in numbers], ignore_conflicts=True)


# All of them or none: who has some and makes the others would wait for somebody who makes the same and wants those.
LOCK: Final = """
SELECT number, length, head FROM moderation_auditchain
WHERE number = ANY(%(numbers)s::smallint[]) AND cardinality(%(numbers)s::smallint[]) = (
    SELECT count(*) FROM moderation_auditchain WHERE number = ANY(%(numbers)s::smallint[])
)
ORDER BY number FOR UPDATE
"""


def locked(numbers: Sequence[int]) -> dict[int, AuditChain]:
    """Those heads, locked; or none, where one of them is missing."""
    with prepared() as cursor:
        cursor.execute(LOCK, {"numbers": list(numbers)})
        return {number: AuditChain(number, length, bytes(head)) for number, length, head in cursor.fetchall()}


@transaction.atomic
def seal() -> AuditRoot | None:
    """Write a root over all chains. Returns None when nothing was appended since the last one."""
    chains = AuditChain.objects.select_for_update().order_by("pk")
    heads = [[chain.number, chain.length, bytes(chain.head).hex()] for chain in chains]
    last = AuditRoot.objects.order_by("-number").first()
    if last is not None and last.heads == heads:
        return None
    root = AuditRoot(
        number=last.number + 1 if last else 1,
        at=timezone.now(),
        heads=heads,
        previous=bytes(last.digest) if last else GENESIS,
    )
    root.digest = root_digest(root)
    root.save(force_insert=True)
    return root


def root_digest(root: AuditRoot) -> bytes:
    said = [root.number, root.at.astimezone(UTC).isoformat(timespec="microseconds"), root.heads]
    return hashlib.sha256(bytes(root.previous) + json.dumps(said, separators=(",", ":")).encode()).digest()


def verify() -> Iterator[Break]:
    """Walk every chain, its head, and every root; yields each break. Reads in position order with a server-side
    cursor.
    """
    ends: dict[int, dict[int, bytes]] = {}
    sealed: dict[int, set[int]] = {}
    roots = list(AuditRoot.objects.order_by("number"))
    for root in roots:
        for number, length, _head in root.heads:
            sealed.setdefault(number, set()).add(length)
    for chain in AuditChain.objects.order_by("pk"):
        ends[chain.number] = {0: GENESIS}
        yield from verify_chain(chain, wanted=sealed.get(chain.number, set()), ends=ends[chain.number])
    for number in sorted({*sealed, *event_chains()} - ends.keys()):
        ends[number] = {}
        yield Break(number, 0, "", "the chain's head row is missing")
    yield from verify_roots(roots, ends)


def event_chains() -> set[int]:
    return set(AuditEvent.objects.order_by().values_list("chain", flat=True).distinct())


def verify_chain(chain: AuditChain, *, wanted: set[int], ends: dict[int, bytes]) -> Iterator[Break]:
    previous, position = GENESIS, 0
    for event in AuditEvent.objects.filter(chain=chain.number).order_by("position").iterator(chunk_size=2000):
        for gap in range(position + 1, min(event.position, position + 100)):
            yield Break(chain.number, gap, "", "the row is missing")
        if event.position == position + 1 and bytes(event.previous) != previous:
            yield Break(chain.number, event.position, str(event.id), "it does not follow the row before it")
        if bytes(event.digest) != digest(event):
            yield Break(chain.number, event.position, str(event.id), "its content is not what was recorded")
        previous, position = bytes(event.digest), event.position
        if position in wanted:
            ends[position] = previous
    for gap in range(position + 1, min(chain.length + 1, position + 100)):
        yield Break(chain.number, gap, "", "the row is missing")
    if position == chain.length and previous != bytes(chain.head):
        yield Break(chain.number, position, "", "the chain's head is not the digest of its last row")
    if position > chain.length:
        yield Break(chain.number, position, "", "the row lies beyond the chain's recorded length")


def verify_roots(roots: Sequence[AuditRoot], ends: Mapping[int, Mapping[int, bytes]]) -> Iterator[Break]:
    previous, number = GENESIS, 0
    for root in roots:
        if root.number != number + 1:
            yield Break(-1, number + 1, "", "the root is missing")
        elif bytes(root.previous) != previous:
            yield Break(-1, root.number, "", "the root does not follow the root before it")
        if bytes(root.digest) != root_digest(root):
            yield Break(-1, root.number, "", "the root's content is not what was recorded")
        for chain, length, head in root.heads:
            if ends.get(chain, {}).get(length, b"").hex() != head:
                yield Break(chain, length, "", f"root {root.number} sealed another row here")
        previous, number = bytes(root.digest), root.number


def events_of(subject: str) -> list[AuditEvent]:
    """The events of one subject, oldest first: one subject lies in one chain."""
    return list(AuditEvent.objects.filter(subject=subject).order_by("position"))


def submission(pk: object) -> str:
    return f"submission:{pk}"
