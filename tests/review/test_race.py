"""Thirty-two threads on the real PostgreSQL, and an account of every request at the end."""

from __future__ import annotations

from typing import Any

import pytest

from moderation.actors import Actor
from moderation.models import Client, ReviewRequest, TriagePlan
from moderation.queues import keeping
from moderation.roles import Role
from review.models import Decision
from tests.conftest import person
from tests.review.arranging import waiting
from tests.review.racing import Race, drain, faults

THREADS = 32
DONE = {
    "claim",
    "approve",
    "block",
    "release",
    "send",
    "second opinion",
    "undo",
    "takeover",
    "sweep",
    "apply",
    "report",
}
REFUSED = {"ClaimEnded", "NotYourClaim"}
pytestmark = pytest.mark.django_db(transaction=True)


def race(platform: Client, settings: Any, *, images: int, seconds: float) -> Race:
    """Leases and the time for an undo are so short that they run out under way."""
    settings.REVIEW_LEASE_SECONDS, settings.REVIEW_UNDO_SECONDS = 0.4, 0.15
    keeping.define("side", title="Side", order="oldest", actor=Actor.command("test"))
    requests = waiting(platform, images)
    ReviewRequest.objects.filter(pk__in=[one.pk for one in requests[::3]]).update(needed=2)
    roles = [Role.MODERATOR, Role.SENIOR]
    people = [person(f"racer-{number}", roles[number % 2]) for number in range(16)]
    found = Race(people, [one.submission for one in requests])
    found.run(threads=THREADS, seconds=seconds, seed=7, done=DONE, refused=REFUSED)
    settings.REVIEW_LEASE_SECONDS, settings.REVIEW_UNDO_SECONDS = 30, 0
    drain([person(f"late-{number}", Role.SENIOR) for number in range(8)], seconds=60)
    return found


def check(found: Race) -> None:
    assert faults(found) == []
    assert found.has_seen(DONE, REFUSED), "the race did not come to everything it is there for"
    assert Decision.objects.count() >= len(found.decided) > 0


def test_every_request_is_answered_the_needed_number_of_times(
    platform: Client, eyes: TriagePlan, settings: Any
) -> None:
    check(race(platform, settings, images=48, seconds=4))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_so_it_is_after_a_minute(platform: Client, eyes: TriagePlan, settings: Any) -> None:
    check(race(platform, settings, images=120, seconds=60))
