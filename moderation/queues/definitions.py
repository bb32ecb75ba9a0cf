"""What a queue is, and which one takes a request. Pure: no Django, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from moderation import urgency
from moderation.queues.hours import Hours, after

GENERAL: Final = "general"
ESCALATED: Final = "escalated"
DUE_HOURS: Final = (72.0, 48.0, 24.0, 4.0, 1.0)
"""Working hours until a request of severity 0, 1, 2, 3, 4 is due, where the queue says nothing else."""

Order = Literal["urgent", "oldest"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What routing rules go by. `language`: a primary subtag in lower case, "" where none was declared."""

    category: str = ""
    severity: int = 0
    territories: frozenset[str] = frozenset()
    language: str = ""
    surface: str = ""
    reason: str = ""
    client: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One queue. An empty condition is no condition; a queue with none at all takes whatever comes to it."""

    slug: str
    title: str = ""
    order: Order = "urgent"
    categories: frozenset[str] = frozenset()
    least_severity: int = 0
    territories: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    surfaces: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    clients: frozenset[UUID] = frozenset()
    due_hours: Sequence[float] = DUE_HOURS
    territory_hours: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    hours: Hours | None = None
    spoken: frozenset[str] = frozenset()
    specialties: frozenset[str] = frozenset()
    members: frozenset[UUID] = frozenset()

    def takes(self, facts: Facts) -> bool:
        return (
            facts.severity >= self.least_severity
            and (not self.categories or facts.category in self.categories)
            and (not self.territories or not self.territories.isdisjoint(facts.territories))
            and (not self.languages or facts.language in self.languages)
            and (not self.surfaces or facts.surface in self.surfaces)
            and (not self.reasons or facts.reason in self.reasons)
            and (not self.clients or facts.client in self.clients)
        )

    def work_for(self, severity: int, territories: frozenset[str]) -> timedelta:
        """The working time until it is due: of several territories the shortest counts."""
        own = [
            hours[severity]
            for territory, hours in self.territory_hours.items()
            if territory in territories and severity in hours
        ]
        return timedelta(hours=min(own, default=self.due_hours[severity]))

    def due(self, opened: datetime, severity: int, territories: frozenset[str]) -> datetime:
        return after(opened, self.work_for(severity, territories), self.hours)

    def key(self, weight: float, opened: datetime, due: datetime) -> float:
        """The stored sort key; the greatest comes first."""
        return urgency.oldest_first(opened) if self.order == "oldest" else urgency.urgent_first(weight, due)


@dataclass(frozen=True, slots=True)
class Definitions:
    """All queues that are in use, in the order in which they are asked."""

    queues: Sequence[Definition] = ()
    retired: frozenset[str] = frozenset()

    def of(self, slug: str) -> Definition:
        """A queue by its name; the general one for a retired one. A rule may name one that nobody defined: it is a
        plain one.
        """
        if slug in self.retired:
            return self.of(GENERAL)
        return next((one for one in self.queues if one.slug == slug), Definition(slug=slug))

    def route(self, facts: Facts) -> Definition:
        """The first queue that takes it; the general one when none does. Nothing is escalated by a rule."""
        named = (one for one in self.queues if one.slug not in {GENERAL, ESCALATED} and one.takes(facts))
        return next(named, self.of(GENERAL))

    def slugs(self) -> list[str]:
        """Every queue there is, the general one first and the escalated one last."""
        return [GENERAL, *(one.slug for one in self.queues if one.slug not in {GENERAL, ESCALATED}), ESCALATED]
