from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from moderation.actors import Actor
from moderation.models import Client, ReviewRequest, TriagePlan, User
from moderation.queues import keeping
from review import access, outlook, queue
from review.access import Access
from review.decisions import decide
from review.models import ReviewerProfile
from tests.moderation.callers import with_session
from tests.review.arranging import waiting

pytestmark = pytest.mark.django_db
LEAD = Actor.command("test")


def define(**access: Any) -> None:
    keeping.define("french", title="French", actor=LEAD, access=access)


def knows(person: User, *, languages: tuple[str, ...] = (), specialties: tuple[str, ...] = ()) -> None:
    ReviewerProfile.objects.create(person=person, languages=list(languages), specialties=list(specialties))


def test_a_queue_that_asks_for_a_language_is_open_to_who_knows_it(rita: User, sam: User) -> None:
    define(languages=["fr", "wo"])
    knows(rita, languages=("de", "fr"))
    assert (queue.is_open_to(rita, "french"), queue.is_open_to(sam, "french")) == (True, False)
    with pytest.raises(queue.NotForYou):
        queue.claim(sam, "french")
    assert with_session(sam).post("/api/v1/queues/french/claim").status_code == 403


def test_a_queue_that_asks_for_a_specialty_as_well_wants_one_of_each(rita: User) -> None:
    define(languages=["fr"], specialties=["slang"])
    knows(rita, languages=("fr",))
    assert not queue.is_open_to(rita, "french")
    ReviewerProfile.objects.update(specialties=["slang"])
    access.forget()
    assert queue.is_open_to(rita, "french")


def test_a_queue_with_members_is_theirs(rita: User, sam: User) -> None:
    define(members=[str(rita.pk)])
    assert (queue.is_open_to(rita, "french"), queue.is_open_to(sam, "french")) == (True, False)


def test_being_a_member_of_the_escalated_queue_makes_nobody_a_senior(rita: User) -> None:
    keeping.define("escalated", title="Escalated", actor=LEAD, access={"members": [str(rita.pk)]})
    assert not queue.is_open_to(rita, "escalated")


def test_who_asks_of_many_queues_asks_the_database_once(rita: User, django_assert_num_queries: Any) -> None:
    for name in ("french", "wolof", "latin"):
        keeping.define(name, title=name, actor=LEAD, access={"languages": ["fr"]})
    queue.is_open_to(rita, "french")
    access.forget()
    mine = Access(rita)
    with django_assert_num_queries(1):
        assert not any(mine.to(name) for name in ("french", "wolof", "latin"))


def test_a_claim_takes_four_statements_at_most(
    rita: User, platform: Client, eyes: TriagePlan, django_assert_num_queries: Any
) -> None:
    define(languages=["fr"])
    knows(rita, languages=("fr",))
    waiting(platform, 3)
    ReviewRequest.objects.update(queue="french")
    assert queue.is_open_to(rita, "french")
    with django_assert_num_queries(6):  # with the savepoint's two
        assert len(queue.claim(rita, "french", 3)) == 3


def test_the_outlook_tells_how_late_a_queue_is_and_how_fast_it_goes(
    rita: User, platform: Client, eyes: TriagePlan, django_assert_num_queries: Any
) -> None:
    requests = waiting(platform, 5)
    decide(queue.claim(rita, queue.GENERAL)[0].pk, rita, verdict="approve")
    now = timezone.now()
    for request, used in zip(ReviewRequest.objects.filter(closed_at__isnull=True), (0.2, 0.6, 0.85, 1.5), strict=True):
        opened = now - timedelta(hours=10)
        due = opened + timedelta(hours=10) / used
        ReviewRequest.objects.filter(pk=request.pk).update(opened_at=opened, due_at=due)
    with django_assert_num_queries(3):
        found = outlook.outlooks([queue.GENERAL, queue.ESCALATED], now=now)
    general, escalated = found[queue.GENERAL], found[queue.ESCALATED]
    assert (general.looked_at, general.half, general.most, general.late) == (4, 3, 2, 1)
    assert (general.arrivals, general.decisions) == (len(requests), 1)
    assert general.wait(4) == timedelta(hours=4)
    assert (escalated.wait(0), escalated.wait(3), escalated.share(0)) == (timedelta(0), None, 0.0)


def test_a_pace_faster_than_is_looked_at_is_reckoned_over_the_time_it_took(
    platform: Client, eyes: TriagePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(platform, 3)
    now = timezone.now()
    ReviewRequest.objects.update(opened_at=now - timedelta(minutes=6))
    monkeypatch.setattr(outlook, "SAMPLED", 3)
    assert outlook.outlooks([queue.GENERAL], now=now)[queue.GENERAL].arrivals == pytest.approx(30)
