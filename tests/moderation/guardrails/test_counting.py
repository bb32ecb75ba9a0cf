"""What automation sent where is counted as it happens, and comes out the same from what is stored."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import transaction

from classifiers.models import ClassifierVersion
from moderation.guardrails import counting
from moderation.models import Client, OutcomeCount, TriagePlan
from moderation.routing import Demand, Evidence, Route, Why
from tests import world

Counted = set[tuple[int, str, str, str, int, int, int]]


def counted() -> Counted:
    rows = OutcomeCount.objects.select_related("client")
    return {
        (row.plan, row.client.slug, row.category, row.classifier, row.approved, row.reviewed, row.blocked)
        for row in rows
    }


def test_each_image_is_counted_where_it_went_and_by_whose_word(
    eyes: TriagePlan, platform: Client, other_platform: Client
) -> None:
    for seed, red in enumerate((0.05, 0.5, 0.97, 0.98)):
        world.triaged(platform, world.png(red=red, seed=seed))
    world.triaged(other_platform, world.png(green=0.97, seed=9))

    assert counted() == {
        (1, "atelier", "WEAPONS_DANGEROUS", "colour-eyes@1", 1, 1, 2),
        (1, "fresco", "REGULATED", "colour-eyes@1", 0, 0, 1),
    }


def test_what_is_stored_gives_the_same_counts(
    eyes: TriagePlan, platform: Client, other_platform: Client, tmp_path: Path
) -> None:
    backbone = ClassifierVersion.objects.get()
    heads = world.heads(tmp_path, backbone, {"HATE": [8, 0, 0, -2], "PRIVACY": [0, 0, 8, -2]})
    for seed in range(3):
        world.triaged(platform, world.png(red=0.4 * seed, blue=0.9, seed=seed))
    world.publish(backbone.ref, heads.ref, bands={**world.BANDS, "HATE": {"approve": 0.3, "block": 0.9}})
    for seed in range(6):
        world.triaged((platform, other_platform)[seed % 2], world.png(red=0.19 * seed, blue=0.1, seed=10 + seed))
    live = counted()
    assert len({row[3] for row in live}) == 2
    OutcomeCount.objects.all().delete()

    call_command("count_outcomes")
    call_command("count_outcomes")

    assert counted() == live


def test_hours_that_triage_counted_are_left_alone(eyes: TriagePlan, platform: Client) -> None:
    world.triaged(platform, world.png(red=0.97))
    call_command("count_outcomes")

    assert [(row.blocked, row.afterwards) for row in OutcomeCount.objects.all()] == [(1, False)]


def test_images_without_a_plan_are_counted_too(guidelines: None, platform: Client) -> None:
    world.triaged(platform, world.png())

    assert counted() == {(0, "atelier", "", "", 0, 1, 0)}


def test_a_batch_is_counted_in_one_statement(
    platform: Client, other_platform: Client, django_assert_num_queries: object
) -> None:
    routes = [Route("block", (Why("block", code, 0.9),), code) for code in ("HATE", "NUDITY")]
    nothing: list[Evidence] = []
    settled = [(client.pk, route, nothing) for client in (platform, other_platform) for route in routes]
    with transaction.atomic(), django_assert_num_queries(1):  # type: ignore[operator]
        counting.count(settled, plan=3)

    assert OutcomeCount.objects.count() == 4


@pytest.mark.parametrize(
    ("why", "speaks"),
    [
        (Why("block", "HATE", 0.9), "sure@1"),
        (Why("match", "HATE", detail="a bank"), "bank@1"),
        (Why("classifier_error", detail="lost@1"), ""),
        (Why("copy", "HATE", detail="a decision"), ""),
        (Why("below"), ""),
    ],
)
def test_who_decided_is_who_was_surest_or_who_demanded(why: Why, speaks: str) -> None:
    said = [
        Evidence("faint@1", {"HATE": 0.2}),
        Evidence("sure@1", {"HATE": 0.9}),
        Evidence("bank@1", demands=(Demand("block", "match", "HATE", "a bank"),)),
        Evidence("lost@1", error="gone"),
    ]
    assert counting.speaker(Route("block", (why,), "HATE"), said) == speaks
