"""The monitoring page, its files, its API, its command and its metrics: what they show, and to whom."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from moderation.guardrails import alarms
from moderation.guardrails.counting import hour_of
from moderation.models import Alarm, AlarmSight, AuditEvent, Client, Reading, TriagePlan, User
from review.estimates.tallies import Seen, Tally
from review.models import AuditTally, MonitoringSettings, QualityRollup
from review.monitoring import choosing, looking
from review.monitoring.settings import Lines
from tests.moderation.test_metrics import scraped
from tests.review.auditing import CODE, audited

PAGE = "/learning/monitoring/"
SETTINGS = "/learning/monitoring/settings/"
CALL = "/api/v1/monitoring"


def as_person(person: User) -> Browser:
    browser = Browser()
    browser.force_login(person)
    return browser


def rows(browser: Browser, table: str, **asked: str) -> list[dict[str, str]]:
    return list(csv.DictReader(browser.get(PAGE, {"csv": table, **asked}).text.splitlines()))


@pytest.fixture
def lived(db: None, platform: Client) -> None:
    """Three weeks of audits, and a day's readings with one beyond its line."""
    today = timezone.now().date()
    for back in range(21):
        tally = Tally()
        tally.count("approve", "", 1000)
        tally.count("block", CODE, 30)
        tally.count("review", "", 40)
        for at in range(20):
            tally.add(Seen("approve", "", 0.02, at == 0 and back % 7 == 0, {CODE}))
        for at in range(10):
            tally.add(Seen("block", CODE, 1 / 3, at > 0, {CODE}))
        for at in range(40):
            tally.add(Seen("review", "", 1.0, at < 8, {CODE} if at < 5 else {"NUDITY"}))
        for group in ("", f"client:{platform.pk}", "generator:brush"):
            AuditTally.objects.create(day=today - timedelta(days=back), group=group, counts=tally.dump())
    bins = [0.5, 0.3, 0.2, *[0.0] * 9]
    known = {"reference": "eyes@1", "before": 2000, "n": 5000, "bins": bins, "newest": bins[::-1], "line": 0.25}
    means = {"mean_before": 0.01, "mean": 0.9}
    shares = {"generator": "brush 1", "share_before": 0.9, "share": 0.4, "n": 400, "mean_before": 0.1, "mean": 0.12}
    new = {**shares, "generator": "<b>chisel</b> 9", "share_before": 0.0, "share": 0.6, "n": 600, "mean_before": None}
    read = [
        Reading(measure="psi", subject="eyes@1", key=CODE, value=0.31, level="act", figures={**known, **means}),
        Reading(measure="psi", subject="eyes@1", key="NUDITY", figures={"n": 3, "of": 500}),
        Reading(measure="ks", subject="eyes@1", key=CODE, value=0.2, level="act", figures={"p_value": 1e-9}),
        Reading(measure="shares", value=0.12, level="watch", figures={**known, "rows": [shares, new], "further": 0}),
        Reading(measure="unseen", key="<b>chisel</b> 9", value=0.6, level="act", figures={"line": 0.05}),
        Reading(measure="mmd", subject="eyes@1", value=0.001, level="watch", figures={"p_value": 0.0005, "n": 500}),
        Reading(
            measure="c2st",
            subject="eyes@1",
            value=0.6,
            level="watch",
            figures={"p_value": 1e-5, "n": 500, "before": 500},
        ),
        Reading(
            measure="overturn",
            value=3.5,
            level="usual",
            figures={"n": 90, "of": 20, "since": "2026-01-05", "before": 0.1, "after": 0.14, "line": 20},
        ),
        Reading(measure="miss_rate", key="", value=0.007, low=0.002, high=0.02, level="usual"),
    ]
    looking.keep(read, timezone.now())
    QualityRollup.objects.create(day=today, measure="overturned", counts={"again": 90, "overturned": 11})


@pytest.fixture
def rung(lived: None) -> Alarm:
    looking.ring(Reading.objects.get(measure="psi", key=CODE), timezone.now())
    return Alarm.objects.get()


@pytest.mark.parametrize(
    ("name", "page", "call", "setting"),
    [
        ("eve", 403, 403, 403),
        ("rita", 403, 403, 403),
        ("sam", 403, 403, 403),
        ("ari", 200, 403, 403),
        ("paula", 200, 403, 403),
        ("ming", 200, 200, 200),
    ],
)
def test_who_may_open_what(
    name: str, page: int, call: int, setting: int, rung: Alarm, request: pytest.FixtureRequest
) -> None:
    browser = as_person(request.getfixturevalue(name))
    assert browser.get(PAGE).status_code == page
    assert browser.get(PAGE, {"csv": "weeks"}).status_code == page
    assert browser.get(CALL).status_code == browser.get(f"{CALL}/weeks").status_code == call
    assert browser.get(SETTINGS).status_code == setting
    if setting == 403:
        close = reverse("drift_close", args=[rung.pk])
        assert browser.post(SETTINGS, {"psi_act": 2}).status_code == 403
        assert browser.post(close, {"verdict": "normal", "note": "x"}).status_code == 403
        assert not MonitoringSettings.objects.exists()
        assert not AlarmSight.objects.exists()
        assert alarms.standing().count() == 1


def test_strangers_sign_in_first(db: None) -> None:
    assert Browser().get(PAGE).status_code == 302
    assert Browser().get(CALL).status_code == 401


def test_before_the_first_look_it_says_what_to_do(ming: User) -> None:
    page = as_person(ming).get(PAGE).text
    assert "Look now with the command drift" in page
    assert "Figures appear once a plan with an audit rate" in page
    assert "Adopt a version on its page" in page


def test_it_shows_figures_drift_and_alarms_at_a_bounded_cost(
    rung: Alarm, eyes: TriagePlan, ming: User, django_assert_max_num_queries: Any
) -> None:
    browser = as_person(ming)
    browser.get(PAGE)
    with django_assert_max_num_queries(24):
        page = browser.get(PAGE).text
    assert "stability index of 0.31; the line is 0.25" in page
    assert "seen by ming" in page
    assert "90.0 %" in page  # precision
    assert page.count('class="course"') == 7
    assert "&lt;b&gt;chisel" in page
    assert "<b>chisel" not in page
    assert "1 drift alarm" in page


def test_a_category_has_figures_of_its_own(lived: None, ming: User) -> None:
    page = as_person(ming).get(PAGE, {"category": "NUDITY", "weeks": "26"}).text
    assert "nobody looked yet" in page  # at blocks for it: there are none
    assert as_person(ming).get(PAGE, {"category": "nonsense", "weeks": "x"}).status_code == 200


def test_the_numbers_come_as_files(lived: None, ming: User, platform: Client) -> None:
    browser = as_person(ming)
    found = {row["category"]: row for row in rows(browser, "categories")}
    assert found.keys() == {"any", CODE, "NUDITY"}
    assert float(found[CODE]["precision"]) == pytest.approx(0.9)
    assert float(found[CODE]["miss_rate_low"]) < float(found[CODE]["miss_rate"]) < float(found[CODE]["miss_rate_high"])
    assert found["NUDITY"]["precision"] == ""
    assert len(rows(browser, "weeks", weeks="26")) == 26
    assert [row["generator"] for row in rows(browser, "generators")] == ["brush"]
    assert [row["client"] for row in rows(browser, "clients")] == [platform.name]
    assert [(row["category"], row["level"]) for row in rows(browser, "drift")] == [(CODE, "act"), ("NUDITY", "")]
    assert len(rows(browser, "bins")) == 12
    assert rows(browser, "distances")[0]["psi"] == "0.31"
    assert [row["generator"] for row in rows(browser, "shares")] == ["brush 1", "<b>chisel</b> 9"]
    assert {row["test"] for row in rows(browser, "images")} == {"mmd", "c2st"}
    assert rows(browser, "overturned")[-1]["overturned"] == "11"
    assert browser.get(PAGE, {"csv": "secrets"}).status_code == 404


def test_an_alarm_of_drift_is_closed_by_who_answers_for_it(rung: Alarm, ming: User, paula: User) -> None:
    browser, address = as_person(ming), reverse("drift_close", args=[rung.pk])
    assert "stays open" in browser.post(address, {"verdict": "incident", "note": ""}, follow=True).text
    elsewhere = reverse("alarm_close", args=[rung.pk])
    assert as_person(paula).post(elsewhere, {"verdict": "incident", "note": "x"}).status_code == 404
    assert "stability index" not in as_person(paula).get("/policies/guardrails/").text
    assert browser.post(address, {"verdict": "normal", "note": "A new season."}).status_code == 302
    assert "“A new season.” · ming" in browser.get(PAGE).text
    assert AuditEvent.objects.get(action="alarm.closed").data["verdict"] == "normal"
    missing = reverse("drift_close", args=["019aa000-0000-7000-8000-000000000000"])
    assert browser.post(missing, {"verdict": "incident", "note": "x"}).status_code == 404


def test_a_guardrails_alarm_is_not_for_this_page(lived: None, ming: User) -> None:
    finding = alarms.Finding("plan", "1", "cap", "count", True, hour_of(timezone.now()), {"blocked": 2, "most": 2})
    other = alarms.ring(finding, looking.GUARDS)
    assert other is not None
    answer = as_person(ming).post(reverse("drift_close", args=[other.pk]), {"verdict": "incident", "note": "x"})
    assert answer.status_code == 404
    assert "cap of" not in as_person(ming).get(PAGE).text


def filled(**changed: Any) -> dict[str, Any]:
    percent = {"accuracy_watch", "accuracy_act", "unseen_watch", "unseen_act", "doubt", "overturn_doubt"}
    return {name: 100 * value if name in percent else value for name, value in Lines().dump().items()} | changed


def test_lines_are_saved_in_the_units_they_are_written_in(ming: User) -> None:
    browser = as_person(ming)
    assert browser.post(SETTINGS, filled(miss_rate=0.5, psi_act=0.3)).status_code == 302
    assert choosing.in_force() == Lines(miss_rate=0.005, psi_act=0.3)
    assert 'value="0.5"' in browser.get(SETTINGS).text


@pytest.mark.parametrize("wrong", [{"psi_act": 0.05}, {"psi_act": "nan"}, {"doubt": 50}, {"recall": 101}])
def test_lines_that_would_blind_the_watch_are_refused(wrong: dict[str, Any], ming: User) -> None:
    answer = as_person(ming).post(SETTINGS, filled(**wrong))
    assert answer.status_code == 422
    assert not MonitoringSettings.objects.exists()


def test_programs_get_the_same(lived: None, ming: User) -> None:
    browser = as_person(ming)
    found = browser.get(CALL).json()
    assert found["level"] == "act"
    assert {one["measure"] for one in found["readings"]} >= {"psi", "ks", "shares", "c2st", "miss_rate"}
    weeks = browser.get(f"{CALL}/weeks", {"category": CODE, "weeks": "4"}).json()
    assert len(weeks) == 4
    assert weeks[-2]["images"] == 7 * 1070
    assert weeks[-2]["precision"]["low"] < weeks[-2]["precision"]["value"] < weeks[-2]["precision"]["high"]
    assert browser.get(f"{CALL}/weeks", {"category": "x"}).json()["errors"][0]["pointer"] == "#/category"
    assert browser.get(f"{CALL}/weeks", {"weeks": "0"}).status_code == 422


class TestCommand:
    def test_it_looks_and_fails_where_something_is_to_be_acted_on(self, lived: None) -> None:
        out = io.StringIO()
        with pytest.raises(CommandError, match="3 beyond") as failed:
            call_command("drift", "--latest", stdout=out)
        assert failed.value.returncode == 1
        assert f"act       psi        eyes@1 {CODE}: 0.31" in out.getvalue()
        assert "3 to act on, 3 to watch, 2 as usual, 1 still learning" in out.getvalue()

    def test_it_looks_itself_and_is_content_with_nothing_beyond(
        self, eyes: TriagePlan, platform: Client, rita: User, settings: Any
    ) -> None:
        settings.GOLD_SHARE = 0.0
        audited(platform, rita, [0.4, 0.5])
        out = io.StringIO()
        call_command("drift", "--json", stdout=out)
        found = json.loads(out.getvalue())
        assert found["level"] == "usual"
        assert {one["measure"] for one in found["readings"]} >= {"psi", "shares", "overturn", "recall"}


@pytest.mark.usefixtures("counts_from_zero")
def test_prometheus_is_told(rung: Alarm) -> None:
    found = scraped()
    assert found["loupe_drift", (CODE, "psi", "eyes@1")] == 0.31
    assert found["loupe_quality", ("", "high", "miss_rate")] == 0.02
    assert found["loupe_monitoring_readings", ("act", "psi")] == 1
    assert found["loupe_monitoring_readings", ("act", "unseen")] == 1
    assert not [key for key in found if "chisel" in str(key)]
    assert 0 <= found["loupe_monitoring_age_seconds", ()] < 600
    assert found["loupe_guardrail_open_alarms", ("psi", "drift")] == 1
