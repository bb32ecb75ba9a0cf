"""Labelled pictures: a ZIP file or a folder with one folder a class."""

from __future__ import annotations

import hashlib
import random
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})
FOLDS: Final = 5


class NoPictures(ValueError):
    """There is nothing to experiment with. The message says what was looked for."""


@dataclass(frozen=True, slots=True)
class Picture:
    """`name` is its path, `kind` the folder it lies in: the class it was labelled with."""

    name: str
    kind: str
    image: bytes


@dataclass(frozen=True, slots=True)
class Division:
    """`pool` is what people may be asked about, in the order of arrival; `held_back` is for measuring alone."""

    pool: Sequence[Picture]
    held_back: Sequence[Picture]


def read(path: Path) -> list[Picture]:
    """All pictures, by name. Raises NoPictures."""
    try:
        found = sorted(_zipped(path) if path.is_file() else _lying(path), key=lambda one: one.name)
    except (OSError, zipfile.BadZipFile) as error:
        raise NoPictures(f"{path} cannot be read: {error}") from error
    if not found:
        raise NoPictures(f"{path} holds no picture in a folder that names its class ({', '.join(sorted(SUFFIXES))})")
    return found


def fingerprint(pictures: Sequence[Picture]) -> str:
    """Hex name of their names and bytes."""
    whole = hashlib.sha256()
    for one in pictures:
        whole.update(f"{len(one.name)}:{one.name}:{len(one.image)}:".encode() + one.image)
    return whole.hexdigest()


def divide(pictures: Sequence[Picture], *, seed: int, most: int = 0) -> Division:
    """A fifth is held back, drawn at random from all; so it is a sample of what comes in, as audits are. Five seeds
    from 1, 6, 11 … share one shuffle and hold back a fifth of it each: together every picture once, so that what is
    easy or hard by luck of the draw evens out. `most`: of so many pictures, drawn at random; 0: of all.
    """
    shuffle, fold = divmod(seed - 1, FOLDS)
    order = list(pictures)
    random.Random(shuffle).shuffle(order)  # noqa: S311 - no secret: the same seed divides alike
    chosen = order[: most or None]
    start, end = (round(len(chosen) * one / FOLDS) for one in (fold, fold + 1))
    return Division([*chosen[:start], *chosen[end:]], chosen[start:end])


def _zipped(path: Path) -> Iterator[Picture]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if kind := _kind(name):
                yield Picture(name, kind, archive.read(name))


def _lying(path: Path) -> Iterator[Picture]:
    for file in path.rglob("*"):
        name = file.relative_to(path).as_posix()
        if file.is_file() and (kind := _kind(name)):
            yield Picture(name, kind, file.read_bytes())


def _kind(name: str) -> str:
    """The class of a picture of this name; "" for what is none, or lies in no folder."""
    path = PurePosixPath(name)
    return path.parent.name if path.suffix.lower() in SUFFIXES else ""
