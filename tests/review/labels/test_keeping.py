"""How long files of data sets are kept: they go in their time, never under what reads them, and come again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.utils import IntegrityError
from django.test import Client as HttpClient
from django.urls import reverse
from django.utils import timezone

from moderation import audit
from moderation.models import Client, TriagePlan, User
from review import datasets
from review.exports import asking, keeping, running
from review.labels.queries import Query
from review.models import Export, ExportState, Training, TrainingState
from review.tasks import remove_old_exports
from tests.review.labels.arranging import BLOCK, decided, made


@pytest.fixture(autouse=True)
def own_room(tmp_path: Path, settings: Any) -> None:
    settings.DATASETS_DIR = tmp_path / "datasets"
    settings.EXPORT_DAYS = 30


@pytest.fixture
def old(eyes: TriagePlan, platform: Client, rita: User, ming: User) -> Export:
    """Done 31 days ago."""
    decided(platform, rita, 1, BLOCK)
    row = made(ming)
    Export.objects.update(ended_at=timezone.now() - timedelta(days=31))
    row.refresh_from_db()
    return row


def removed(row: Export, commit: Callable[..., Any]) -> bool:
    with commit(execute=True):
        remove_old_exports()
    row.refresh_from_db()
    return row.files_removed_at is not None


def test_files_go_and_what_names_them_stays(old: Export, django_capture_on_commit_callbacks: Any) -> None:
    assert old.dataset is not None
    assert removed(old, django_capture_on_commit_callbacks)
    assert {path.name for path in datasets.room_of(old.pk).iterdir()} == {"card.json", "README.md", "members.bin"}
    card = datasets.card_of(old)
    assert card is not None
    assert card["fingerprint"] == old.dataset.fingerprint
    assert len(datasets.some_of(old, 5)) == 1
    with pytest.raises(datasets.FilesGone):
        datasets.folder_of(old.dataset)
    (event,) = [one for one in audit.events_of(f"export:{old.pk}") if one.action == "export.removed"]
    assert event.data == {"dataset": old.dataset.fingerprint, "days": 30}
    assert remove_old_exports() == {"removed": 0}


@pytest.mark.parametrize(("days", "gone"), [(29, False), (31, True)])
def test_not_before_their_time(old: Export, days: int, gone: bool, django_capture_on_commit_callbacks: Any) -> None:
    Export.objects.update(ended_at=timezone.now() - timedelta(days=days))
    assert removed(old, django_capture_on_commit_callbacks) is gone


def test_with_the_setting_at_nought_they_stay(
    old: Export, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.EXPORT_DAYS = 0
    assert keeping.due(old) is None
    assert not removed(old, django_capture_on_commit_callbacks)


@pytest.mark.parametrize("state", [TrainingState.QUEUED, TrainingState.RUNNING])
def test_nothing_goes_under_a_training(
    old: Export, ming: User, state: str, django_capture_on_commit_callbacks: Any
) -> None:
    assert old.dataset is not None
    training = Training.objects.create(kind="heads", dataset=old.dataset, asked_by=ming, state=state)
    Training.objects.update(asked_at=timezone.now() - timedelta(days=40))
    assert not removed(old, django_capture_on_commit_callbacks)
    assert datasets.folder_of(old.dataset).is_dir()
    ended = timezone.now() - timedelta(days=29)
    Training.objects.filter(pk=training.pk).update(state=TrainingState.FAILED, ended_at=ended)
    assert not removed(old, django_capture_on_commit_callbacks), "it was used a month ago, less a day"
    Training.objects.update(ended_at=ended - timedelta(days=2))
    assert removed(old, django_capture_on_commit_callbacks)


def test_what_somebody_pinned_stays_until_unpinned(
    old: Export, ming: User, django_capture_on_commit_callbacks: Any
) -> None:
    keeping.pin(old.pk, ming)
    assert not removed(old, django_capture_on_commit_callbacks)
    keeping.unpin(old.pk, ming)
    assert removed(old, django_capture_on_commit_callbacks)
    with pytest.raises(keeping.NotDone):
        keeping.pin(old.pk, ming)
    actions = [event.action for event in audit.events_of(f"export:{old.pk}")]
    assert actions == ["export.asked", "export.pinned", "export.unpinned", "export.removed"]
    with pytest.raises(IntegrityError):
        Export.objects.filter(pk=old.pk).update(pinned_by=ming)


def test_who_was_killed_at_it_is_made_up_for(old: Export) -> None:
    assert keeping.remove(old.pk)  # never committed here, so nothing was swept
    assert (datasets.room_of(old.pk) / "manifest.json").exists()
    assert old.dataset is not None
    with pytest.raises(datasets.FilesGone):
        datasets.folder_of(old.dataset)
    remove_old_exports()
    assert not (datasets.room_of(old.pk) / "manifest.json").exists()


def test_made_again_it_has_the_same_name(
    old: Export, platform: Client, rita: User, ming: User, django_capture_on_commit_callbacks: Any
) -> None:
    assert removed(old, django_capture_on_commit_callbacks)
    decided(platform, rita, 2)  # later than what it was asked of
    again = asking.ask_again(old.pk, ming)
    with pytest.raises(asking.NotOver):
        asking.ask_again(again.pk, ming)
    assert running.work_off(again.pk)
    again.refresh_from_db()
    assert again.dataset == old.dataset
    assert again.dataset is not None
    assert datasets.folder_of(again.dataset) == datasets.room_of(again.pk)


def test_the_page_says_when_keeps_and_asks_again(
    old: Export, ming: User, client: HttpClient, django_capture_on_commit_callbacks: Any
) -> None:
    client.force_login(ming)
    url = reverse("dataset", args=[old.pk])
    assert "Its files go" in client.get(url).content.decode()
    page = client.post(reverse("dataset_keep", args=[old.pk]), follow=True).content.decode()
    assert "Its files are kept, asked for by ming." in page
    client.post(reverse("dataset_keep", args=[old.pk]), {"keep": "no"})
    assert removed(old, django_capture_on_commit_callbacks)
    page = client.get(url).content.decode()
    assert "Its files were removed" in page
    assert "What is in it" in page, "the card stays"
    answer = client.post(reverse("dataset_again", args=[old.pk]))
    new = Export.objects.latest("id")
    assert answer["Location"] == reverse("dataset", args=[new.pk])
    assert (new.state, new.query, new.asked_at) == (ExportState.WAITING, old.query, old.asked_at)


def test_the_api_does_so_too(old: Export, ming: User, client: HttpClient) -> None:
    client.force_login(ming)
    url = f"/api/v1/exports/{old.pk}"
    assert client.get(url).json()["files_until"] is not None
    kept = client.post(f"{url}/keep", {"keep": True}, content_type="application/json").json()
    assert (kept["kept"], kept["files_until"]) == (True, None)
    assert client.post(f"{url}/keep", {}, content_type="application/json").status_code == 422
    again = client.post(f"{url}/again")
    assert again.status_code == 202
    assert client.post(f"/api/v1/exports/{again.json()['id']}/again").json()["type"].endswith("not-over")
    assert (
        client.post(f"/api/v1/exports/{again.json()['id']}/keep", {"keep": True}, content_type="application/json")
        .json()["type"]
        .endswith("no-files")
    )


def test_only_who_may_export_gets_anywhere(ming: User, rita: User, eve: User, client: HttpClient) -> None:
    row = asking.ask(ming, query=Query(), kind="labels", format="csv")
    calls: list[tuple[Callable[..., Any], str]] = [
        (client.post, "keep"),
        (client.post, "again"),
        (client.get, "archive"),
    ]
    for person in (eve, rita):
        client.force_login(person)
        for call, name in calls:
            assert call(reverse(f"dataset_{name}", args=[row.pk])).status_code == 403
            assert call(f"/api/v1/exports/{row.pk}/{name}").status_code == 403
    client.logout()
    for call, name in calls:
        assert call(f"/api/v1/exports/{row.pk}/{name}").status_code == 401
        assert call(reverse(f"dataset_{name}", args=[row.pk])).status_code == 302
    assert Export.objects.count() == 1
