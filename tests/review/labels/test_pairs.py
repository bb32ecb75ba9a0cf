"""Preference pairs: of one prompt, what people approved beside what they blocked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers import manifests
from moderation.models import Client, TriagePlan, User
from review.labels.pairs import key_of, normalised
from review.labels.queries import NothingToExport
from tests.review.labels.arranging import BLOCK, decided, exported

FLUX = {"name": "flux"}


def test_images_of_one_prompt_are_paired(eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path) -> None:
    good = decided(platform, rita, 1, prompt="A knight, at dawn!", generator=FLUX)
    bad = decided(platform, rita, 2, BLOCK, prompt="a knight at  dawn", generator={"name": "FLUX"})
    decided(platform, rita, 3, BLOCK, prompt="a knight at dawn", generator={"name": "sdxl"})
    decided(platform, rita, 4, BLOCK, prompt="a dragon", generator=FLUX)
    decided(platform, rita, 5, prompt="", generator=FLUX)
    decided(platform, rita, 6, BLOCK, prompt="", generator=FLUX)
    manifest = exported(tmp_path / "out", kind="pairs", backbone="colour-eyes@1")
    (pair,) = [json.loads(line) for line in (tmp_path / "out" / "pairs.jsonl").read_text().splitlines()]
    assert (pair["chosen"]["submission_id"], pair["rejected"]["submission_id"]) == (str(good.pk), str(bad.pk))
    assert pair["violates"] == [{"category": "WEAPONS_DANGEROUS", "severity": 2}]
    assert pair["chosen"]["licence"] == "CC-BY-4.0"
    assert manifest.index["pairs"] == 1
    assert set(manifest.column("submission_id")) == {str(good.pk), str(bad.pk)}
    assert len(manifest.vectors()) == len(manifest)
    assert len(set(manifest.column("split"))) == 1
    assert "pairs.jsonl" in manifests.read(tmp_path / "out").index["files"]


def test_no_approved_image_stands_in_for_all(eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path) -> None:
    for seed in range(5):
        decided(platform, rita, seed, prompt="a knight")
    decided(platform, rita, 5, BLOCK, prompt="a knight")
    decided(platform, rita, 6, BLOCK, prompt="a knight")
    exported(tmp_path / "out", kind="pairs")
    pairs = [json.loads(line) for line in (tmp_path / "out" / "pairs.jsonl").read_text().splitlines()]
    assert len(pairs) == 8
    assert len({pair["chosen"]["submission_id"] for pair in pairs}) == 5


def test_without_both_sides_there_is_nothing(eyes: TriagePlan, platform: Client, rita: User, tmp_path: Path) -> None:
    decided(platform, rita, 1, prompt="a knight")
    with pytest.raises(NothingToExport):
        exported(tmp_path / "out", kind="pairs")


@given(st.text(max_size=40))
def test_a_prompt_is_its_own_normal_form(prompt: str) -> None:
    assert normalised(normalised(prompt)) == normalised(prompt)
    assert key_of(f"  {prompt} ", "Flux") == key_of(prompt, "flux")
