from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser

from moderation import audit
from moderation.actors import Actor
from moderation.models import Client, TriagePlan, User
from moderation.queues import keeping
from review import queue
from review.models import Claim, ReviewerProfile
from tests.review.arranging import waiting

pytestmark = pytest.mark.django_db


def browser_of(person: User) -> Browser:
    browser = Browser()
    browser.force_login(person)
    return browser


@pytest.fixture
def claim(rita: User, platform: Client, eyes: TriagePlan) -> Claim:
    waiting(platform, 3)
    return queue.claim(rita, queue.GENERAL)[0]


def test_a_lead_sees_who_holds_what_and_takes_it_over(claim: Claim, rita: User, sam: User) -> None:
    browser = browser_of(sam)
    page = browser.get("/queues/")
    assert [one.pk for one, _name in page.context["holders"]] == [claim.pk]
    answer = browser.post(f"/queues/claims/{claim.pk}/take-over/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/desk/general/")
    assert (queue.held(rita), len(queue.held(sam))) == ([], 1)


def test_too_late_a_takeover_is_told_and_changes_nothing(claim: Claim, rita: User, sam: User) -> None:
    queue.release(claim.pk, rita)
    browser = browser_of(sam)
    answer = browser.post(f"/queues/claims/{claim.pk}/take-over/", follow=True)
    assert "has ended" in answer.content.decode()
    assert queue.held(sam) == []


def test_a_moderator_sees_no_holders_and_takes_nothing_over(claim: Claim, rita: User, eve: User) -> None:
    assert not browser_of(rita).get("/queues/").context["holders"]
    for person in (rita, eve):
        assert browser_of(person).post(f"/queues/claims/{claim.pk}/take-over/").status_code == 403


def test_the_page_costs_no_more_with_more_that_waits(
    platform: Client, eyes: TriagePlan, sam: User, django_assert_max_num_queries: Any
) -> None:
    browser = browser_of(sam)
    waiting(platform, 1)
    browser.get("/queues/")
    waiting(platform, 4, green=0.3)
    with django_assert_max_num_queries(16):
        row = browser.get("/queues/").context["rows"][0]
    assert (row.backlog.open, row.outlook.arrivals, row.wait) == (5, 5.0, "")


def test_a_lead_keeps_what_a_reviewer_knows_and_queues_go_by_it(rita: User, sam: User) -> None:
    keeping.define("french", title="French", actor=Actor.command("test"), access={"languages": ["fr"]})
    assert not queue.is_open_to(rita, "french")
    said = {"languages": "FR, de", "specialties": "Slang, heraldry "}
    assert browser_of(sam).post(f"/queues/people/{rita.pk}/", said).status_code == 302
    profile = ReviewerProfile.objects.get(person=rita)
    assert (profile.languages, profile.specialties) == (["fr", "de"], ["slang", "heraldry"])
    assert queue.is_open_to(rita, "french")
    (event,) = audit.events_of(f"person:{rita.pk}")
    assert (event.action, event.actor_label) == ("profile.changed", "sam")
    assert "fr, de" in browser_of(sam).get("/queues/people/").content.decode()


@pytest.mark.parametrize("said", [{"languages": "French"}, {"specialties": "x" * 41}, {"languages": "aa " * 3 + "b"}])
def test_a_slip_in_a_profile_is_told_and_nothing_changes(rita: User, sam: User, said: dict[str, str]) -> None:
    answer = browser_of(sam).post(f"/queues/people/{rita.pk}/", said, follow=True)
    assert "Nothing was changed" in answer.content.decode()
    assert not ReviewerProfile.objects.exists()


def test_profiles_are_for_leads_to_keep_and_reviewers_to_have(eve: User, rita: User, sam: User, paula: User) -> None:
    for person in (eve, rita, paula):
        browser = browser_of(person)
        assert browser.get("/queues/people/").status_code == 403
        assert browser.post(f"/queues/people/{rita.pk}/", {"languages": "fr"}).status_code == 403
    assert browser_of(sam).post(f"/queues/people/{eve.pk}/", {"languages": "fr"}).status_code == 404
