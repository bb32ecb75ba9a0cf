"""The guardrails' pages: who may open and change what, and what they show."""

from __future__ import annotations

import csv
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from moderation.guardrails import choosing, watching
from moderation.guardrails.settings import Guards
from moderation.models import Alarm, AlarmSight, Client, GuardrailSettings, User
from tests.moderation.guardrails.planting import calm, plant, this_hour
from tests.moderation.test_metrics import scraped

PAGE = "/policies/guardrails/"
SETTINGS = "/policies/guardrails/settings/"


def as_person(person: User) -> Browser:
    browser = Browser()
    browser.force_login(person)
    return browser


@pytest.fixture
def rung(platform: Client) -> Alarm:
    """The oldest of the alarms after a leap."""
    calm(platform)
    plant(platform, this_hour(), images=300, blocked=100)
    watching.look()
    return Alarm.objects.get(scope="plan", measure="block")


def said(**changed: Any) -> dict[str, Any]:
    return {"a_month": 1, "days": 14, "least_points": 1, "plan_cap": 0, "category_cap": 0, "client_cap": 0} | changed


@pytest.mark.parametrize(("name", "page", "setting"), [("eve", 403, 403), ("rita", 200, 403), ("ari", 200, 403)])
def test_who_may_open_them(name: str, page: int, setting: int, request: pytest.FixtureRequest, rung: Alarm) -> None:
    browser = as_person(request.getfixturevalue(name))
    assert browser.get(PAGE).status_code == page
    assert browser.get(SETTINGS).status_code == setting
    assert browser.post(SETTINGS, said(plan_cap=5)).status_code == 403
    assert browser.post(reverse("alarm_close", args=[rung.pk]), {"verdict": "incident", "note": "x"}).status_code == 403
    assert not GuardrailSettings.objects.exists()
    assert not AlarmSight.objects.exists()


def test_before_anything_is_counted_it_says_what_to_do(paula: User) -> None:
    assert "count_outcomes" in as_person(paula).get(PAGE).text


def test_a_first_hour_is_shown_before_anything_is_usual(platform: Client, paula: User) -> None:
    plant(platform, this_hour(), images=30, blocked=3)
    page = as_person(paula).get(PAGE).text
    assert "Not enough hours yet" in page
    assert 'class="dot"' in page


def test_it_shows_alarms_and_their_chart_and_keeps_who_saw_them(
    rung: Alarm, paula: User, rita: User, django_assert_max_num_queries: Any
) -> None:
    browser = as_person(paula)
    browser.get(PAGE)
    with django_assert_max_num_queries(18):
        page = browser.get(PAGE, {"scope": "client", "key": rung.key, "measure": "block"}).text
    assert "Plan 1: machines block 33.3 % of 300 images; usual is" in page
    assert 'class="beyond"' in page
    assert "seen by paula" in page
    assert "1 alarm<" in page
    assert "7 more alarms of the same hours" in page
    assert "1 alarm<" not in as_person(rita).get(PAGE).text


def test_the_numbers_come_as_files(rung: Alarm, paula: User) -> None:
    browser = as_person(paula)
    hours = list(csv.DictReader(browser.get(PAGE, {"csv": "chart"}).text.splitlines()))
    assert (hours[-1]["images"], hours[-1]["of_them"], hours[-1]["outside"]) == ("300", "100", "1")
    assert len(hours) == 72
    watched = list(csv.DictReader(browser.get(PAGE, {"csv": "watched"}).text.splitlines()))
    assert {row["what"] for row in watched} == {"plan", "client", "category", "classifier"}
    assert {row["state"] for row in watched} == {"usual"}  # of the hour before


def test_an_alarm_is_closed_with_what_it_was(rung: Alarm, paula: User, django_capture_on_commit_callbacks: Any) -> None:
    browser = as_person(paula)
    address = reverse("alarm_close", args=[rung.pk])
    assert "stays open" in browser.post(address, {"verdict": "incident", "note": ""}, follow=True).text
    with django_capture_on_commit_callbacks(execute=True):
        assert browser.post(address, {"verdict": "incident", "note": "A broken head."}).status_code == 302
    page = browser.get(PAGE).text
    assert "“A broken head.” · paula" in page
    assert "6 more alarms of the same hours" in page
    missing = reverse("alarm_close", args=["019aa000-0000-7000-8000-000000000000"])
    assert browser.post(missing, {"verdict": "incident", "note": "x"}).status_code == 404


def test_the_alarms_of_one_event_are_closed_in_one_go(rung: Alarm, paula: User) -> None:
    browser = as_person(paula)
    keys = [str(key) for key in Alarm.objects.values_list("pk", flat=True)]
    address = reverse("alarm_close", args=[rung.pk])
    said = {"verdict": "incident", "note": "A broken head."}

    assert browser.post(address, {**said, "alarm": ["nonsense"]}).status_code == 404
    browser.post(address, {**said, "alarm": keys})

    assert not Alarm.objects.filter(closed_at__isnull=True).exists()
    assert set(Alarm.objects.values_list("note", flat=True)) == {"A broken head."}


def test_settings_are_saved_and_shown_as_they_were_written(paula: User, platform: Client) -> None:
    browser = as_person(paula)
    asked = said(a_month=2.5, caps="HATE 20\natelier 300\n", fallback=["block"], client_cap=50)
    assert browser.post(SETTINGS, asked).status_code == 302
    caps = {"HATE": 20, str(platform.pk): 300}
    assert choosing.in_force() == Guards(a_month=2.5, client_cap=50, caps=caps, fallback=frozenset({"block"}))
    assert "atelier 300" in browser.get(SETTINGS).text


@pytest.mark.parametrize(
    "wrong",
    [
        {"a_month": 0},
        {"a_month": "nan"},
        {"days": 1},
        {"plan_cap": -1},
        {"caps": "HATE"},
        {"caps": "NOBODY 3"},
        {"caps": "HATE many"},
        {"caps": "HATE 99999999999"},
        {"fallback": ["all"]},
        {"least_points": ""},
    ],
)
def test_what_cannot_be_is_refused_and_kept_in_the_form(paula: User, wrong: dict[str, Any]) -> None:
    answer = as_person(paula).post(SETTINGS, said(client_cap=77) | wrong)
    assert answer.status_code == 422
    assert "Nothing was saved" in answer.text
    assert 'value="77"' in answer.text
    assert not GuardrailSettings.objects.exists()


def test_prometheus_hears_of_open_alarms(rung: Alarm) -> None:
    assert scraped()["loupe_guardrail_open_alarms", ("block", "plan")] == 1
