"""The environment as the only switchboard: a bad value stops the start with one line that names it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.storage import storages_from_url

SETTINGS = "import config.settings as s; print({})"


def start(tmp_path: Path, *, show: str = "''", **environment: str) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process of their own, under exactly this environment."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", SETTINGS.format(show)],
        env={**kept, "LOUPE_DATA_DIR": str(tmp_path / "var"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "perhaps"),
        ("DATABASE_URL", "mysql://localhost/loupe"),
        ("LOUPE_STORAGE", "ftp://somewhere"),
        ("LOUPE_MAX_IMAGE_BYTES", "many"),
        ("LOUPE_MAX_IMAGE_PIXELS", "-1"),
    ],
)
def test_a_bad_value_stops_the_start_with_a_line_that_names_it(tmp_path: Path, name: str, value: str) -> None:
    ended = start(tmp_path, SECRET_KEY="k" * 50, **{name: value})
    assert ended.returncode == 1
    (line,) = ended.stderr.strip().splitlines()
    assert line.startswith(f"loupe: {name} does not fit")


def test_no_secret_means_no_start_in_production(tmp_path: Path) -> None:
    ended = start(tmp_path, DATABASE_URL="postgres://db.example/loupe")
    assert ended.returncode == 1
    assert "SECRET_KEY is not set" in ended.stderr


def test_debug_switched_off_by_hand_wants_a_secret_too(tmp_path: Path) -> None:
    assert "SECRET_KEY is not set" in start(tmp_path, DEBUG="0").stderr


def test_a_local_desk_keeps_the_secret_it_made(tmp_path: Path) -> None:
    first, second = (start(tmp_path, show="s.SECRET_KEY").stdout for _ in range(2))
    assert first == second != ""
    assert (tmp_path / "var" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_value_may_come_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from-a-file")
    ended = start(
        tmp_path, show="s.SECRET_KEY", SECRET_KEY_FILE=str(secret), DATABASE_URL="postgres://db.example/loupe"
    )
    assert ended.stdout.strip() == "from-a-file"


def test_a_folder_holds_a_room_for_each_kind_of_file() -> None:
    rooms = storages_from_url("file:///srv/with%20space/")
    assert set(rooms) == {"originals", "derivatives", "models", "exports"}
    assert rooms["models"]["OPTIONS"]["location"] == "/srv/with space/models"
    assert rooms["originals"]["OPTIONS"]["file_permissions_mode"] == 0o600


def test_a_bucket_holds_the_same_rooms_under_a_prefix() -> None:
    room = storages_from_url("s3://bucket/a/b?endpoint_url=http://127.0.0.1:9000")["exports"]
    assert room["OPTIONS"]["bucket_name"] == "bucket"
    assert room["OPTIONS"]["location"] == "a/b/exports"
    assert room["OPTIONS"]["endpoint_url"] == "http://127.0.0.1:9000"
