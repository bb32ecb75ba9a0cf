"""Replay: what is stored gives the stored route, for every submission, under the plan each was routed by."""

from __future__ import annotations

import random
from dataclasses import asdict
from typing import Any

import pytest

from moderation import automation, policies, rollouts
from moderation.actors import HOUSE, Actor
from moderation.models import Audience, Client, Status, Submission, TriagePlan, User
from moderation.triage import run_once
from moderation.triage.replay import replay
from tests import world

pytestmark = pytest.mark.django_db
CODES = ("WEAPONS_DANGEROUS", "REGULATED", "PRIVACY")


def band(lot: random.Random) -> dict[str, float | None]:
    approve = round(lot.uniform(0, 0.7), 3)
    return {"approve": approve, "block": lot.choice([None, round(lot.uniform(approve, 1), 3)])}


def drawn(lot: random.Random) -> dict[str, Any]:
    """A plan at random, with every part that routing goes by."""
    when, category = lot.sample(CODES, 2)
    overlays = [
        {"name": place, "territories": [place], "bands": {code: band(lot) for code in lot.sample(CODES, 2)}}
        for place in ("DE", "IN")
    ]
    overlays.append({"name": "teens", "audiences": ["teen"], "bands": {lot.choice(CODES): band(lot)}})
    overlays.append({"name": "ads", "surfaces": ["ads"], "bands": {lot.choice(CODES): band(lot)}})
    overlays.append({"name": "ward", "contexts": ["medical"], "bands": {lot.choice(CODES): band(lot)}})
    return {
        "bands": {code: band(lot) for code in CODES},
        "classifiers": ["colour-eyes@1"],
        "audit_rate": lot.choice([0.0, 0.3]),
        "audit_rates": {lot.choice(CODES): 0.6},
        "tightening": [{"when": when, "above": 0.4, "category": category, "by": 0.2}],
        "copies": lot.choice(["off", "settle"]),
        "overlays": lot.choice([[], overlays]),
    }


def send(platform: Client, lot: random.Random, count: int) -> None:
    for _each in range(count):
        colours = {name: round(lot.random(), 2) for name in ("red", "green", "blue")}
        world.submit(
            platform,
            world.png(**colours, size=32, seed=lot.randrange(10_000)),
            territories=tuple(lot.sample(["DE", "IN", "US"], lot.randrange(4))),
            audience=lot.choice(Audience.values),
            surface=lot.choice(["", "ads", "feed"]),
            context=lot.choice([{}, {"verified": ["medical"]}]),
        )
    while run_once().claimed:
        pass


def told(row: Submission) -> tuple[Any, ...]:
    return row.route, row.reasons, row.inclusion_probability, row.by_territory, row.flagged


@pytest.mark.parametrize("seed", range(4))
def test_replay_gives_the_stored_route_of_every_submission(
    platform: Client, eyes: TriagePlan, paula: User, seed: int
) -> None:
    lot = random.Random(seed)
    actor = Actor.person(paula)
    send(platform, lot, 3)
    policies.publish_plan(drawn(lot), note="", actor=actor)
    send(platform, lot, 5)
    automation.stop(HOUSE, category=lot.choice(["", *CODES]), action=lot.choice(["", "approve", "block"]), reason="x")
    send(platform, lot, 4)
    for stop in automation.standing():
        automation.lift(HOUSE, category=stop.category, action=stop.action, reason="x")
    rollouts.begin(drawn(lot), 0.5, note="", actor=actor, person=paula, based_on=2)
    send(platform, lot, 6)
    broken = Submission.objects.exclude(status=Status.RECEIVED).latest("pk")
    policies.publish_plan(drawn(lot), note="", actor=actor)
    send(platform, lot, 3)

    rows = list(Submission.objects.select_related("plan").order_by("pk"))
    routes = replay(rows)

    assert len({row.plan_id for row in rows}) >= 3
    assert broken.circumstances["canary"] is not None
    for row, again in zip(rows, routes, strict=True):
        apart = {
            place: {"route": one.action, "reasons": [asdict(why) for why in one.why]}
            for place, one in again.territories.items()
        }
        flagged = sorted(code for code, zone in again.zones.items() if zone != "approve")
        reasons = [asdict(why) for why in again.why]
        assert told(row) == (again.action, reasons, again.inclusion_probability, apart, flagged)


def test_a_classifier_that_failed_then_has_failed_in_replay(
    platform: Client, eyes: TriagePlan, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRIAGE_MAX_ATTEMPTS = 1
    submission = world.submit(platform)
    from django.core.files.storage import storages

    storages["derivatives"].delete(submission.working)
    run_once()
    submission.refresh_from_db()

    again = replay([submission])[0]

    assert submission.reasons == [asdict(why) for why in again.why]
    assert (again.action, again.failed) == ("review", True)


def test_rolling_back_restores_identical_routes(platform: Client, eyes: TriagePlan, paula: User) -> None:
    lot = random.Random(7)
    actor = Actor.person(paula)
    policies.publish_plan({**drawn(lot), "audit_rate": 0.0, "copies": "off"}, note="", actor=actor)
    images = [world.png(red=lot.random(), green=lot.random(), blue=lot.random(), size=32) for _each in range(6)]
    first = [world.triaged(platform, image, territories=("DE", "US")) for image in images]
    policies.publish_plan(drawn(lot), note="", actor=actor)

    back = policies.roll_back(2, actor=actor, person=paula)

    again = [world.triaged(platform, image, territories=("DE", "US")) for image in images]
    assert {row.plan for row in again} == {back}
    assert [told(row) for row in again] == [told(row) for row in first]
