"""Weights that are a folder of files (a model of the transformers library, a sentence encoder): one digest, and one
file to store."""

import hashlib
import os
import re
import shutil
import tarfile
from pathlib import Path

from classifiers.base import CardError
from classifiers.weights import file_sha256

SUFFIXES = (".safetensors", ".json", ".txt", ".model")
"""What of a folder counts, and is ever read; all else in it (pickles, code) might as well not be there."""
PARTS = "[0-9]_*"
"""Folders within that count too: in these a sentence encoder keeps how it pools (``1_Pooling``)."""
_NAME = re.compile(r"([0-9]_\w+/)?(?!\.\.?$)[^/\\]+")


def members(folder: Path) -> list[Path]:
    """The files that count, by name; CardError where no safetensors are among them."""
    paths = (*folder.iterdir(), *folder.glob(f"{PARTS}/*"))
    found = [path for path in paths if path.is_file() and path.suffix.lower() in SUFFIXES]
    if not any(path.suffix.lower() == ".safetensors" for path in found):
        raise CardError(f"{folder.name} holds no .safetensors: weights in a pickle format (.bin, .pt) are not read")
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def folder_sha256(folder: Path) -> str:
    """Hex digest over the names and sha256 of the files that count: that of ``sha256sum`` lines, sorted by name."""
    lines = "".join(f"{file_sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in members(folder))
    return hashlib.sha256(lines.encode()).hexdigest()


def pack(folder: Path, target: Path) -> Path:
    """The files that count as one tar, the same bytes for the same files."""
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in members(folder):
            entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
            entry.size, entry.mode = path.stat().st_size, 0o644
            with path.open("rb") as file:
                tar.addfile(entry, file)
    return target


def unpack(packed: Path, target: Path) -> Path:
    """What ``pack`` wrote, as the folder ``target``: whole or not at all."""
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        with tarfile.open(packed) as tar:
            for entry in tar:
                if not entry.isfile() or not _NAME.fullmatch(entry.name):
                    raise CardError(f"{packed.name} holds {entry.name!r}, which is no plain file: it was swapped")
                tar.extract(entry, part, filter="data")
        shutil.rmtree(target, ignore_errors=True)
        part.rename(target)
    except (tarfile.TarError, OSError) as error:
        raise CardError(f"{packed.name} cannot be unpacked, it was cut short or swapped: {error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target
