from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from config.loop.pictures import NoPictures, divide, read


def lying(folder: Path, count: int = 20) -> Path:
    for kind in ("cat", "ship"):
        (folder / kind).mkdir(parents=True)
        for number in range(count):
            (folder / kind / f"{number:02}.jpg").write_bytes(f"{kind} {number}".encode())
    (folder / "readme.txt").write_text("no picture")
    (folder / "loose.png").write_bytes(b"of no class")
    return folder


def test_a_zip_file_and_a_folder_hold_the_same_pictures(tmp_path: Path) -> None:
    folder, archive = lying(tmp_path / "pictures"), tmp_path / "pictures.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in folder.rglob("*.*"):
            file.write(path, path.relative_to(folder))

    found = read(folder)

    assert found == read(archive)
    assert len(found) == 40
    assert (found[0].name, found[0].kind, found[0].image) == ("cat/00.jpg", "cat", b"cat 0")


def test_a_fifth_is_held_back_and_no_picture_is_on_both_sides(tmp_path: Path) -> None:
    pictures = read(lying(tmp_path / "pictures"))

    division = divide(pictures, seed=1)

    assert (len(division.pool), len(division.held_back)) == (32, 8)
    assert {*division.pool, *division.held_back} == set(pictures)
    assert divide(pictures, seed=1) == division
    assert divide(pictures, seed=2) != division
    assert len(divide(pictures, seed=1, most=10).pool) == 8


def test_five_seeds_hold_every_picture_back_once(tmp_path: Path) -> None:
    pictures = read(lying(tmp_path / "pictures"))

    laps = [[divide(pictures, seed=seed, most=33).held_back for seed in range(first, first + 5)] for first in (1, 6)]

    for lap in laps:
        held = [one for part in lap for one in part]
        assert len(held) == len({one.name for one in held}) == 33
    assert laps[0] != laps[1]


@pytest.mark.parametrize("name", ["nowhere", "empty", "broken.zip"])
def test_what_holds_no_pictures_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.zip").write_bytes(b"no archive")

    with pytest.raises(NoPictures, match=name):
        read(tmp_path / name)
