"""All of a data set in one download: whole, streamed, on record, and cut short by a legal hold."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as HttpClient
from django.urls import reverse
from django.utils import timezone

from moderation import audit
from moderation.models import Client, Status, Submission, TriagePlan, User
from review import datasets, downloads
from review.models import Export
from tests.review.labels.arranging import BLOCK, decided, made


@pytest.fixture(autouse=True)
def own_room(tmp_path: Path, settings: Any) -> None:
    settings.DATASETS_DIR = tmp_path / "datasets"


@pytest.fixture(params=["imagefolder", "webdataset"])
def album(request: Any, eyes: TriagePlan, platform: Client, rita: User, ming: User) -> Export:
    for seed in range(3):
        decided(platform, rita, seed, BLOCK)
    return made(ming, format=request.param)


def unpacked(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        files = [(entry.name, tar.extractfile(entry)) for entry in tar]
        return {name: file.read() for name, file in files if file is not None}


def test_every_file_is_in_it_as_it_lies_there(album: Export, ming: User, client: HttpClient) -> None:
    client.force_login(ming)
    folder, name = datasets.folder_of_export(album), f"dataset-{album.dataset}"
    lying = {f"{name}/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert sum(each.endswith((".jpg", ".tar")) for each in lying) >= 1
    for url in (reverse("dataset_archive", args=[album.pk]), f"/api/v1/exports/{album.pk}/archive"):
        answer = client.get(url)
        assert answer.status_code == 200
        assert answer.streaming
        assert unpacked(answer.getvalue()) == lying
        assert answer["Content-Type"] == "application/x-tar"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Disposition"] == f'attachment; filename="{name}.tar"'
        assert answer["Cache-Control"] == "private, no-store"
    index = json.loads(lying[f"{name}/manifest.json"])
    assert all(hashlib.sha256(lying[f"{name}/{one}"]).hexdigest() == digest for one, digest in index["files"].items())


def test_it_is_the_same_bytes_each_time(album: Export, ming: User, client: HttpClient) -> None:
    client.force_login(ming)
    url = reverse("dataset_archive", args=[album.pk])
    assert client.get(url).getvalue() == client.get(url).getvalue()


def test_a_chunk_at_a_time_lies_in_memory(album: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "CHUNK", 100)
    folder = datasets.folder_of_export(album)
    chunks = list(downloads.tarred(folder, "set"))
    assert max(map(len, chunks)) <= 1024
    assert len(unpacked(b"".join(chunks))) == len(list(datasets.all_of(folder)))


def test_every_fetch_is_on_record(album: Export, ming: User, client: HttpClient) -> None:
    client.force_login(ming)
    assert album.dataset is not None
    client.get(reverse("dataset_archive", args=[album.pk])).getvalue()
    client.get(reverse("dataset_file", args=[album.pk, "card.json"])).getvalue()
    found = [event for event in audit.events_of(f"export:{album.pk}") if event.action == "export.fetched"]
    assert [event.data["file"] for event in found] == [f"dataset-{album.dataset}.tar", "card.json"]
    assert {(event.actor_label, event.data["dataset"]) for event in found} == {("ming", album.dataset.fingerprint)}


def test_a_legal_hold_refuses_it_and_cuts_short_what_is_under_way(
    album: Export, ming: User, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "CHECKED", 2)
    under_way = downloads.tarred(datasets.folder_of_export(album), "set")
    next(under_way)
    Submission.objects.update(status=Status.QUARANTINED, settled_at=timezone.now())
    with pytest.raises(datasets.Withdrawn):
        list(under_way)
    client.force_login(ming)
    assert client.get(f"/api/v1/exports/{album.pk}/archive").json()["type"].endswith("withdrawn")
    page = client.get(reverse("dataset_archive", args=[album.pk]), follow=True).content.decode()
    assert "came under legal hold since" in page
    assert not [one for one in audit.events_of(f"export:{album.pk}") if one.action == "export.fetched"]


def test_where_there_are_no_files_there_is_none(ming: User, client: HttpClient) -> None:
    row = Export.objects.create(kind="labels", format="csv", query={}, asked_by=ming)
    client.force_login(ming)
    assert client.get(f"/api/v1/exports/{row.pk}/archive").status_code == 404
    assert client.get(reverse("dataset_archive", args=[row.pk])).status_code == 404
