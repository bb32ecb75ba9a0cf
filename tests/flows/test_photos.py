"""A published model with real weights sorts 120 real photographs, through the whole of ingest and triage."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

from classifiers import registry
from moderation.actors import Actor
from moderation.first_edition import publish_plan_one
from moderation.models import Client, Submission
from moderation.triage import run_once
from tests.world import submit


def test_a_real_model_sends_swimwear_to_people_and_approves_the_neutral(
    shared: Path, guidelines: None, platform: Client
) -> None:
    version = registry.register(shared / "models" / "nsfw_mobilenet_v2.toml")
    publish_plan_one([version.ref], actor=Actor.command("test"), audit_rate=0.0)
    groups = defaultdict(list)
    with (shared / "data" / "photos" / "index.csv").open() as index:
        for row in csv.DictReader(index):
            image = (shared / "data" / "photos" / row["file"]).read_bytes()
            groups[row["group"]].append(submit(platform, image, external_id=row["file"]).pk)

    while run_once().claimed:
        pass

    routes = dict(Submission.objects.values_list("pk", "route"))
    assert len(routes) == sum(map(len, groups.values())) >= 120
    swimwear = [routes[pk] for pk in groups["swimwear_underwear"]]
    assert len(swimwear) == 7
    assert set(swimwear) <= {"review", "block"}
    neutral = [routes[pk] for pk in groups["neutral"]]
    assert neutral.count("approve") / len(neutral) >= 0.92
