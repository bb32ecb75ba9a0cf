"""What is not as usual raises an alarm, once; people see and close it; the house falls back where the lead said so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from uuid_utils.compat import uuid7

from moderation import automation, tasks
from moderation.actors import Actor
from moderation.guardrails import alarms, choosing, letters, watching
from moderation.guardrails.events import events
from moderation.guardrails.settings import Guards
from moderation.models import Alarm, AuditEvent, AutomationStop, Client, User, Verdict
from tests.moderation.guardrails.planting import calm, plant, this_hour


def raised() -> set[tuple[str, str, bool]]:
    return {(one.scope, one.measure, one.rising) for one in alarms.standing()}


@pytest.fixture
def leap(platform: Client) -> None:
    """A hundred hours as usual, and then a third of what came in this hour is blocked."""
    calm(platform)
    plant(platform, this_hour(), images=300, blocked=100)


def test_hours_as_usual_raise_nothing(platform: Client) -> None:
    calm(platform, until=0)
    assert watching.look() == 0


def test_a_leap_in_the_hour_under_way_is_told_wherever_it_shows(leap: None) -> None:
    assert watching.look() == 8
    every = {"plan", "client", "category", "classifier"}
    assert raised() == {(scope, "block", True) for scope in every} | {(scope, "approve", False) for scope in every}
    figures = Alarm.objects.get(scope="plan", measure="block").figures
    assert figures["share"] == pytest.approx(1 / 3, abs=0.001)
    assert figures["low"] < 0.03 < figures["high"] < figures["share"]


def test_an_alarm_that_is_open_is_not_raised_again(leap: None) -> None:
    watching.look()
    assert watching.look() == 0
    assert watching.look(timezone.now() + timedelta(hours=1)) == 0


def test_a_new_plan_is_judged_by_what_was_usual_before_it(platform: Client) -> None:
    calm(platform)
    plant(platform, this_hour(), images=300, blocked=200, plan=2)
    watching.look()

    assert Alarm.objects.filter(scope="plan", key="2", measure="block", rising=True).exists()


def test_without_enough_hours_nothing_is_known_and_nothing_raised(platform: Client) -> None:
    for back in range(20, -1, -1):
        plant(platform, this_hour() - timedelta(hours=back), images=300, blocked=9 if back else 200)
    assert watching.look() == 0


def test_a_small_difference_is_no_alarm_however_sure(platform: Client, paula: User) -> None:
    calm(platform, images=200_000)
    plant(platform, this_hour(), images=200_000, blocked=7_400)
    choosing.choose(Guards(least_points=5), person=paula)
    assert watching.look() == 0
    choosing.choose(Guards(least_points=0.5), person=paula)
    assert watching.look() > 0


def test_an_incident_is_left_out_of_what_is_usual(platform: Client, paula: User) -> None:
    calm(platform, until=40)
    for back in range(39, 12, -1):
        plant(platform, this_hour() - timedelta(hours=back), images=300, blocked=150)
    for back in range(12, 0, -1):
        plant(platform, this_hour() - timedelta(hours=back), images=300, blocked=9)
    alarm = Alarm.objects.create(
        scope="plan",
        key="1",
        measure="block",
        chart="leap",
        rising=True,
        figures={},
        hour=this_hour() - timedelta(hours=39),
        last_hour=this_hour() - timedelta(hours=13),
    )
    alarms.close(alarm.pk, person=paula, verdict=Verdict.INCIDENT, note="A broken head.")

    usual = {
        (one.series.scope, one.measure): one.usual.share
        for one in watching.state_at(timezone.now()).watched
        if one.usual
    }
    assert usual["plan", "block"] == pytest.approx(0.03, abs=0.01)
    assert usual["client", "block"] > 0.1


def test_what_is_said_to_be_normal_now_is_learnt_anew(leap: None, paula: User) -> None:
    watching.look()
    alarm = Alarm.objects.get(scope="plan", measure="block")
    alarms.close(alarm.pk, person=paula, verdict=Verdict.NORMAL, note="A campaign against hate.")
    watching.look()

    assert not alarms.standing().filter(scope="plan", measure="block").exists()
    found = {(one.series.scope, one.measure): one.usual for one in watching.state_at(timezone.now()).watched}
    assert found["plan", "block"] is None
    assert found["client", "block"] is not None


def test_hours_in_which_automation_was_stopped_say_nothing(platform: Client, paula: User) -> None:
    calm(platform, share=0.2)
    automation.stop(Actor.person(paula), action="block", reason="To be careful.")
    plant(platform, this_hour(), images=300, blocked=0, reviewed=60)

    watching.look()
    assert raised() == set()


class TestFallingBack:
    def test_nothing_is_stopped_unless_the_lead_said_so(self, leap: None) -> None:
        watching.look()
        assert not AutomationStop.objects.exists()

    def test_blocking_is_stopped_by_the_house_on_the_record(self, leap: None, paula: User) -> None:
        choosing.choose(Guards(fallback=frozenset({"block"})), person=paula)
        watching.look()

        assert automation.stopped().bars("block")
        assert not automation.stopped().bars("approve")
        assert set(AuditEvent.objects.filter(action="automation.stopped").values_list("actor", flat=True)) == {
            "automation:house"
        }
        stopped = Alarm.objects.filter(measure="block").exclude(stopped=[]).values_list("stopped", flat=True)
        assert ["", "block"] in [pair for one in stopped for pair in one]

    def test_what_only_one_client_rang_is_stopped_for_that_client(
        self, platform: Client, other_platform: Client, paula: User
    ) -> None:
        """The other client's images are so many that plan, category and classifier stay as usual."""
        calm(platform, images=100)
        calm(other_platform, images=20_000)
        plant(platform, this_hour(), images=100, blocked=40)
        plant(other_platform, this_hour(), images=20_000, blocked=600)
        choosing.choose(Guards(fallback=frozenset({"block"})), person=paula)

        watching.look()

        assert {scope for scope, _key, _measure in raised()} == {"client"}
        assert not automation.stopped()
        assert automation.stopped_now().of(platform.pk).bars("block")
        assert not automation.stopped_now().of(other_platform.pk)

    def test_a_person_lifts_it_and_the_alarm_stops_nothing_again(self, leap: None, paula: User) -> None:
        choosing.choose(Guards(fallback=frozenset({"block"})), person=paula)
        watching.look()
        for stop in automation.standing():
            automation.lift(
                Actor.person(paula),
                category=stop.category,
                action=stop.action,
                client=stop.client,
                reason="Looked at it.",
            )
        watching.look()

        assert not automation.stopped()

    def test_a_fall_stops_nothing(self, platform: Client, paula: User) -> None:
        calm(platform, share=0.3)
        plant(platform, this_hour(), images=300, blocked=0, reviewed=90)
        choosing.choose(Guards(fallback=frozenset({"block", "approve"})), person=paula)
        watching.look()

        assert ("plan", "block", False) in raised()
        assert not AutomationStop.objects.exists()


class TestTelling:
    def test_policy_leads_are_written_to_once(self, leap: None, paula: User, rita: User) -> None:
        User.objects.filter(pk=paula.pk).update(email="paula@example.org")
        User.objects.filter(pk=rita.pk).update(email="rita@example.org")
        assert tasks.watch_guardrails()["told"] == 1
        assert letters.tell() == 0

        (letter,) = mail.outbox
        assert letter.to == ["paula@example.org"]
        assert "Plan 1: machines block 33.3 % of 300 images" in letter.body
        assert "/policies/guardrails/" in letter.body

    def test_it_is_known_who_saw_an_alarm_and_who_closed_it(self, leap: None, paula: User) -> None:
        watching.look()
        alarms.see(paula, drift=False)
        alarms.see(paula, drift=False)
        alarm = Alarm.objects.filter(measure="block").latest("raised_at")
        assert [one.person for one in alarm.sights.all()] == [paula]

        alarms.close(alarm.pk, person=paula, verdict=Verdict.INCIDENT, note="A broken head.")
        with pytest.raises(alarms.UnfitClosing, match="paula"):
            alarms.close(alarm.pk, person=paula, verdict=Verdict.INCIDENT, note="Again.")
        event = AuditEvent.objects.get(action="alarm.closed")
        assert (event.actor_label, event.data["note"]) == ("paula", "A broken head.")

    @pytest.mark.parametrize(("verdict", "note"), [("", "why"), ("fine", "why"), (Verdict.NORMAL, " \x00 ")])
    def test_closing_says_what_it_was_and_why(self, leap: None, paula: User, verdict: str, note: str) -> None:
        watching.look()
        alarm = Alarm.objects.first()
        assert alarm is not None
        with pytest.raises(alarms.UnfitClosing):
            alarms.close(alarm.pk, person=paula, verdict=verdict, note=note)
        alarm.refresh_from_db()
        assert alarm.closed_at is None


class TestEvents:
    def test_what_one_leap_rings_is_one_event_the_widest_first(self, leap: None) -> None:
        watching.look()

        (event,) = events(Alarm.objects.all())

        assert (event.lead.scope, event.lead.measure) == ("plan", "block")
        assert len(event.alarms) == Alarm.objects.count() > 2
        assert alarms.count(drift=False) == 1

    def test_another_hour_or_the_other_way_is_another_event(self, leap: None) -> None:
        watching.look()
        later = Alarm.objects.get(scope="plan", measure="block")
        hours = timedelta(hours=30)
        later.pk, later.key = uuid7(), "2"
        later.hour, later.last_hour = later.hour - hours, later.last_hour - hours
        later.save(force_insert=True)
        later.pk, later.key, later.rising = uuid7(), "3", False
        later.save(force_insert=True)

        found = events(Alarm.objects.all())

        assert [len(one.alarms) for one in found[1:]] == [1, 1]
        assert found[0].lead.key == "1"

    def test_the_letter_tells_of_one_event_with_all_its_alarms(self, leap: None, paula: User) -> None:
        User.objects.filter(pk=paula.pk).update(email="paula@example.org")
        watching.look()

        letters.tell()

        (letter,) = mail.outbox
        assert letter.subject == "Loupe: 1 guardrail alarm"
        assert str(letter.body).count("the same hours:") == Alarm.objects.count() - 1

    def test_the_alarms_of_an_event_are_closed_together_or_not_at_all(self, leap: None, paula: User) -> None:
        watching.look()
        keys = list(Alarm.objects.values_list("pk", flat=True))

        with pytest.raises(Alarm.DoesNotExist):
            alarms.close_all([*keys, uuid7()], person=paula, verdict="incident", note="A bad deploy.")
        assert alarms.standing().count() == len(keys)

        alarms.close_all(keys, person=paula, verdict="incident", note="A bad deploy.")
        assert not alarms.standing().exists()
