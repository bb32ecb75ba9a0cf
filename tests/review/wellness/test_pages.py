from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client as Browser

from moderation.models import AuditEvent, User
from moderation.roles import Role
from review.models import Exposure, OrganisationSettings, ReviewerSettings
from review.settings_forms import OwnForm, as_written
from review.wellness import choosing, exposure
from review.wellness.limits import limits_of, standing_of
from review.wellness.settings import Comfort, House
from tests.conftest import person

OWN = ("/me/exposure/", "/me/exposure.csv", "/me/settings/")
LEADS = ("/settings/wellness/", "/settings/wellness/exposure.csv")
MONDAY = datetime(2026, 11, 9, 10, tzinfo=UTC)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def at_page(user: User | None) -> Browser:
    browser = Browser()
    if user is not None:
        browser.force_login(user)
    return browser


def exposed(user: User, hour: datetime, *, severity: int = 3, seconds: float = 600) -> None:
    Exposure.objects.create(reviewer=user, hour=hour, severity=severity, looks=2, seconds=seconds, weighted=4 * seconds)


def written(comfort: Comfort | None = None, **more: Any) -> dict[str, Any]:
    """A form as a browser sends it: no box that is not ticked."""
    return {name: value for name, value in (as_written(comfort or Comfort()) | more).items() if value is not False}


def house_written(**more: Any) -> dict[str, Any]:
    house = House().dump()
    numbers = {
        name: house[name] for name in ("shift", "warn", "benign", "severest_items", "severest_days", "rest_days")
    }
    return written(floors=["budget"], weights="0.25 1 2 4 8", **numbers) | more


@pytest.mark.parametrize("path", OWN)
def test_ones_own_pages_are_for_reviewers(
    path: str, rita: User, sam: User, paula: User, ming: User, ari: User, adam: User, eve: User
) -> None:
    answers = [at_page(one).get(path).status_code for one in (rita, sam, paula, ming, ari, adam, eve)]
    assert answers == [200, 200, 403, 403, 403, 403, 403]
    assert at_page(None).get(path).status_code == 302


@pytest.mark.parametrize("path", LEADS)
def test_the_organisations_pages_are_for_leads_and_admins(
    path: str, rita: User, sam: User, paula: User, ming: User, ari: User, adam: User, eve: User
) -> None:
    answers = [at_page(one).get(path).status_code for one in (rita, sam, paula, ming, ari, adam, eve)]
    assert answers == [403, 403, 200, 403, 403, 200, 403]
    assert at_page(None).get(path).status_code == 302


def test_nobody_sees_the_exposure_of_another(rita: User, sam: User) -> None:
    exposed(rita, datetime.now(UTC).replace(minute=0, second=0, microsecond=0), seconds=744)
    assert "12.4" in at_page(rita).get("/me/exposure/").content.decode()
    assert "Nothing yet" in at_page(sam).get("/me/exposure/").content.decode()
    assert "744" in at_page(rita).get("/me/exposure.csv").content.decode()
    assert "744" not in at_page(sam).get("/me/exposure.csv").content.decode()


def test_ones_exposure_is_added_up_by_day_and_severity(rita: User, sam: User, django_assert_num_queries: Any) -> None:
    for hour in (9, 10):
        exposed(rita, NOW.replace(hour=hour), seconds=30)
    exposed(rita, NOW.replace(hour=10), severity=1, seconds=5)
    exposed(rita, NOW - timedelta(days=1), seconds=7)
    exposed(sam, NOW.replace(hour=9), seconds=99)
    exposed(rita, NOW - timedelta(days=exposure.DAYS), seconds=99)
    with django_assert_num_queries(1):
        days = exposure.by_day(rita, now=NOW)
    assert len(days) == exposure.DAYS
    assert (days[-1].seconds, days[-1].looks, days[-1].weighted) == ([0, 5, 0, 60, 0], 6, 260)
    assert sum(day.total for day in days) == 72


def test_of_four_people_nothing_is_said(db: None) -> None:
    crowd = [person(f"one{number}", Role.MODERATOR) for number in range(5)]
    for one in crowd[:4]:
        exposed(one, MONDAY)
    assert exposure.together(now=NOW) == []
    exposed(crowd[4], MONDAY, severity=4)
    assert exposure.together(now=NOW) == [], "five people, but no five of one severity"
    exposed(crowd[4], MONDAY)
    (week,) = exposure.together(now=NOW)
    assert week.minutes == [None, None, None, 10, None], "nor does a sum give the fifth's S4 away"


def test_a_week_that_is_not_over_is_not_told(db: None) -> None:
    for number in range(6):
        exposed(person(f"one{number}", Role.MODERATOR), NOW)
    assert exposure.together(now=NOW) == []
    assert len(exposure.together(now=NOW + timedelta(days=7))) == 1


def test_what_one_chooses_holds_and_is_nobodys_business(rita: User) -> None:
    said = written(Comfort(blur=9, grey=True), avoided=["HATE", "NUDITY"], volunteers=True, budget=30)
    assert at_page(rita).post("/me/settings/", said).status_code == 302
    standing = standing_of(rita)
    assert (standing.comfort.blur, standing.comfort.grey, standing.budget) == (9, True, 1800)
    assert limits_of(rita).avoided == {"HATE", "NUDITY"}
    assert limits_of(rita).most_severe == 4
    event = AuditEvent.objects.get(action="reviewer_settings.changed")
    assert event.data == {}
    assert "HATE" not in at_page(rita).get("/me/exposure/").content.decode()


def test_withdrawing_holds_from_the_next_claim_on(rita: User) -> None:
    choosing.choose(rita, comfort={}, avoided=["HATE"], volunteers=True)
    at_page(rita).post("/me/settings/", written())
    assert (limits_of(rita).most_severe, limits_of(rita).avoided) == (3, frozenset())


def test_who_volunteered_before_has_done_so_since_then(rita: User) -> None:
    choosing.choose(rita, comfort={}, avoided=[], volunteers=True)
    since = ReviewerSettings.objects.get().severest_since
    choosing.choose(rita, comfort={"blur": 4}, avoided=[], volunteers=True)
    assert ReviewerSettings.objects.get().severest_since == since


def test_a_budget_goes_down_and_never_up(rita: User) -> None:
    choosing.choose(rita, comfort={"budget": 100_000}, avoided=[], volunteers=False)
    assert standing_of(rita).budget == House().comfort.budget
    choosing.choose(rita, comfort={"budget": 600}, avoided=[], volunteers=False)
    assert standing_of(rita).budget == 600


@pytest.mark.parametrize(
    "wrong", [{"blur": 99}, {"blur": ""}, {"reveal": "wink"}, {"avoided": ["NOTHING"]}, {"budget": "much"}]
)
def test_what_cannot_be_is_refused_and_nothing_is_saved(rita: User, wrong: dict[str, Any]) -> None:
    answer = at_page(rita).post("/me/settings/", written(**wrong))
    assert answer.status_code == 422
    assert "Nothing was saved" in answer.content.decode()
    assert not ReviewerSettings.objects.exists()


def test_the_organisations_settings_hold_for_everybody_and_are_on_record(rita: User, adam: User) -> None:
    said = house_written(blur=12, floors=["budget", "blur"], shift=8, weights="0 1 2 5 9")
    assert at_page(adam).post("/settings/wellness/", said).status_code == 302
    choosing.choose(rita, comfort={"blur": 2}, avoided=[], volunteers=False)
    standing = standing_of(rita)
    assert (standing.comfort.blur, standing.house.shift, standing.house.weights[4]) == (12, 8, 9)
    event = AuditEvent.objects.get(action="organisation_settings.changed")
    assert event.data["changed"]["shift"] == [12, 8]
    assert (event.actor_label, event.data["changed"].keys()) == ("adam", {"comfort", "floors", "shift", "weights"})


def test_saving_what_holds_already_makes_no_edition(adam: User) -> None:
    assert at_page(adam).post("/settings/wellness/", house_written()).status_code == 302
    assert not OrganisationSettings.objects.exists()


@pytest.mark.parametrize("wrong", [{"weights": "1 2 3"}, {"weights": "a b c d e"}, {"shift": 2}, {"floors": ["pay"]}])
def test_an_unfit_edition_is_refused(adam: User, wrong: dict[str, Any]) -> None:
    assert at_page(adam).post("/settings/wellness/", house_written(**wrong)).status_code == 422
    assert not OrganisationSettings.objects.exists()


@pytest.mark.parametrize("who", ["rita", "eve"])
def test_others_change_nothing_for_everybody(rita: User, eve: User, who: str) -> None:
    assert (
        at_page({"rita": rita, "eve": eve}[who]).post("/settings/wellness/", house_written(blur=5)).status_code == 403
    )
    assert not OrganisationSettings.objects.exists()


def test_an_edition_is_never_edited(adam: User) -> None:
    row = choosing.set_house(House(shift=8), person=adam)
    assert row is not None
    with pytest.raises(DatabaseError), transaction.atomic():
        OrganisationSettings.objects.update(body={})


def test_a_form_shows_what_holds(rita: User) -> None:
    choosing.choose(rita, comfort={"blur": 9}, avoided=["HATE"], volunteers=True)
    form = OwnForm(house=House(), own=choosing.own(rita))
    assert (form.initial["blur"], form.initial["avoided"], form.initial["volunteers"]) == (9, ["HATE"], True)


@pytest.mark.parametrize("path", [*OWN])
def test_a_page_costs_few_queries(rita: User, path: str, django_assert_max_num_queries: Any) -> None:
    browser = at_page(rita)
    for day in range(20):
        exposed(rita, NOW - timedelta(days=day))
    with django_assert_max_num_queries(10):
        browser.get(path)
