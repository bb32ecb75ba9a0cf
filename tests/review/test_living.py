"""What machines settled and people overturned, from answers to the audit lot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from classifiers.models import ClassifierVersion
from moderation import lifecycle, shadows
from moderation.actors import HOUSE, Actor
from moderation.models import Client, Status, TriagePlan, User
from review.evaluations import living, orders
from review.models import Evaluation
from tests import world
from tests.moderation.callers import at_page
from tests.review.auditing import audited
from tests.review.evaluating import dataset, evaluated, versions


@pytest.fixture(autouse=True)
def no_gold(settings: Any) -> None:
    settings.GOLD_SHARE = 0.0


def test_overturned_outcomes_are_counted_by_version_and_group(
    eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path
) -> None:
    version = ClassifierVersion.objects.get(name="colour-eyes")
    looker = world.colour_eyes(tmp_path, version="2")
    world.publish(version.ref, audit_rate=1.0)
    shadows.start(looker.ref, actor=Actor.command("test"))
    audited(platform, rita, [0.1] * 20, context={"language": "de"})
    french = audited(platform, rita, [0.1] * 16 + [0.15] * 5, violating=0.12, context={"language": "fr"})
    audited(platform, rita, [0.5] * 2, violating=0.12, context={"language": "fr"})  # here people were asked
    lifecycle.move(french[-1], Status.IN_REVIEW, actor=HOUSE, reason="test")
    lifecycle.move(french[-1], Status.QUARANTINED, actor=HOUSE, reason="test")

    found = living.overturned(version, ["language", "seen"])

    assert found is not None
    lines = {(one["by"], one["group"]): (one["n"], one["overturned"]) for one in found["groups"]}
    assert lines == {("", ""): (40, 4), ("language", "de"): (20, 0), ("language", "fr"): (20, 4)}
    overall = found["groups"][0]
    assert [overall[name] for name in ("value", "low", "high")] == pytest.approx([0.1] * 3)  # all of it was looked at
    assert living.overturned(looker, ["language"]) is None  # it looked on, and settled nothing


def test_an_audit_stands_for_as_many_as_its_lot_was_worth() -> None:
    found = living.counted([(0.1, True)] * 10 + [(1.0, False)] * 100)

    assert (found["n"], found["overturned"], found["value"]) == (110, 10, pytest.approx(0.5))
    assert found["low"] < 0.4
    assert found["high"] > 0.6
    assert living.counted([(1.0, True)] * 19)["value"] is None  # too few to tell


def test_an_evaluation_keeps_and_shows_it(
    eyes: TriagePlan, platform: Client, rita: User, ming: User, eve: User, tmp_path: Path, settings: Any
) -> None:
    settings.DATASETS_DIR = tmp_path / "datasets"
    new, old = versions(tmp_path)
    world.publish(old.ref, audit_rate=1.0)
    rows = audited(platform, rita, [0.1] * 24, context={"language": "de", "style": "photo"})
    data = dataset(rows * 3, backbone="colour-eyes@1")

    row: Evaluation = evaluated(new, data)

    assert row.figures["live"]["candidate"] is None
    assert row.figures["live"]["incumbent"]["groups"][0]["n"] == 24
    page = reverse("evaluation", args=[row.pk])
    text = at_page(ming).get(page).content.decode()
    assert "Overturned, live" in text
    assert "nothing that it settled was audited" in text
    csv = reverse("evaluation_table", args=[row.pk, "live"])
    assert ",language,de,24,0," in at_page(ming).get(csv).content.decode()
    assert {at_page(eve).get(one).status_code for one in (page, csv)} == {403}
    assert orders.latest(new) == row
