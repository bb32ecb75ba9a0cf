"""Data sets in the making: whole, resumed after a kill, called off, and equal to one made in one go."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from classifiers import manifests
from moderation import audit
from moderation.models import Client, Status, Submission, TriagePlan, User
from review import datasets
from review.exports import asking, parts, running
from review.labels import reading
from review.labels.queries import Query
from review.models import Dataset, Export, ExportState
from tests.review.labels.arranging import BLOCK, decided, exported, made

# One more image a piece; the process says when a piece lies on disk that its row does not count yet, and waits.
WORKER = """
import django; django.setup()
import sys
from uuid import UUID
from review.exports import parts, running
from review.labels import reading
reading.OPENING = reading.BLOCK = reading.WIDEST = 2
keep = parts.keep
def kept(key, number, piece):
    keep(key, number, piece)
    print(number, flush=True)
    if number == 2:
        (parts.folder(key) / "parts" / "000003.arrow.part").write_bytes(b"half a")
        sys.stdin.read()
parts.keep = kept
running.work_off(UUID(sys.argv[1]))
"""


@pytest.fixture(autouse=True)
def own_room(tmp_path: Path, settings: Any) -> None:
    settings.DATASETS_DIR = tmp_path / "datasets"


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENING", "BLOCK", "WIDEST"):
        monkeypatch.setattr(reading, name, 2)


def test_a_data_set_is_made_and_found_again(eyes: TriagePlan, platform: Client, rita: User, ming: User) -> None:
    submission = decided(platform, rita, 1, BLOCK)
    row = made(ming)
    assert (row.state, row.percent, row.rows, row.error) == (ExportState.DONE, 100, 1, "")
    dataset = Dataset.objects.get()
    assert row.dataset == dataset
    manifest = manifests.read(datasets.folder_of(dataset))
    assert manifest.fingerprint == dataset.fingerprint
    assert manifest.column("submission_id").tolist() == [str(submission.pk)]
    assert not (parts.folder(row.pk) / "parts").exists()
    assert [event.action for event in audit.events_of(f"export:{row.pk}")] == ["export.asked"]
    assert [event.action for event in audit.events_of(f"dataset:{dataset.fingerprint}")] == ["labels.exported"]


def test_in_pieces_and_in_one_go_it_is_the_same(
    eyes: TriagePlan, platform: Client, rita: User, ming: User, small_blocks: None, tmp_path: Path
) -> None:
    for seed in range(5):
        decided(platform, rita, seed, BLOCK if seed % 2 else {"verdict": "approve"})
    whole = exported(tmp_path / "out", backbone="colour-eyes@1")
    row = made(ming, backbone="colour-eyes@1")
    assert row.parts >= 3
    assert row.dataset is not None
    manifest = manifests.read(datasets.folder_of(row.dataset))
    assert manifest.fingerprint == whole.fingerprint
    assert manifest.vectors().tolist() == whole.vectors().tolist()


def test_the_same_query_twice_has_the_same_name(eyes: TriagePlan, platform: Client, rita: User, ming: User) -> None:
    decided(platform, rita, 1)
    first, second = made(ming, demand=True), made(ming, demand=True)
    assert first.dataset == second.dataset
    decided(platform, rita, 2)
    assert made(ming, demand=True).dataset != first.dataset


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_at_the_worst_moment_costs_nothing(
    eyes: TriagePlan, platform: Client, rita: User, ming: User, tmp_path: Path, settings: Any, small_blocks: None
) -> None:
    for seed in range(9):
        decided(platform, rita, seed, BLOCK if seed % 2 else {"verdict": "approve"})
    row = asking.ask(ming, query=Query(backbone="colour-eyes@1"), kind="labels", format="parquet")
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    environment = {**os.environ, "DATABASE_URL": database, "LOUPE_DATASETS_DIR": str(settings.DATASETS_DIR)}
    environment["LOUPE_STORAGE"] = (tmp_path / "store").as_uri()
    command = [sys.executable, "-W", "ignore", "-c", WORKER, str(row.pk)]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert [worker.stdout.readline().strip() for _ in range(3)] == ["0", "1", "2"]
        worker.send_signal(signal.SIGKILL)
    row.refresh_from_db()
    assert (row.state, row.parts) == (ExportState.RUNNING, 2)
    assert not running.work_off(row.pk), "its lease is still the dead worker's"
    Export.objects.update(leased_until=timezone.now())

    assert running.work_off(row.pk)

    row.refresh_from_db()
    assert row.attempts == 2
    assert row.dataset is not None
    whole = exported(tmp_path / "out", backbone="colour-eyes@1")
    resumed = manifests.read(datasets.folder_of(row.dataset))
    assert resumed.fingerprint == whole.fingerprint
    assert resumed.vectors().tolist() == whole.vectors().tolist()
    assert json.loads((resumed.folder / "card.json").read_text())["images"] == 9


def test_cancelled_it_stops_and_leaves_nothing(
    eyes: TriagePlan, platform: Client, rita: User, ming: User, small_blocks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(4):
        decided(platform, rita, seed)
    row = asking.ask(ming, query=Query(), kind="labels", format="parquet")
    keep = parts.keep

    def kept(key: UUID, number: int, piece: Any) -> None:
        keep(key, number, piece)
        asking.cancel(key, ming)

    monkeypatch.setattr(parts, "keep", kept)
    assert not running.work_off(row.pk)
    row.refresh_from_db()
    assert (row.state, row.parts, Dataset.objects.exists()) == (ExportState.CANCELLED, 0, False)
    assert not parts.folder(row.pk).exists()
    with pytest.raises(asking.NotOpen):
        asking.cancel(row.pk, ming)


def test_where_nothing_fits_it_says_so(eyes: TriagePlan, ming: User) -> None:
    row = made(ming)
    assert (row.state, row.error) == (ExportState.FAILED, "No decision yields a label under this query.")


def test_what_breaks_is_tried_again_and_then_given_up(
    eyes: TriagePlan, platform: Client, rita: User, ming: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    decided(platform, rita, 1)
    row = asking.ask(ming, query=Query(), kind="labels", format="parquet")

    def broken(*_arguments: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(parts, "keep", broken)
    for _attempt in range(running.MOST_ATTEMPTS):
        Export.objects.update(leased_until=timezone.now())
        assert not running.work_off(row.pk)
    row.refresh_from_db()
    assert (row.state, row.error) == (ExportState.FAILED, "OSError: the disk is full")


def test_a_person_has_so_many_at_once(ming: User) -> None:
    for _each in range(asking.MOST_OPEN):
        asking.ask(ming, query=Query(), kind="labels", format="parquet")
    with pytest.raises(asking.TooMany):
        asking.ask(ming, query=Query(), kind="labels", format="parquet")


def test_what_is_put_under_legal_hold_meanwhile_is_left_out(
    eyes: TriagePlan, platform: Client, rita: User, ming: User, small_blocks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, held = (decided(platform, rita, seed) for seed in (1, 2))
    keep = parts.keep

    def late(key: UUID, number: int, piece: Any) -> None:
        keep(key, number, piece)
        Submission.objects.filter(pk=held.pk).update(status=Status.QUARANTINED, settled_at=timezone.now())

    monkeypatch.setattr(parts, "keep", late)
    row = made(ming, backbone="colour-eyes@1")
    assert row.dataset is not None
    manifest = manifests.read(datasets.folder_of(row.dataset))
    assert set(manifest.column("submission_id")) == {str(kept.pk)}
    assert len(manifest.vectors()) == 3
    assert manifest.embeddings is not None
    assert manifest.embeddings.shape == (1, 3)
    assert row.refused == {"quarantined": 1}


def test_nothing_is_fetched_once_an_image_of_it_is_under_legal_hold(
    eyes: TriagePlan, platform: Client, rita: User, ming: User
) -> None:
    decided(platform, rita, 1)
    later = decided(platform, rita, 2)
    row = made(ming)
    folder = datasets.folder_of_export(row)
    assert datasets.path_of(folder, "labels.parquet").is_file()
    Submission.objects.filter(pk=later.pk).update(status=Status.QUARANTINED, settled_at=timezone.now())
    with pytest.raises(datasets.Withdrawn):
        datasets.path_of(folder, "labels.parquet")


@pytest.mark.parametrize(
    "name", ["../secret", "train/../../secret", "parts/0", "/etc/passwd", "train/..", "labels.csv", ""]
)
def test_no_other_file_is_reached(
    eyes: TriagePlan, platform: Client, rita: User, ming: User, name: str, settings: Any
) -> None:
    decided(platform, rita, 1)
    row = made(ming)
    (settings.DATASETS_DIR / "exports" / "secret").write_text("no")
    with pytest.raises(datasets.FilesGone):
        datasets.path_of(datasets.folder_of_export(row), name)
