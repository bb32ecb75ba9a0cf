from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from moderation.models import Client, Submission
from tests.moderation.pictures import encoded, picture
from tests.world import png

pytestmark = pytest.mark.django_db


def run(*arguments: str | Path) -> tuple[int, list[str], str]:
    """Exit code, lines of output, and what was said on stderr."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("ingest", *map(str, arguments), stdout=out, stderr=err)
        code = 0
    except SystemExit as error:
        code = int(str(error.code))
    return code, out.getvalue().splitlines(), err.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    (folder / "deeper").mkdir(parents=True)
    (folder / "one.png").write_bytes(png(red=0.5))
    (folder / "one.txt").write_text("a red square\n")
    (folder / "notes.md").write_text("no image")
    (folder / "deeper" / "two.JPG").write_bytes(encoded(picture(), "JPEG"))
    return folder


def test_a_folder_is_taken_in_with_the_prompts_beside_the_images(platform: Client, folder: Path) -> None:
    code, out, err = run("--client", platform.slug, folder)

    assert (code, out, err) == (0, ["2 taken, 0 known, 0 refused"], "")
    rows = {row.external_id: row.prompt for row in Submission.objects.of(platform)}
    assert rows == {"one.png": "a red square", "deeper/two.JPG": ""}


def test_a_second_run_takes_only_what_is_new(platform: Client, folder: Path) -> None:
    run("--client", platform.slug, folder)
    (folder / "three.png").write_bytes(png(blue=0.5))

    _code, out, _err = run("--client", platform.slug, folder)

    assert out == ["1 taken, 2 known, 0 refused"]


def test_what_is_refused_is_named_and_does_not_stop_the_rest(platform: Client, folder: Path) -> None:
    (folder / "bad.png").write_text("no image")
    (folder / "nul.png").write_bytes(png(green=0.5))
    (folder / "nul.txt").write_text("a\0b")

    code, out, err = run("--client", platform.slug, folder)

    assert (code, out) == (1, ["2 taken, 0 known, 2 refused"])
    assert "bad.png: " in err
    assert "nul.png: #/prompt" in err


def test_a_changed_file_is_a_conflict(platform: Client, folder: Path) -> None:
    run("--client", platform.slug, folder)
    (folder / "one.png").write_bytes(png(red=0.6))

    code, out, _err = run("--client", platform.slug, folder)

    assert (code, out) == (1, ["0 taken, 1 known, 1 refused"])


def test_too_large_a_file_is_refused(platform: Client, folder: Path, settings: Settings) -> None:
    settings.MAX_IMAGE_BYTES = 50

    assert run("--client", platform.slug, folder)[:2] == (1, ["0 taken, 0 known, 2 refused"])


def test_machines_get_a_line_of_json_an_image(platform: Client, folder: Path) -> None:
    (folder / "bad.png").write_text("no image")

    _code, out, _err = run("--client", platform.slug, "--json", folder)

    lines: list[dict[str, Any]] = [json.loads(line) for line in out]
    assert [line["outcome"] for line in lines[:-1]] == ["refused", "accepted", "accepted"]
    assert lines[1]["id"] == str(Submission.objects.get(external_id="one.png").pk)
    assert lines[-1] == {"accepted": 2, "known": 0, "refused": 1}


def test_a_file_may_be_named_whatever_its_suffix(platform: Client, tmp_path: Path) -> None:
    (tmp_path / "image.bin").write_bytes(png())

    assert run("--client", platform.slug, tmp_path / "image.bin")[0] == 0


@pytest.mark.parametrize("name", [b"caf\xe9.png", b"x" * 240 + b".png"])
def test_a_name_that_can_be_no_id_gets_one(platform: Client, tmp_path: Path, name: bytes) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(png())

    code, _out, _err = run("--client", platform.slug, "--json", tmp_path)

    assert code == 0
    assert len(str(Submission.objects.get().external_id)) == 64


@pytest.mark.parametrize("arguments", [("--client", "nobody", "."), ("--client", "atelier", "/no/such/place")])
def test_bad_use_is_told(platform: Client, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as caught:
        run(*arguments)

    assert caught.value.returncode == 2
    assert not Submission.objects.exists()
