"""The runs of one seed are made: a house goes the first round, and a copy of it goes on by each strategy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from config.loop.house import copy
from config.loop.terms import Run, Terms

PROJECT: Final = Path(__file__).resolve().parents[2]
NOT_THEIRS: Final = (
    *("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL"),
    *("SECRET_KEY", "LOUPE_STORAGE", "LOUPE_DATASETS_DIR"),
)
"""Of this process's environment: a house of the experiment has its own."""
STOP_SECONDS: Final = 60


class Failed(RuntimeError):
    """A run did not come to its end. It has said why already; the message names it."""


def made(terms: Terms, strategies: Sequence[str], seed: int, folder: Path) -> list[dict[str, Any]]:
    """Their results, one a strategy, which `folder` keeps. What an earlier call left is taken as it is, if it is of the
    same terms and all of one house. Raises Failed.
    """
    runs = [Run(terms, strategy, seed) for strategy in strategies]
    found = [kept(run, folder) for run in runs]
    if None in found or len({one["house"] for one in found if one}) > 1:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="loupe-loop-") as name:
            make(runs, folder, Path(name))
        found = [kept(run, folder) for run in runs]
    return [one for one in found if one]


def make(runs: Sequence[Run], folder: Path, houses: Path) -> None:
    first = houses / "first"
    for run in runs:
        spec, result = files(run, folder)
        result.unlink(missing_ok=True)
        run.write(spec)
        if not first.exists():
            call(run, spec, first)
        own = houses / run.strategy
        copy(first, own)
        call(run, spec, own, result)


def kept(run: Run, folder: Path) -> dict[str, Any] | None:
    spec, result = files(run, folder)
    if not (result.exists() and spec.exists() and Run.read(spec).is_of(run)):
        return None
    found: dict[str, Any] = json.loads(result.read_text())
    return found if "house" in found else None


def files(run: Run, folder: Path) -> tuple[Path, Path]:
    return folder / f"{run.name}.run.json", folder / f"{run.name}.json"


def call(run: Run, *arguments: object) -> None:
    """A Python process with a house of its own, which it closes also when this process is gone."""
    environment = {name: value for name, value in os.environ.items() if name not in NOT_THEIRS}
    process = subprocess.Popen(
        [sys.executable, "-m", "config.loop", *map(str, arguments)],
        stdin=subprocess.PIPE,
        cwd=PROJECT,
        env={"LOUPE_UNDO_SECONDS": "1", **environment},
        start_new_session=True,  # Ctrl-C is for us to hear; the run ends with its standard input
    )
    assert process.stdin
    try:
        status = process.wait()
    finally:
        process.stdin.close()
        process.wait(STOP_SECONDS)
    if status:
        raise Failed(f"The run {run.name} failed (exit status {status}); see above.")
