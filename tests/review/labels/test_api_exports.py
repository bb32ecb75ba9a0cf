"""`POST /exports` and what follows; and who may."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as HttpClient
from django.utils import timezone

from moderation.models import Client, Status, Submission, TriagePlan, User
from review.exports import asking, running
from review.labels.queries import Query
from review.models import Export
from tests.review.labels.arranging import BLOCK, decided, made

URL = "/api/v1/exports"


@pytest.fixture(autouse=True)
def own_room(tmp_path: Path, settings: Any) -> None:
    settings.DATASETS_DIR = tmp_path / "datasets"


def post(client: HttpClient, **order: Any) -> Any:
    return client.post(URL, json.dumps(order), content_type="application/json")


def fetched(client: HttpClient, url: str) -> bytes:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.getvalue()  # to its end, which closes it


def test_it_is_asked_for_watched_and_fetched(
    eyes: TriagePlan, platform: Client, rita: User, ming: User, client: HttpClient
) -> None:
    decided(platform, rita, 1, BLOCK)
    client.force_login(ming)
    answer = post(client, format="jsonl", query={"categories": ["WEAPONS_DANGEROUS"]})
    assert answer.status_code == 202
    told = answer.json()
    assert (told["state"], told["progress"], told["files"]) == ("waiting", 0, [])
    assert told["query"]["demand"] is True
    assert told["query"]["backbone"] == "colour-eyes@1"
    running.work_off(told["id"])
    done = client.get(f"{URL}/{told['id']}").json()
    assert (done["state"], done["progress"], done["rows"]) == ("done", 100, 1)
    files = {one["name"]: one for one in done["files"]}
    assert files.keys() == {
        "labels.jsonl",
        "embeddings.safetensors",
        "members.bin",
        "card.json",
        "README.md",
        "manifest.json",
    }
    assert json.loads(fetched(client, files["labels.jsonl"]["url"]))["category"] == "WEAPONS_DANGEROUS"
    file = client.get(files["labels.jsonl"]["url"])
    file.getvalue()
    assert file["Content-Type"] == "application/x-ndjson"
    assert file["X-Content-Type-Options"] == "nosniff"
    assert file["Content-Disposition"] == 'attachment; filename="labels.jsonl"'
    assert file["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("order", "pointer"),
    [
        ({"query": {"categories": ["CSAE"]}}, "#/query/categories"),
        ({"query": {"colour": "red"}}, "#/query/colour"),
        ({"query": {"since": "soon"}}, "#/query/since"),
        ({"query": {"clients": ["nobody"]}}, "#/query/clients"),
        ({"query": {"soft": "yes"}}, "#/query/soft"),
        ({"query": {"sampling": "most"}}, "#/query/sampling"),
        ({"query": {"older": "remap", "remap": {"HATE": "OTHER"}}}, "#/query/remap"),
        ({"query": {"older": "remap", "remap": {"HATE v1": "CSAE"}}}, "#/query/remap"),
        ({"query": {"remap": {"HATE v1": "OTHER"}}}, "#/query/remap"),
        ({"query": {"backbone": "nobody@1"}}, "#/query/backbone"),
        ({"query": {"generators": [1]}}, "#/query/generators"),
        ({"format": "xlsx"}, "#/format"),
    ],
)
def test_what_does_not_fit_is_told_by_name(ming: User, client: HttpClient, order: Any, pointer: str) -> None:
    client.force_login(ming)
    answer = post(client, **order)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not Export.objects.exists()


def test_only_who_may_export_gets_anywhere(
    eyes: TriagePlan, platform: Client, rita: User, ming: User, eve: User, api_key: str, client: HttpClient
) -> None:
    decided(platform, rita, 1)
    row = made(ming)
    calls: list[Callable[..., Any]] = [
        lambda **how: client.post(URL, "{}", content_type="application/json", **how),
        lambda **how: client.get(f"{URL}/{row.pk}", **how),
        lambda **how: client.post(f"{URL}/{row.pk}/cancel", **how),
        lambda **how: client.get(f"{URL}/{row.pk}/files/labels.parquet", **how),
    ]
    assert {call().status_code for call in calls} == {401}
    assert {call(headers={"Authorization": f"Bearer {api_key}"}).status_code for call in calls} == {403}
    for person in (eve, rita):
        client.force_login(person)
        assert {call().status_code for call in calls} == {403}


def test_it_can_be_called_off_once(ming: User, client: HttpClient) -> None:
    row = asking.ask(ming, query=Query(), kind="labels", format="csv")
    client.force_login(ming)
    assert client.post(f"{URL}/{row.pk}/cancel").json()["state"] == "cancelled"
    assert client.post(f"{URL}/{row.pk}/cancel").json()["type"].endswith("not-open")


def test_too_many_at_once_are_refused(ming: User, client: HttpClient) -> None:
    client.force_login(ming)
    answers = [post(client) for _each in range(asking.MOST_OPEN + 1)]
    assert [answer.status_code for answer in answers] == [202] * asking.MOST_OPEN + [409]


def test_a_withdrawn_data_set_is_not_served(
    eyes: TriagePlan, platform: Client, rita: User, ming: User, client: HttpClient
) -> None:
    submission = decided(platform, rita, 1)
    row = made(ming)
    client.force_login(ming)
    url = f"{URL}/{row.pk}/files/labels.parquet"
    assert fetched(client, url)
    Submission.objects.filter(pk=submission.pk).update(status=Status.QUARANTINED, settled_at=timezone.now())
    assert client.get(url).json()["type"].endswith("withdrawn")
    assert client.get(f"{URL}/{row.pk}/files/nothing").status_code == 404
