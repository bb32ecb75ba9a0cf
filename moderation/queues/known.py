"""The queues as this process knows them: read again when what it knows is some seconds old, or was changed here."""

from __future__ import annotations

import time
from datetime import date, timedelta
from datetime import time as clock
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from moderation.models import ReviewQueue
from moderation.queues.definitions import DUE_HOURS, Definition, Definitions
from moderation.queues.hours import Hours

SPAN: Final = timedelta(seconds=2)
"""How long a process goes by what it read: a change is known everywhere by then."""

_known: tuple[float, Definitions] | None = None


def definitions() -> Definitions:
    """The queues in use, in the order in which they are asked. At most one query a SPAN."""
    global _known  # noqa: PLW0603 - one a process
    found = _known
    if found is None or time.monotonic() - found[0] > SPAN.total_seconds():
        rows = list(ReviewQueue.objects.order_by("position", "slug"))
        queues = [definition_of(row) for row in rows if row.retired_at is None]
        retired = frozenset(row.slug for row in rows if row.retired_at is not None)
        found = _known = (time.monotonic(), Definitions(queues, retired))
    return found[1]


def forget() -> None:
    """The next look reads the rows."""
    global _known  # noqa: PLW0603 - one a process
    _known = None


def definition_of(row: ReviewQueue) -> Definition:
    conditions, access = row.conditions, row.access
    named = {name: frozenset(conditions.get(name, ())) for name in NAMED}
    return Definition(
        slug=row.slug,
        title=row.title,
        order="oldest" if row.order == "oldest" else "urgent",
        **named,
        least_severity=conditions.get("least_severity", 0),
        clients=frozenset(UUID(key) for key in conditions.get("clients", ())),
        due_hours=tuple(row.due.get("hours", DUE_HOURS)),
        territory_hours={
            territory: {int(severity): hours for severity, hours in own.items()}
            for territory, own in row.due.get("territories", {}).items()
        },
        hours=hours_of(row.calendar),
        spoken=frozenset(access.get("languages", ())),
        specialties=frozenset(access.get("specialties", ())),
        members=frozenset(UUID(key) for key in access.get("members", ())),
    )


NAMED: Final = ("categories", "territories", "languages", "surfaces", "reasons")


def hours_of(calendar: dict[str, Any] | None) -> Hours | None:
    if not calendar:
        return None
    return Hours(
        ZoneInfo(calendar["zone"]),
        frozenset(calendar["weekdays"]),
        clock.fromisoformat(calendar["opens"]),
        clock.fromisoformat(calendar["closes"]),
        frozenset(date.fromisoformat(day) for day in calendar.get("holidays", ())),
    )
