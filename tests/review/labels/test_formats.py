"""What others read: each format loads in the library it is meant for, with the same labels in it."""

from __future__ import annotations

import gc
import hashlib
import io
import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from classifiers import manifests
from moderation.models import Client, Submission, TriagePlan, User
from review import datasets
from review.labels import albums
from tests.review.labels.arranging import APPROVE, BLOCK, decided, exported, rows

COUNT = 8


@pytest.fixture
def images(eyes: TriagePlan, platform: Client, rita: User) -> list[Submission]:
    return [
        decided(platform, rita, seed, BLOCK if seed % 2 else APPROVE, prompt=f"image, number “{seed}”\nof many")
        for seed in range(COUNT)
    ]


def expected(manifest: manifests.Manifest) -> dict[tuple[str, str], int]:
    return {(row["submission_id"], row["category"]): row["label"] for row in rows(manifest)}


def test_parquet_loads_with_duckdb_and_pandas(images: list[Submission], tmp_path: Path) -> None:
    import duckdb
    import pandas as pd

    manifest = exported(tmp_path / "out")
    path = str(tmp_path / "out" / "labels.parquet")
    with duckdb.connect() as connection:
        found = connection.execute("SELECT submission_id, category, label FROM read_parquet(?)", [path]).fetchall()
    assert {(key, category): label for key, category, label in found} == expected(manifest)
    frame = pd.read_parquet(path)
    assert list(frame.columns) == manifests.SCHEMA.names
    triples = zip(frame["submission_id"], frame["category"], frame["label"], strict=True)
    assert {(key, category): label for key, category, label in triples} == expected(manifest)
    assert set(frame["prompt"]) == {f"image, number “{seed}”\nof many" for seed in range(COUNT)}


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_text_formats_say_the_same(images: list[Submission], tmp_path: Path, format: str) -> None:
    assert exported(tmp_path / "a").fingerprint == exported(tmp_path / "b", format).fingerprint


def test_the_image_folder_loads_with_hugging_face(
    images: list[Submission], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    datasets.disable_progress_bars()
    manifest = exported(tmp_path / "out", "imagefolder")
    found = datasets.load_dataset("imagefolder", data_dir=str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    splits = {row["submission_id"]: row["split"] for row in rows(manifest)}
    labels, sizes = {}, set()
    for split, part in found.items():
        for row in part:
            sizes.add(row["image"].size)
            for one in row["labels"]:
                labels[row["submission_id"], one["category"]] = one["label"]
            assert splits[row["submission_id"]] == split
    assert labels == expected(manifest)
    assert sizes == {(64, 64)}


def test_every_file_of_the_folder_has_its_digest(images: list[Submission], tmp_path: Path) -> None:
    out = tmp_path / "out"
    manifest = exported(out, "imagefolder")
    told = dict(line.split("  ")[::-1] for line in (out / datasets.SUMS).read_text().splitlines())
    lie_there = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file() and path.parent != out}
    assert set(told) == lie_there
    assert all(hashlib.sha256((out / name).read_bytes()).hexdigest() == digest for name, digest in told.items())
    assert {row["image"] for row in rows(manifest)} == {name for name in lie_there if name.endswith(".jpg")}
    assert manifest.index["files"].keys() >= {datasets.SUMS, datasets.CARD, datasets.WORDS, "labels.parquet"}


def test_tar_shards_load_with_webdataset(images: list[Submission], tmp_path: Path) -> None:
    import webdataset

    manifest = exported(tmp_path / "out", "webdataset")
    shards = sorted(str(path) for path in (tmp_path / "out").glob("*.tar"))
    labels = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the library leaves its files to the collector
        samples = list(webdataset.WebDataset(shards, shardshuffle=False))
        gc.collect()
    for sample in samples:
        facts = json.loads(sample["json"])
        assert sample["__key__"] == facts["submission_id"]
        assert Image.open(io.BytesIO(sample["jpg"])).size == (64, 64)
        for one in facts["labels"]:
            labels[facts["submission_id"], one["category"]] = one["label"]
    assert labels == expected(manifest)
    assert {Path(shard).name for shard in shards} <= manifest.index["files"].keys()


def test_shards_are_cut_by_number_and_always_the_same(
    images: list[Submission], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(albums, "SHARD", 2)
    first, second = (exported(tmp_path / name, "webdataset").index["files"] for name in "ab")
    tars = {name: digest for name, digest in first.items() if name.endswith(".tar")}
    assert tars == {name: digest for name, digest in second.items() if name.endswith(".tar")}
    assert any(name.endswith("-000001.tar") for name in tars), "of eight images, three lie in one split at least"


def test_originals_go_along_by_choice(images: list[Submission], tmp_path: Path) -> None:
    exported(tmp_path / "out", "imagefolder", images="original")
    found = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "out").glob("*/*.png")}
    assert found == {one.sha256 for one in images}


def test_an_image_that_is_gone_is_counted(images: list[Submission], tmp_path: Path) -> None:
    (tmp_path / "store" / "derivatives" / images[0].working).unlink()
    manifest = exported(tmp_path / "out", "imagefolder")
    assert manifest.index["album"] == {"layout": "imagefolder", "images": COUNT - 1, "missing": 1}
    card: dict[str, Any] = json.loads((tmp_path / "out" / datasets.CARD).read_text())
    assert any("not in the album" in gap for gap in card["gaps"])
