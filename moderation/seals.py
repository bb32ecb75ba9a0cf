"""What the last seal says of the audit log: a check of bounded cost for a page. `verify_audit` walks everything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from moderation import audit
from moderation.models import AuditEvent, AuditRoot


@dataclass(frozen=True, slots=True)
class Seal:
    """The last root, how many events it covers, and what of it no longer holds (empty: the sealed rows stand)."""

    number: int
    at: datetime
    chains: int
    events: int
    breaks: tuple[audit.Break, ...]


def last() -> Seal | None:
    """The last seal, checked against the row at the sealed end of each chain; None before the first. Two queries."""
    root = AuditRoot.objects.order_by("-number").first()
    if root is None:
        return None
    heads = [(chain, length, head) for chain, length, head in root.heads if length]
    ends = Q(pk__in=[])
    for chain, length, _head in heads:
        ends |= Q(chain=chain, position=length)
    rows = {(event.chain, event.position): event for event in AuditEvent.objects.filter(ends)}
    breaks = [broken for end in heads if (broken := broken_end(rows.get(end[:2]), *end)) is not None]
    if bytes(root.digest) != audit.root_digest(root):
        breaks.append(audit.Break(-1, root.number, "", "the root's content is not what was recorded"))
    return Seal(root.number, root.at, len(heads), sum(length for _chain, length, _head in heads), tuple(breaks))


def broken_end(event: AuditEvent | None, chain: int, length: int, head: str) -> audit.Break | None:
    if event is None:
        return audit.Break(chain, length, "", "the row is missing")
    if bytes(event.digest).hex() != head:
        return audit.Break(chain, length, str(event.pk), "the seal holds another row here")
    if bytes(event.digest) != audit.digest(event):
        return audit.Break(chain, length, str(event.pk), "its content is not what was recorded")
    return None
