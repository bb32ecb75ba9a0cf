from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from moderation.models import Client, ReviewRequest, TriagePlan, User
from review import queue
from review.models import Exposure, OrganisationSettings, ReviewerSettings
from review.wellness.limits import EnoughForNow, Limits, limits_of, standing_of
from review.wellness.settings import House
from tests.review.arranging import at_once, waiting

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def exposed(person: User, hour: datetime, *, severity: int = 3, weighted: float = 0, looks: int = 1) -> None:
    start = hour.replace(minute=0, second=0, microsecond=0)
    Exposure.objects.create(
        reviewer=person, hour=start, severity=severity, looks=looks, seconds=weighted, weighted=weighted
    )


def grave(request: ReviewRequest, severity: int = 4) -> ReviewRequest:
    request.severity = severity
    request.save(update_fields=["severity"])
    return request


def test_a_newcomer_is_given_everything_but_the_severest(rita: User, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert limits_of(rita) == Limits(frozenset(), 3, "")


def test_a_category_opted_out_of_is_not_given(rita: User, sam: User, platform: Client, eyes: TriagePlan) -> None:
    (weapons,) = waiting(platform, 1, red=0.5)
    (regulated,) = waiting(platform, 1, red=0.0, green=0.5)
    ReviewerSettings.objects.create(person=rita, avoided=["WEAPONS_DANGEROUS"])
    assert [claim.request for claim in queue.claim(rita, "general", 5)] == [regulated]
    assert [claim.request for claim in queue.claim(sam, "general", 5)] == [weapons]


def test_the_severest_goes_to_volunteers_only(rita: User, sam: User, platform: Client, eyes: TriagePlan) -> None:
    (request,) = waiting(platform, 1)
    grave(request)
    ReviewerSettings.objects.create(person=sam, severest_since=timezone.now())
    assert queue.claim(rita, "general") == []
    assert [claim.request for claim in queue.claim(sam, "general")] == [request]


def test_who_withdraws_is_given_nothing_of_it_any_more(rita: User) -> None:
    own = ReviewerSettings.objects.create(person=rita, severest_since=timezone.now())
    assert limits_of(rita).most_severe == 4
    own.severest_since = None
    own.save()
    assert limits_of(rita).most_severe == 3


def test_a_volunteer_has_a_turn_without_after_days_in_a_row(rita: User) -> None:
    ReviewerSettings.objects.create(person=rita, severest_since=NOON - timedelta(days=30))
    house = House()
    for day in range(1, house.severest_days + 1):
        assert standing_of(rita, now=NOON).limits.most_severe == 4
        exposed(rita, NOON - timedelta(days=day), severity=4)
    assert standing_of(rita, now=NOON).limits.most_severe == 3
    rested = NOON + timedelta(days=house.rest_days)
    assert standing_of(rita, now=rested).limits.most_severe == 4


def test_a_volunteer_has_a_turn_without_after_many_in_a_shift(rita: User) -> None:
    ReviewerSettings.objects.create(person=rita, severest_since=NOON)
    exposed(rita, NOON, severity=4, looks=House().severest_items)
    assert standing_of(rita, now=NOON).limits.most_severe == 3
    assert standing_of(rita, now=NOON + timedelta(days=1)).limits.most_severe == 4


def test_a_used_up_budget_stops_the_claim_and_says_why(rita: User, platform: Client, eyes: TriagePlan) -> None:
    waiting(platform, 1)
    exposed(rita, timezone.now(), weighted=House().comfort.budget)
    with pytest.raises(EnoughForNow, match="enough for this shift"):
        queue.claim(rita, "general")


def test_the_exposure_of_an_earlier_shift_does_not_count(rita: User) -> None:
    exposed(rita, NOON, weighted=House().comfort.budget)
    assert standing_of(rita, now=NOON + timedelta(hours=11)).is_stopped
    assert standing_of(rita, now=NOON + timedelta(hours=14)).used == 0


def test_a_budget_is_each_persons_own(rita: User, sam: User) -> None:
    exposed(rita, NOON, weighted=House().comfort.budget)
    assert not standing_of(sam, now=NOON).is_stopped


def test_most_of_a_budget_is_a_warning_and_no_stop(rita: User) -> None:
    exposed(rita, NOON, weighted=0.8 * House().comfort.budget)
    standing = standing_of(rita, now=NOON)
    assert (standing.is_warned, standing.is_stopped, standing.limits.stopped) == (True, False, "")


def test_mild_requests_are_drawn_forward_where_the_organisation_wants_that(
    rita: User, adam: User, platform: Client, eyes: TriagePlan
) -> None:
    urgent = waiting(platform, 4, red=0.5)
    mild = waiting(platform, 3, red=0.0, green=0.5)
    OrganisationSettings.objects.create(body=House(benign=50).dump(), made_by=adam)
    claims = queue.claim(rita, "general", 4)
    given = [claim.request for claim in claims]
    assert {one.pk for one in given} & {one.pk for one in mild} == {one.pk for one in given if one.severity < 2}
    assert [one.severity < 2 for one in given].count(True) == 2
    assert given[0] in urgent, "the most urgent is not kept waiting"


def test_where_nothing_mild_waits_all_is_urgent(rita: User, adam: User, platform: Client, eyes: TriagePlan) -> None:
    urgent = waiting(platform, 3)
    OrganisationSettings.objects.create(body=House(benign=50).dump(), made_by=adam)
    assert {claim.request.pk for claim in queue.claim(rita, "general", 3)} == {one.pk for one in urgent}


def test_the_queues_say_why_nothing_is_handed_out(rita: User, client: Browser) -> None:
    exposed(rita, timezone.now(), weighted=House().comfort.budget)
    client.force_login(rita)
    assert "enough for this shift" in client.get("/queues/").content.decode()


def test_the_newest_edition_of_the_organisations_settings_holds(rita: User, adam: User) -> None:
    for shift in (24, 8):
        OrganisationSettings.objects.create(body=House(shift=shift).dump(), made_by=adam)
    assert standing_of(rita).house.shift == 8


@pytest.mark.django_db(transaction=True)
def test_many_claims_at_once_keep_to_everybodys_limits(
    rita: User, sam: User, platform: Client, eyes: TriagePlan
) -> None:
    requests = waiting(platform, 12)
    for request in requests[::2]:
        grave(request)
    ReviewerSettings.objects.create(person=sam, severest_since=timezone.now())
    claims = at_once([lambda: queue.claim(rita, "general", 2), lambda: queue.claim(sam, "general", 2)] * 4)
    given = {claim.request_id: claim for batch in claims for claim in batch}
    assert len(given) == sum(map(len, claims)) > 6
    assert all(claim.request.severity < 4 for claim in given.values() if claim.reviewer == rita)
