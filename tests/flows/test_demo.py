"""`make demo ARGS=--check`, whole: own servers, own worker, a classifier trained on the spot, the circle closed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

STAGES = ["ingest", "triage", "claim", "decide", "label export", "retrain", "adopt", "re-triage", "audit"]
UNSET = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "LOUPE_STORAGE")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not among pytest's own, which every other run of pytest on this machine closes again to the servers' account."""
    with tempfile.TemporaryDirectory(prefix="loupe-demo-") as name:
        yield Path(name)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in UNSET}
    return subprocess.run(
        [sys.executable, "manage.py", "demo", *arguments],
        env={**environment, "LOUPE_DATA_DIR": str(folder), "DEBUG": "1", "COLUMNS": "160"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(400)
def test_the_circle_closes_from_an_empty_folder(folder: Path) -> None:
    ended = demo(folder, "--check", "--port", str(free_port()))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    seen = [line[2:15].strip() for line in ended.stdout.splitlines() if line.startswith("✓")]
    assert seen == STAGES
    kept = folder / "demo.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    known = json.loads(kept.read_text())
    assert {"base_url", "api_key", "users"} <= known.keys()
    assert all(login["password"] not in (folder / "log" / "demo.log").read_text() for login in known["users"].values())


def test_the_circle_is_of_drawn_scenes(settings: Any, tmp_path: Path) -> None:
    settings.DEBUG = True
    with pytest.raises(CommandError, match="leave out --images") as refused:
        call_command("demo", check=True, images=tmp_path)
    assert refused.value.returncode == 2


def test_the_demo_refuses_a_production_setting(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "demo"],
        env={**os.environ, "DEBUG": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "refuses with DEBUG=0" in ended.stderr
