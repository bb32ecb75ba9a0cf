"""What the claim keeps from a person: what they opted out of, what they did not volunteer for, and more than enough."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from moderation.models import User
from moderation.statements import prepared
from moderation.taxonomy import Severity
from review.wellness.settings import Comfort, House, merged

LONGEST_SPAN: Final = timedelta(days=28)  # of S4 days and rest days together


class EnoughForNow(Exception):
    """This shift's exposure budget is used up: no more images for now. What is in hand may be given back."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one person may be given now. `stopped` says in words why nothing; "" while there is budget left."""

    avoided: frozenset[str] = frozenset()
    most_severe: int = Severity.S3
    stopped: str = ""
    mild: int = 0  # % of a claim that is drawn from requests up to S1


@dataclass(frozen=True, slots=True)
class Standing:
    """The settings that hold for one person, and what they were exposed to so far in this shift."""

    house: House
    comfort: Comfort
    avoided: frozenset[str]
    volunteers: bool
    used: float  # weighted seconds of this shift
    severest_items: int  # S4 looks of this shift
    severest_days: int  # days with S4 before today that count for the rotation

    @property
    def budget(self) -> int:
        return self.comfort.budget

    @property
    def share(self) -> float:
        """Of the budget; 1 and more: used up."""
        return self.used / self.budget

    @property
    def is_stopped(self) -> bool:
        return self.used >= self.budget

    @property
    def is_warned(self) -> bool:
        return not self.is_stopped and 100 * self.share >= self.house.warn

    @property
    def rests_from_severest(self) -> bool:
        """Volunteered, and now has a turn without."""
        done = self.severest_items >= self.house.severest_items or self.severest_days >= self.house.severest_days
        return self.volunteers and done

    @property
    def limits(self) -> Limits:
        severest = self.volunteers and not self.rests_from_severest
        return Limits(
            self.avoided, Severity.S4 if severest else Severity.S3, why() if self.is_stopped else "", self.house.benign
        )


# Its cost is bounded: a person has at most five rows an hour, and only those of the rotation's span are read.
STANDING: Final = """
WITH house AS (SELECT body FROM review_organisationsettings ORDER BY id DESC LIMIT 1),
own AS (SELECT comfort, avoided, severest_since FROM review_reviewersettings WHERE person_id = %(person)s)
SELECT (SELECT body FROM house), own.comfort, own.avoided, own.severest_since IS NOT NULL, recent.hours
FROM (VALUES (1)) always LEFT JOIN own ON true
CROSS JOIN (
    SELECT coalesce(jsonb_agg(jsonb_build_array(extract(epoch FROM hour), severity, looks, weighted)), '[]') AS hours
    FROM review_exposure WHERE reviewer_id = %(person)s AND hour > %(since)s AND (severity = 4 OR hour > %(shift)s)
) recent
"""


def limits_of(reviewer: User) -> Limits:
    """What may be claimed now by this person. One statement."""
    return standing_of(reviewer).limits


def standing_of(reviewer: User, *, now: datetime | None = None) -> Standing:
    """One statement."""
    now = now or timezone.now()
    with prepared() as cursor:
        cursor.execute(STANDING, spans(reviewer.pk, now))
        body, comfort, avoided, volunteers, hours = cursor.fetchone()
    house, own = read(body or "{}", comfort or "{}")
    return Standing(
        house=house,
        comfort=own,
        avoided=frozenset(json.loads(avoided) if avoided else ()),
        volunteers=bool(volunteers),
        **counted(house, json.loads(hours), now),
    )


@lru_cache(maxsize=256)
def read(body: str, chosen: str) -> tuple[House, Comfort]:
    """The organisation's settings, and one person's; few differ, and every claim asks for them."""
    house = House.load(json.loads(body))
    return house, merged(house, json.loads(chosen))


def spans(person: UUID, now: datetime) -> dict[str, Any]:
    return {"person": person, "since": now - LONGEST_SPAN, "shift": now - timedelta(days=1, hours=1)}


def counted(house: House, hours: list[list[Any]], now: datetime) -> dict[str, Any]:
    """An hour that lies partly within the shift counts whole: the gentler reading."""
    shift = now.timestamp() - 3600 * (house.shift + 1)
    today = now.astimezone(UTC).date()
    first = today - timedelta(days=house.severest_days + house.rest_days - 1)
    recent = [(float(hour), severity, looks, weighted) for hour, severity, looks, weighted in hours]
    severest = [(hour, looks) for hour, severity, looks, _weighted in recent if severity == Severity.S4]
    days = {datetime.fromtimestamp(hour, UTC).date() for hour, _looks in severest}
    return {
        "used": sum(weighted for hour, _severity, _looks, weighted in recent if hour > shift),
        "severest_items": sum(looks for hour, looks in severest if hour > shift),
        "severest_days": sum(first <= day < today for day in days),
    }


def why() -> str:
    return _(
        "That is enough for this shift: its exposure budget is used up. Nothing is wrong, and nobody is told. "
        "Rest, or do work without images; new ones come when your next shift begins."
    )
