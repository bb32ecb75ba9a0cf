"""A new head speaks on all of history: from stored embeddings, once on each image, whatever interrupts it."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pgvector import HalfVector

from classifiers.models import ClassifierVersion
from moderation.actors import Actor
from moderation.lifecycle import move
from moderation.models import Client, Embedding, Finding, Status, Submission, TriagePlan
from moderation.policies import parsed
from moderation.triage import rescoring, run_once
from moderation.triage.replay import evidence_under
from tests import world

HATE = {"HATE": [3.0, 0.0, -2.0, -0.5], "OTHER": [0.0, 1.0, 0.0, 0.0]}


@pytest.fixture
def backbone(eyes: TriagePlan) -> ClassifierVersion:
    return ClassifierVersion.objects.get()


@pytest.fixture
def archive(backbone: ClassifierVersion, platform: Client) -> list[Submission]:
    """Ten triaged images, none of which a head has seen."""
    rows = [world.submit(platform, world.png(red=tenth / 10, blue=0.3, size=32)) for tenth in range(10)]
    run_once()
    return rows


def rescore(ref: str, **options: object) -> list[dict[str, float]]:
    out = io.StringIO()
    call_command("rescore", ref, stdout=out, json=True, **options)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_new_heads_speak_on_every_stored_embedding(
    archive: list[Submission], backbone: ClassifierVersion, tmp_path: Path
) -> None:
    version = world.heads(tmp_path, backbone, HATE)

    lines = rescore(version.ref, batch=4)

    assert [(one["written"], one["of"], one["done"]) for one in lines] == [
        (4, 10, False), (8, 10, False), (10, 10, False), (10, 10, True),
    ]  # fmt: skip
    found = dict(Finding.objects.filter(classifier=version).values_list("submission_id", "probabilities"))
    for key, vector in Embedding.objects.values_list("submission_id", "vector"):
        logits = np.array([3 * vector[0] - 2 * vector[2] - 0.5, vector[1]])
        assert found[key] == pytest.approx(1 / (1 + np.exp(-logits)), abs=2e-6)


def test_what_is_written_is_what_replay_would_say(
    archive: list[Submission], backbone: ClassifierVersion, eyes: TriagePlan, tmp_path: Path
) -> None:
    version = world.heads(tmp_path, backbone, HATE)
    plan = parsed(world.publish(version.ref, bands={"HATE": {"approve": 0.5}, "OTHER": {"approve": 0.9}}))
    before = evidence_under(archive, plan)

    rescore(version.ref)

    assert evidence_under(archive, plan) == before


def test_nothing_else_changes(archive: list[Submission], backbone: ClassifierVersion, tmp_path: Path) -> None:
    before = list(Submission.objects.order_by("id").values())

    rescore(world.heads(tmp_path, backbone, HATE).ref)

    assert list(Submission.objects.order_by("id").values()) == before


def test_a_second_run_writes_only_what_came_since(
    archive: list[Submission], backbone: ClassifierVersion, platform: Client, tmp_path: Path
) -> None:
    version = world.heads(tmp_path, backbone, HATE)
    rescore(version.ref)
    first = set(Finding.objects.filter(classifier=version).values_list("pk", flat=True))
    world.triaged(platform, world.png(red=0.55, size=32))

    lines = rescore(version.ref)

    assert lines[-1]["written"] == lines[-1]["of"] == 1
    assert first < set(Finding.objects.filter(classifier=version).values_list("pk", flat=True))


def test_images_under_legal_hold_are_left_out(
    archive: list[Submission], backbone: ClassifierVersion, tmp_path: Path
) -> None:
    row = Submission.objects.get(pk=archive[0].pk)
    move(row, Status.QUARANTINED, actor=Actor.command("test"), reason="match")
    version = world.heads(tmp_path, backbone, HATE)

    assert rescore(version.ref)[-1]["written"] == 9
    assert not Finding.objects.filter(classifier=version, submission=row).exists()


def test_only_what_came_since_a_moment_is_looked_at(
    archive: list[Submission], backbone: ClassifierVersion, tmp_path: Path
) -> None:
    Submission.objects.filter(pk__in=[row.pk for row in archive[:7]]).update(
        created_at=timezone.now() - timedelta(hours=3)
    )
    version = world.heads(tmp_path, backbone, HATE)

    lines = rescore(version.ref, since=timezone.now() - timedelta(hours=1))

    assert (lines[-1]["written"], lines[-1]["of"]) == (3, 3)


def test_what_another_run_wrote_in_the_meantime_is_not_written_twice(
    archive: list[Submission], backbone: ClassifierVersion, tmp_path: Path
) -> None:
    version = world.heads(tmp_path, backbone, HATE)
    all_of_them = rescoring.asked(version, since=None) | {"border": rescoring.LAST}
    keys, vectors = rescoring.read(all_of_them, size=3)
    rescore(version.ref)

    assert rescoring.write(version, keys, np.full((len(vectors), 2), 0.25)) == 0
    assert Finding.objects.filter(classifier=version).count() == len(keys) == 10


def test_an_embedding_that_yields_no_number_gets_no_finding(
    archive: list[Submission], backbone: ClassifierVersion, tmp_path: Path
) -> None:
    version = world.heads(tmp_path, backbone, {"HATE": [np.inf, 0, 0, 0]})
    Embedding.objects.update(vector=HalfVector([0.5, 0.0, 0.0]))
    Embedding.objects.filter(submission=archive[2]).update(vector=HalfVector([0.0, 0.5, 0.0]))

    with np.errstate(invalid="ignore"):
        last = rescore(version.ref)[-1]

    assert (last["written"], last["unusable"]) == (9, 1)  # infinity times nothing is no number
    assert not Finding.objects.filter(classifier=version, submission=archive[2]).exists()


def test_an_embedding_of_another_size_is_named(
    archive: list[Submission], backbone: ClassifierVersion, tmp_path: Path
) -> None:
    Embedding.objects.filter(submission=archive[3]).update(vector=HalfVector([1.0, 2.0]))

    with pytest.raises(CommandError, match="not of 3 numbers") as refused:
        rescore(world.heads(tmp_path, backbone, HATE).ref)

    assert refused.value.returncode == 1


def test_what_is_no_head_is_refused(archive: list[Submission]) -> None:
    with pytest.raises(CommandError, match="is of kind onnx; only heads") as refused:
        rescore("colour-eyes@1")
    assert refused.value.returncode == 1
    with pytest.raises(CommandError, match="not registered") as refused:
        rescore("nobody@1")
    assert refused.value.returncode == 2


MANY = 12_000


@pytest.fixture
def history(transactional_db: None, backbone: ClassifierVersion, platform: Client) -> None:
    """Twelve thousand images with an embedding each."""
    row = world.triaged(platform, world.png(red=0.5))
    names = {str(field.column) for field in Submission._meta.concrete_fields} - {"id", "external_id"}
    columns = ", ".join(sorted(names))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO moderation_submission (id, external_id, {columns})"
            f" SELECT gen_random_uuid(), n::text, {columns}"
            " FROM moderation_submission, generate_series(2, %s) n WHERE id = %s",
            [MANY, row.pk],
        )
        cursor.execute(
            "INSERT INTO moderation_embedding (id, submission_id, backbone_id, vector)"
            " SELECT gen_random_uuid(), id, %s, '[0.1,0.2,0.3]' FROM moderation_submission WHERE id <> %s",
            [backbone.pk, row.pk],
        )


def test_a_run_that_is_killed_is_finished_by_the_next(
    history: None, backbone: ClassifierVersion, tmp_path: Path
) -> None:
    version = world.heads(tmp_path, backbone, HATE)
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    environment = {**os.environ, "DATABASE_URL": database, "LOUPE_STORAGE": (tmp_path / "store").as_uri()}
    command = [sys.executable, "-W", "ignore", "manage.py", "rescore", version.ref, "--json", "--batch", "20"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    assert first["of"] == MANY
    killed = Finding.objects.filter(classifier=version).count()
    assert 20 <= killed < MANY
    assert killed % 20 == 0, "a chunk is written whole or not at all"

    last = rescore(version.ref)[-1]

    assert (last["written"], last["of"]) == (MANY - killed, MANY - killed)
    assert Finding.objects.filter(classifier=version).values("submission").distinct().count() == MANY
