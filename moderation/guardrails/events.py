"""Alarms that one event has rung: it shows in the plan, in the client, in a classifier and in its category, and in what
is blocked as well as in what is no longer approved. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from moderation.models import Alarm

APART: Final = timedelta(hours=1)
WIDEST: Final = ("plan", "client", "classifier", "category")


@dataclass(frozen=True, slots=True)
class Event:
    """Alarms of hours that touch, all towards more blocking or all towards less; the widest first."""

    alarms: Sequence[Alarm]

    @property
    def lead(self) -> Alarm:
        return self.alarms[0]

    @property
    def others(self) -> Sequence[Alarm]:
        return self.alarms[1:]


def events(alarms: Iterable[Alarm]) -> list[Event]:
    """Newest first."""
    groups: list[list[Alarm]] = []
    for alarm in sorted(alarms, key=lambda one: (is_stricter(one), one.hour, one.last_hour)):
        last = groups[-1] if groups else None
        if last and is_stricter(last[0]) == is_stricter(alarm) and alarm.hour <= until(last) + APART:
            last.append(alarm)
        else:
            groups.append([alarm])
    found = [Event(sorted(one, key=rank)) for one in groups]
    return sorted(found, key=lambda one: until(one.alarms), reverse=True)


def is_stricter(alarm: Alarm) -> bool:
    """More is blocked, or less approved, than usual; a cap that is reached is of that kind."""
    return alarm.rising == (alarm.measure != "approve")


def until(alarms: Sequence[Alarm]) -> datetime:
    return max(one.last_hour for one in alarms)


def rank(alarm: Alarm) -> tuple[bool, bool, int, str]:
    """What is blocked says more than what is not approved, and a share more than that a cap is reached."""
    return alarm.measure == "cap", alarm.measure == "approve", WIDEST.index(alarm.scope), alarm.key
