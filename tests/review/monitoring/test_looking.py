"""The worker's look: what it learns, what it finds moved, which alarms it raises, and how a reference begins anew."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from moderation.guardrails import alarms
from moderation.models import Alarm, AuditEvent, Client, Measure, Reading, TriagePlan, User
from moderation.triage import run_once
from review.models import DriftReference, QualityRollup
from review.monitoring import choosing, looking, pictures, scores, traffic, windows
from review.monitoring.settings import Lines, UnfitLines
from review.tasks import monitor
from tests import world

CODE = "WEAPONS_DANGEROUS"
MANY = 60


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few images do as many hundreds do."""
    for module in (windows, scores, traffic, pictures):
        monkeypatch.setattr(module, "LEAST", 40)
    monkeypatch.setattr(windows, "FULL", MANY)


def send(platform: Client, number: int, *, red: float = 0.1, seed: int = 0, **fields: Any) -> None:
    for at in range(number):
        shade = red + 0.002 * (at % 20)
        world.submit(platform, world.png(red=shade, green=0.05, blue=0.05, seed=seed + at, size=16), **fields)
    while run_once().claimed:
        pass


def reading(measure: str, key: str = "") -> Reading:
    return Reading.objects.get(measure=measure, key=key)


def rung() -> set[tuple[str, str]]:
    return {(one.measure, one.key) for one in alarms.standing()}


def ref(plan: TriagePlan) -> str:
    return str(plan.body["classifiers"][0])


@pytest.fixture
def learnt(eyes: TriagePlan, platform: Client) -> TriagePlan:
    """The reference is taken: calm images of one generator."""
    send(platform, MANY, generator={"name": "brush", "version": "1"})
    looking.look()
    return eyes


def test_before_enough_came_in_it_says_how_many_are_missing(eyes: TriagePlan, platform: Client) -> None:
    send(platform, 5)
    looking.look()
    found = reading("psi", CODE)
    assert (found.value, found.level, found.figures["n"], found.figures["of"]) == (None, "", 5, 40)
    assert not DriftReference.objects.exists()


def test_the_first_images_in_service_become_the_reference(learnt: TriagePlan) -> None:
    found = {row.subject: row.n for row in DriftReference.objects.all()}
    assert found == {ref(learnt): MANY, "": MANY, f"{ref(learnt)} images": MANY}
    looking.look()
    assert DriftReference.objects.count() == 3


def test_more_of_the_same_is_as_usual(learnt: TriagePlan, platform: Client) -> None:
    send(platform, MANY, seed=500, generator={"name": "brush", "version": "1"})
    looking.look()
    assert {one.level for one in Reading.objects.filter(value__isnull=False)} == {"usual"}
    assert reading("psi", CODE).value == pytest.approx(0.0, abs=0.05)
    assert not rung()


def test_other_images_are_found_by_every_test_and_raise_alarms_once(
    learnt: TriagePlan, platform: Client, ming: User, paula: User
) -> None:
    for person in (ming, paula):
        person.email = f"{person.username}@example.org"
        person.save()
    send(platform, MANY, red=0.5, seed=500, generator={"name": "chisel", "version": "9"})
    Reading.objects.all().delete()  # as on another day

    done = monitor()

    assert reading("psi", CODE).level == reading("ks", CODE).level == "act"
    assert reading("psi", CODE).figures["mean"] > 0.4 > reading("psi", CODE).figures["mean_before"]
    assert (reading("psi", "REGULATED").level, reading("shares").level) == ("usual", "act")
    assert reading("unseen", "chisel 9").value == 1.0
    assert (reading("mmd").level, reading("c2st").level, reading("c2st").value) == ("watch", "act", 1.0)
    assert rung() == {("psi", f"{ref(learnt)} {CODE}"), ("shares", ""), ("unseen", "chisel 9"), ("c2st", ref(learnt))}
    assert (done["raised"], done["told"]) == (4, 1)
    (letter,) = mail.outbox
    assert letter.to == ["ming@example.org"]
    assert "/learning/monitoring/" in letter.body
    assert "chisel 9, which was not in the reference" in letter.body
    assert monitor()["raised"] == 0
    assert AuditEvent.objects.filter(action="alarm.raised").count() == 4


def test_a_generator_whose_images_score_otherwise_is_named(learnt: TriagePlan, platform: Client) -> None:
    send(platform, MANY, red=0.3, seed=500, generator={"name": "brush", "version": "1"})
    looking.look()
    found = reading("prior", "brush 1")
    assert found.value == pytest.approx(0.2, abs=0.02)
    assert found.level == "act"
    assert reading("shares").level == "usual"


def test_closed_as_how_it_is_now_the_reference_begins_anew(learnt: TriagePlan, platform: Client, ming: User) -> None:
    send(platform, MANY, red=0.5, seed=500)
    looking.look()
    alarm = Alarm.objects.get(measure="psi")
    alarms.close(alarm.pk, person=ming, verdict="normal", note="A season.")

    looking.look()
    assert reading("psi", CODE).value is None
    send(platform, MANY, red=0.5, seed=900)
    looking.look()
    assert DriftReference.objects.filter(subject=ref(learnt)).count() == 2
    send(platform, MANY, red=0.5, seed=2000)
    looking.look()
    assert reading("psi", CODE).level == "usual"
    assert not Alarm.objects.filter(measure="psi", closed_at=None).exists()


def test_images_are_tested_once_a_day_for_such_tests_err_by_chance(learnt: TriagePlan, platform: Client) -> None:
    send(platform, MANY, seed=500)
    Reading.objects.all().delete()
    looking.look()
    made = reading("c2st").made_at
    looking.look()
    assert reading("c2st").made_at == made
    assert looking.look(timezone.now() + timedelta(days=1)).readings > 0
    assert Reading.objects.filter(measure="c2st").count() == 2


def overturns(*weeks: tuple[int, int], start: Any) -> None:
    QualityRollup.objects.bulk_create(
        QualityRollup(
            day=start + timedelta(days=at), measure="overturned", counts={"again": again, "overturned": overturned}
        )
        for at, (again, overturned) in enumerate(weeks)
    )


@pytest.mark.parametrize(("later", "level"), [(1, "usual"), (14, "act")])
def test_decisions_that_are_overturned_more_often_raise_an_alarm(db: None, later: int, level: str) -> None:
    now = timezone.now().replace(month=12, day=20)
    overturns(*[(20, 1)] * 20, *[(20, later)] * 10, start=now.date() - timedelta(days=40))
    looking.look(now)
    found = reading("overturn")
    assert found.level == level
    if level == "act":
        assert found.figures["before"] == pytest.approx(0.05)
        assert found.figures["after"] == pytest.approx(0.7)
        assert rung() == {("overturn", "")}


class TestLines:
    def test_a_change_is_on_the_record_with_both_values(self, ming: User) -> None:
        assert choosing.choose(Lines(psi_act=0.3), person=ming) is not None
        assert choosing.choose(Lines(psi_act=0.3), person=ming) is None
        assert AuditEvent.objects.get(action="monitoring.changed").data["changed"] == {"psi_act": [0.25, 0.3]}
        assert choosing.in_force() == Lines(psi_act=0.3)

    @pytest.mark.parametrize(
        "values", [{"psi_act": 9}, {"psi_act": 0.1}, {"doubt": 0}, {"doubt": float("nan")}, {"precision": "1"}]
    )
    def test_the_watch_cannot_be_made_blind(self, values: dict[str, Any]) -> None:
        with pytest.raises(UnfitLines):
            Lines(**values)


def test_every_reading_is_of_a_known_measure(learnt: TriagePlan) -> None:
    assert set(Reading.objects.values_list("measure", flat=True)) <= set(Measure.values)
