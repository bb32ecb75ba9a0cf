"""The builder's pages: what they show, and to whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client as HttpClient
from django.urls import reverse

from classifiers.models import ClassifierVersion
from moderation.models import Client, TriagePlan, User
from review.exports import running
from review.models import Export
from tests.review.labels.arranging import BLOCK, decided, made

FORM: dict[str, Any] = {
    "kind": "labels",
    "format": "parquet",
    "sampling": "all",
    "splitting": "cluster",
    "older": "keep",
    "images": "working",
    "demand": "on",
    "backbone": "",
}


@pytest.fixture(autouse=True)
def own_room(tmp_path: Path, settings: Any) -> None:
    settings.DATASETS_DIR = tmp_path / "datasets"


def test_the_preview_tells_what_comes_and_what_is_left_out(
    eyes: TriagePlan, platform: Client, rita: User, ming: User, client: HttpClient
) -> None:
    decided(platform, rita, 1, BLOCK)
    decided(platform, rita, 2)
    decided(platform, rita, 3, context={"licence": "CC0", "consent_basis": "terms", "training": False})
    decided(platform, rita, 4, context={})
    client.force_login(ming)
    page = client.post(reverse("dataset_preview"), FORM).content.decode()
    assert "<b>2</b>" in page
    assert "Of 4 decisions: all there are." in page
    assert "Not to be trained on, says who sent it or the file itself</dt><dd>1" in page
    assert "Says nothing of a licence</dt><dd>1" in page
    assert not Export.objects.exists()


def test_a_form_that_does_not_fit_says_why(ming: User, client: HttpClient) -> None:
    client.force_login(ming)
    page = client.post(reverse("dataset_preview"), {**FORM, "older": "remap", "remap": "HATE = OTHER"}).content.decode()
    assert "“HATE” is no guideline" in page
    answer = client.post(reverse("dataset_new"), {**FORM, "format": "xlsx"})
    assert answer.status_code == 422
    assert not Export.objects.exists()


def test_a_data_set_is_built_watched_and_read(
    eyes: TriagePlan, platform: Client, rita: User, ming: User, client: HttpClient
) -> None:
    image = decided(platform, rita, 1, BLOCK)
    decided(platform, rita, 2)
    client.force_login(ming)
    assert client.get(reverse("dataset_new")).status_code == 200
    answer = client.post(reverse("dataset_new"), FORM, follow=True)
    row = Export.objects.get()
    page = answer.content.decode()
    assert "Waits for a worker" in page
    assert 'hx-trigger="every 2s"' in page
    running.work_off(row.pk)
    row.refresh_from_db()
    assert row.dataset is not None
    watched = client.get(reverse("dataset", args=[row.pk]), headers={"HX-Request": "true"})
    assert watched["HX-Refresh"] == "true"
    fields = {"kind": "heads", "card": {}, "weights": "w", "sha256": "0" * 64}
    ClassifierVersion.objects.create(name="heads", version="9", manifest_fingerprint=row.dataset.fingerprint, **fields)
    page = client.get(reverse("dataset", args=[row.pk])).content.decode()
    assert "affirmed only 1 times" in page
    assert "heads@9" in page
    assert "labels.parquet" in page
    assert row.dataset.fingerprint in page
    assert "CC-BY-4.0" in page
    assert f"?image={image.pk}" in page
    table = client.get(reverse("dataset", args=[row.pk]), {"csv": "categories"}).content.decode().splitlines()
    assert table[0] == "category,positive,negative,prevalence,agreement,tested"
    assert table[1].startswith("WEAPONS_DANGEROUS,1,1,0.5,1.0")
    assert b"## Known gaps" in client.get(reverse("dataset_file", args=[row.pk, "README.md"])).getvalue()
    assert str(row.dataset) in client.get(reverse("datasets")).content.decode()


def test_two_data_sets_are_held_against_each_other(
    eyes: TriagePlan, platform: Client, rita: User, ming: User, client: HttpClient
) -> None:
    decided(platform, rita, 1, BLOCK)
    first = made(ming)
    decided(platform, rita, 2)
    second = made(ming, categories=("WEAPONS_DANGEROUS",))
    assert first.dataset
    assert second.dataset
    client.force_login(ming)
    names = {"first": first.dataset.fingerprint, "second": second.dataset.fingerprint}
    page = client.get(reverse("dataset_compare"), names).content.decode()
    for words, count in (("Only in the first", 0), ("In both", 1), ("Only in the second", 1), ("say the opposite", 0)):
        assert f"{words}</span><b>{count}</b>" in page
    assert "categories</th>" in page


def test_cancelling_is_a_button(ming: User, client: HttpClient) -> None:
    client.force_login(ming)
    client.post(reverse("dataset_new"), FORM)
    row = Export.objects.get()
    page = client.post(reverse("dataset_cancel", args=[row.pk]), follow=True).content.decode()
    assert "Cancelled" in page


def test_nobody_else_sees_any_of_it(
    eyes: TriagePlan, platform: Client, rita: User, ming: User, eve: User, client: HttpClient
) -> None:
    decided(platform, rita, 1)
    row = made(ming)
    gets = [reverse(name) for name in ("datasets", "dataset_new", "dataset_compare")]
    gets += [reverse("dataset", args=[row.pk]), reverse("dataset_file", args=[row.pk, "labels.parquet"])]
    posts = [reverse("dataset_new"), reverse("dataset_preview"), reverse("dataset_cancel", args=[row.pk])]
    for person in (eve, rita):
        client.force_login(person)
        assert {client.get(url).status_code for url in gets} == {403}
        assert {client.post(url).status_code for url in posts} == {403}


def test_the_list_costs_the_same_however_long(
    ming: User, client: HttpClient, django_assert_max_num_queries: Any
) -> None:
    rows = [Export(format="csv", query={}, asked_by=ming, state="cancelled") for _each in range(30)]
    Export.objects.bulk_create(rows)
    client.force_login(ming)
    client.get(reverse("datasets"))
    with django_assert_max_num_queries(14):
        client.get(reverse("datasets"))
