"""What the triage benchmarks stand on: a plan that pins every signal, images that were sent, and the worker's work."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.harness import machine

if TYPE_CHECKING:
    from classifiers.models import ClassifierVersion
    from moderation.models import Client, Submission

KNOWN: Final = 1_000_000
WAIT_SECONDS: Final = 300

ENTRIES: Final = """
INSERT INTO moderation_bankentry (bank_id, pdq, sha256, md5, label, added_by, added_at, change)
SELECT %s, sha256(n::text::bytea), '', '', '', 'command:bench', now(), n FROM generate_series(1, %s) n
"""
PROMPT: Final = "film still of a courier in a snowy pine forest at dawn, 35 mm, soft light, highly detailed, number {}"


def published(folder: Path, *, signals: bool = True) -> ClassifierVersion:
    """Guidelines, and a plan over the shared real model when it is there, else the demo's; with `signals`, every other
    signal of the house beside it. Returns the model's version.
    """
    from django.conf import settings

    from classifiers import demo_eyes, registry
    from moderation.actors import Actor
    from moderation.first_edition import publish_guidelines, publish_plan_one, register_signals

    me = Actor.command("bench")
    publish_guidelines(actor=me)
    card = settings.SHARED_DIR / "models" / "nsfw_mobilenet_v2.toml"
    if card.exists():
        version = registry.register(card)
    else:
        backbone, heads = demo_eyes.build(folder / "eyes")
        registry.register(backbone)
        version = registry.register(heads)
    refs = [version.ref, *(register_signals() if signals else ()), *(prompt_model() if signals else ())]
    publish_plan_one(refs, actor=me, audit_rate=0.05)
    if signals:
        publish_rule()
    return version


def prompt_model() -> list[str]:
    """A text classifier taught on the shared prompts, where they are."""
    from django.conf import settings

    from classifiers.prompt_training import PromptRecipe
    from classifiers.prompts import examples
    from classifiers.retraining import retrain_prompts

    path = settings.SHARED_DIR / "data" / "prompts" / "prompts.csv"
    if not path.exists():
        return []
    return [retrain_prompts(examples.read(path), recipe=PromptRecipe(), name="prompts").version.ref]


def publish_rule() -> None:
    from django.db import transaction

    from moderation import policies
    from moderation.actors import Actor
    from moderation.rules import publishing
    from moderation.rules.sets import Rule

    rule = Rule("a flood", 'author.volume_24h > 400 && prompt.contains("uniform")', "review")
    with transaction.atomic():
        planned = publishing.prepare([rule])
        policies.publish_plan(planned.body, note="for the benchmark", actor=Actor.command("bench"))


def fill_bank(count: int = KNOWN) -> None:
    """A bank of so many random hashes, as a superuser would load it."""
    import psycopg
    from django.conf import settings

    from config.embedded.postgresql import SUPERUSER, PostgreSQL
    from moderation.actors import Actor
    from moderation.banks import keeping
    from moderation.models import BankAction
    from moderation.taxonomy import Category

    bank = keeping.create("bench", category=Category.OTHER, action=BankAction.REVIEW, actor=Actor.command("bench"))
    url = PostgreSQL(settings.DATA_DIR).url(role=SUPERUSER, database=settings.DATABASES["default"]["NAME"])
    assert url, "PostgreSQL runs"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(ENTRIES, [bank.pk, count])
        connection.execute("ANALYZE moderation_bankentry")


def client() -> Client:
    from moderation.models import Client

    return Client.objects.create(slug="bench", name="Bench")


def received(platform: Client, pictures: list[bytes], tag: str, *, wait: bool = False) -> list[Submission]:
    """`wait`: no worker takes them before their `triage_after` is changed."""
    from django.utils import timezone

    from moderation import ingest
    from moderation.actors import Actor
    from moderation.models import Submission

    declared = [ingest.Declared(external_id=f"{tag}-{i}", prompt=PROMPT.format(i)) for i in range(len(pictures))]
    me = Actor.command("bench")
    rows = [
        ingest.accept(platform, picture, fields=fields, actor=me).submission
        for picture, fields in zip(pictures, declared, strict=True)
    ]
    if wait:
        later = timezone.now() + timedelta(hours=1)
        Submission.objects.filter(pk__in=[row.pk for row in rows]).update(triage_after=later)
    return rows


def work_off(rows: Sequence[Submission]) -> None:
    from moderation import triage

    report = triage.work_off(rounds=len(rows))
    assert report.settled == len(rows), "every row that was received is settled"


def await_settled(rows: Sequence[Submission]) -> None:
    from moderation.models import Status, Submission

    # By the index of what waits, and seldom: on a machine whose cores all triage, asking is work taken from them.
    waiting = Submission.objects.filter(client=rows[0].client, status=Status.RECEIVED)
    deadline = time.monotonic() + WAIT_SECONDS
    while waiting.exists():
        assert time.monotonic() < deadline, "the worker settles what it is told of"
        time.sleep(0.02)


def parameters(version: ClassifierVersion, source: str) -> dict[str, Any]:
    from django.conf import settings

    from moderation.models import TriagePlan

    plan = TriagePlan.objects.in_force()
    assert plan, "a plan is published"
    pinned = len(plan.body["classifiers"])
    return {"model": version.ref, "pinned": pinned, "images": source, "batch": settings.TRIAGE_BATCH, **machine()}


def timed(act: Callable[..., object], *arguments: object) -> float:
    """Wall seconds."""
    began = time.perf_counter()
    act(*arguments)
    return time.perf_counter() - began
