"""A data set is built, watched and fetched in a real browser, in both themes and on a phone."""

from __future__ import annotations

import tarfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from moderation.models import Client, TriagePlan, User
from review.exports import keeping, running
from review.models import Export
from tests.browser.conftest import Opener
from tests.browser.test_pages import in_both_themes, wider_than_window
from tests.review.labels.arranging import APPROVE, BLOCK, decided

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def images(eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path, settings: Any) -> None:
    settings.DATASETS_DIR = tmp_path / "datasets"
    for seed in range(6):
        decided(platform, rita, seed, BLOCK if seed % 2 else APPROVE)
    decided(platform, rita, 6, context={})


def test_a_data_set_is_built_watched_and_fetched(window: Opener, images: None, ming: User) -> None:
    mine = window()
    page = mine.enter(ming, "/learning/datasets/")
    assert in_both_themes(mine, "datasets-none") == []
    page.get_by_role("link", name="New data set").first.click()
    preview = page.locator("#preview")
    expect(preview.get_by_text("Of 7 decisions")).to_be_visible()
    expect(preview.get_by_text("Says nothing of a licence")).to_be_visible()
    page.get_by_label("Refuse what has no licence").uncheck()
    expect(preview.get_by_text("Says nothing of a licence")).to_have_count(0)
    assert in_both_themes(mine, "dataset-new") == []
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", name="Waits for a worker")).to_be_visible()
    row = Export.objects.get()
    assert row.query["demand"] is False

    running.work_off(row.pk)

    expect(page.get_by_role("heading", name="What is in it")).to_be_visible()
    assert in_both_themes(mine, "dataset") == []
    with page.expect_download() as download:
        page.get_by_role("link", name="labels.parquet").click()
    assert Path(download.value.path()).read_bytes()[:4] == b"PAR1"
    with page.expect_download() as archive:
        page.get_by_role("link", name="Fetch all as one tar").click()
    with tarfile.open(archive.value.path()) as tar:
        assert any(name.endswith("/labels.parquet") for name in tar.getnames())
    expect(page.get_by_text("Its files go")).to_be_visible()
    page.get_by_role("button", name="Keep them").click()
    expect(page.get_by_text("Its files are kept, asked for by ming.")).to_be_visible()
    page.get_by_role("button", name="Let them go in their time").click()
    expect(page.get_by_text("Its files go")).to_be_visible()

    Export.objects.update(ended_at=timezone.now() - timedelta(days=91))
    assert keeping.remove_old() == 1

    page.reload()
    expect(page.get_by_text("Its files were removed")).to_be_visible()
    assert in_both_themes(mine, "dataset-removed") == []
    page.get_by_role("button", name="Make it again").click()
    expect(page.get_by_role("heading", name="Waits for a worker")).to_be_visible()


def test_the_pages_fit_a_phone(window: Opener, images: None, ming: User) -> None:
    phone = window(size=PHONE)
    page = phone.enter(ming, "/learning/datasets/new/")
    expect(page.locator("#preview").get_by_text("Of 7 decisions")).to_be_visible()
    assert wider_than_window(page) <= 0
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", name="Waits for a worker")).to_be_visible()
    running.work_off(Export.objects.get().pk)
    expect(page.get_by_role("heading", name="How long")).to_be_visible()
    assert wider_than_window(page) <= 0
    phone.keep("dataset-phone")
    for path in ("/learning/datasets/", "/learning/datasets/compare/"):
        assert wider_than_window(phone.enter(ming, path)) <= 0
