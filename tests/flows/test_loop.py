"""`loop_experiment`, whole: real photographs, a real backbone, houses of their own, and a report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FILES = {"report.md", "report.json", "curves.csv", "auc.svg", "load.svg", "runs"}


def experiment(shared: Path, out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    images, model = shared / "data" / "loop" / "objects.zip", shared / "models" / "nsfw_mobilenet_v2.toml"
    command = [sys.executable, "manage.py", "loop_experiment", "--images", str(images), "--model", str(model)]
    return subprocess.run(
        [*command, "--violating", "airplane,ship", "--out", str(out), *arguments],
        env={**os.environ, "DEBUG": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(400)
def test_a_small_experiment_runs_through_the_whole_product(shared: Path, tmp_path: Path) -> None:
    arguments = ("--rounds", "2", "--decisions", "40", "--most", "120", "--strategy", "uncertainty", "--repeats", "1")

    ended = experiment(shared, tmp_path, *arguments)

    assert ended.returncode in {0, 1}, ended.stdout + ended.stderr  # so few pictures prove nothing
    assert {one.name for one in tmp_path.iterdir()} == FILES, ended.stdout + ended.stderr
    said = json.loads((tmp_path / "report.json").read_text())
    [run] = said["runs"]
    assert [one["answers"]["decisions"] for one in run["rounds"]] == [40, 40]
    assert [one["labels"] for one in run["rounds"]] == [40, 80]
    assert [one["strategy"] for one in run["rounds"]] == ["random", "uncertainty"]
    assert run["audit"]["breaks"] == 0
    assert said["held_back"][0]["pictures"] == 24
    assert said["claims"][2]["holds"], said["claims"][2]  # the house certifies what the report does
    assert said["holds"] == (ended.returncode == 0)
    before = (tmp_path / "curves.csv").read_text()

    again = experiment(shared, tmp_path, *arguments)

    assert again.returncode == ended.returncode
    assert "came in" not in again.stdout  # the run is there already
    assert (tmp_path / "curves.csv").read_text() == before


def test_bad_terms_are_refused_before_a_house_is_opened(shared: Path, tmp_path: Path) -> None:
    ended = experiment(shared, tmp_path, "--decisions", "1000")
    assert ended.returncode == 2
    assert "more than the pool of 1600" in ended.stderr


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_loop_learns_on_real_photographs(shared: Path, tmp_path: Path) -> None:
    """Of two seeds, which is too few to tell how much: by how much the load falls, and whether uncertainty beats
    chance, ten seeds say (docs/learning.md).
    """
    ended = experiment(shared, tmp_path, "--repeats", "2")

    assert ended.returncode in {0, 1}, ended.stdout + ended.stderr
    said: dict[str, Any] = json.loads((tmp_path / "report.json").read_text())
    rises, _falls, _beats, alike, unbroken = said["claims"]
    assert all(one["holds"] for one in (rises, alike, unbroken)), said["claims"]
    for seed in (1, 2):
        first = {run["rounds"][0]["fingerprint"] for run in said["runs"] if run["seed"] == seed}
        assert len(first) == 1  # both strategies go on from the same round
    for one in said["strategies"].values():
        assert len(one["auc"]["mean"]) == 5
        assert one["load"]["0.1"]["fall"] > 0
