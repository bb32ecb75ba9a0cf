"""The files of a data set, and whether they may still be fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from moderation.models import Status, Submission
from review.models import Dataset, Export, ExportState

ROOM: Final = "exports"  # in LOUPE_DATASETS_DIR
MANIFEST: Final = "manifest.json"
MEMBERS: Final = "members.bin"
CARD: Final = "card.json"
WORDS: Final = "README.md"  # the name under which hubs look for it
SUMS: Final = "images.sha256"
KEY: Final = 16  # bytes
SPLITS: Final = ("train", "validation", "test")


class FilesGone(LookupError):
    """The row is kept, its files are not here: make the data set again, its fingerprint will be the same."""


class Withdrawn(Exception):
    """An image of it came under legal hold since: make the data set again, it will be left out."""


@dataclass(frozen=True, slots=True)
class FileOf:
    """`sha256` is "" for manifest.json, which holds those of the others."""

    name: str
    size: int
    sha256: str


def room_of(key: UUID) -> Path:
    """Of one export: its files, and until it is done its parts."""
    found: Path = settings.DATASETS_DIR / ROOM / str(key)
    return found


def folder_of(dataset: Dataset) -> Path:
    """The folder of its manifest, as `classifiers.manifests.read` takes it. Raises FilesGone."""
    made = Export.objects.filter(dataset=dataset, state=ExportState.DONE).order_by("-id")
    removed = {f"{ROOM}/{key}" for key, at in made.values_list("pk", "files_removed_at") if at}
    for name in (dataset.folder, *(f"{ROOM}/{key}" for key in made.values_list("pk", flat=True))):
        folder: Path = settings.DATASETS_DIR / name
        if name and name not in removed and (folder / MANIFEST).is_file():
            return folder
    raise FilesGone(_("The files of data set %(name)s are not on this machine.") % {"name": dataset})


def folder_of_export(row: Export) -> Path:
    """Of what this very export wrote. Raises FilesGone."""
    folder = room_of(row.pk)
    if row.state != ExportState.DONE or row.files_removed_at or not (folder / MANIFEST).is_file():
        raise FilesGone(_("The files of this data set are not on this machine."))
    return folder


def some_of(row: Export, count: int) -> list[UUID]:
    """Ids of images that are in it, spread over the whole; they stay when its files go."""
    try:
        path = room_of(row.pk) / MEMBERS
        size = path.stat().st_size // KEY if row.state == ExportState.DONE else 0
    except OSError:
        return []
    with path.open("rb") as file:
        found = []
        for place in sorted({size * at // count for at in range(count)} if size else ()):
            file.seek(place * KEY)
            found.append(UUID(bytes=file.read(KEY)))
    return found


def index_of(folder: Path) -> dict[str, Any]:
    """What manifest.json says. Raises FilesGone."""
    try:
        found: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise FilesGone(_("The files of this data set are not on this machine.")) from error
    return found


def listed(folder: Path) -> list[FileOf]:
    """The files in the folder itself, manifest.json last."""
    index = index_of(folder)
    files = [FileOf(name, size_of(folder / name), digest) for name, digest in sorted(index["files"].items())]
    return [*files, FileOf(MANIFEST, size_of(folder / MANIFEST), "")]


def all_of(folder: Path) -> Iterator[str]:
    """The names of all its files, those of an image folder too, manifest.json last. One by one: they may be many."""
    names = [one.name for one in listed(folder)]
    yield from names[:-1]
    if SUMS in names:
        with (folder / SUMS).open(encoding="utf-8") as lines:
            yield from (line.rstrip("\n").partition("  ")[2] for line in lines)
    yield names[-1]


def card_of(row: Export) -> dict[str, Any] | None:
    """What its card says, once there is one; it stays when the files go."""
    try:
        found: dict[str, Any] = json.loads((room_of(row.pk) / CARD).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if row.state == ExportState.DONE else None


def size_of(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def path_of(folder: Path, name: str) -> Path:
    """A file of the data set by its name, split/ID.jpg too. Raises FilesGone for anything else, and Withdrawn."""
    parts = PurePosixPath(name).parts
    known = {one.name for one in listed(folder)}
    inside = len(parts) == 2 and parts[0] in SPLITS and parts[1] not in {".", ".."}
    path = folder / name
    if (name not in known and not inside) or "\\" in name or path.name.endswith(".part") or not path.is_file():
        raise FilesGone(_("There is no such file."))
    if path.resolve().parent not in {folder.resolve(), (folder / parts[0]).resolve()}:
        raise FilesGone(_("There is no such file."))
    check(folder)
    return path


def check(folder: Path) -> None:
    """Raises Withdrawn."""
    written = index_of(folder)["asof"]
    held = Submission.objects.filter(status=Status.QUARANTINED, settled_at__gte=written).values_list("pk", flat=True)
    if any(holds(folder, key) for key in held.iterator()):
        raise Withdrawn(_("An image of it came under legal hold since. Make the data set again: it will be left out."))


def holds(folder: Path, key: UUID) -> bool:
    """Whether the image is in it: a search in a sorted file of keys, 16 bytes each."""
    path = folder / MEMBERS
    if not path.is_file():
        return True  # nobody can tell, so it may be
    with path.open("rb") as file:
        low, high = 0, path.stat().st_size // KEY
        while low < high:
            middle = (low + high) // 2
            file.seek(middle * KEY)
            found = file.read(KEY)
            if found == key.bytes:
                return True
            low, high = (middle + 1, high) if found < key.bytes else (low, middle)
    return False
