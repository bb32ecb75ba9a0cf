"""Weights in the storage ``models``, which may be on another machine, and as files of this one."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from classifiers.base import CardError
from classifiers.cards import Card
from classifiers.folders import folder_sha256, pack, unpack
from classifiers.weights import file_sha256

_FOLDER = ".tar"


def store(card: Card) -> str:
    """The name under which the card's weights now lie in the storage, and with them its encoder; a folder lies there
    as one tar."""
    if card.encoder:
        _put(card.encoder, str(encoder_name(card.table)).removesuffix(_FOLDER))
    return _put(card.weights, card.sha256)


def store_twin(table: Mapping[str, Any], folder: Path) -> str:
    """The name under which the ONNX twin that a card names, in ``folder``, now lies in the storage; "" where it names
    none. CardError where the file is not the one that is meant."""
    twin = table.get("onnx")
    if not isinstance(twin, Mapping):
        return ""
    path = folder / Path(str(twin.get("file"))).name
    if not path.is_file() or file_sha256(path) != twin.get("sha256"):
        raise CardError(f"{path.name} is not the ONNX file that the card names: get the right one, or mend the card")
    return _put(path, str(twin["sha256"]))


def encoder_name(table: Mapping[str, Any]) -> str | None:
    """Under which the encoder of this card lies in the storage: all versions on it share it."""
    if table.get("kind") != "prompts" or "encoder" not in table:
        return None
    return f"{table['encoder']['sha256'].lower()}{_FOLDER}"


def _put(path: Path, sha256: str) -> str:
    from django.core.files import File
    from django.core.files.storage import storages

    packed = path.is_dir()
    name = f"{sha256}{_FOLDER if packed else path.suffix.lower()}"
    storage = storages["models"]
    if storage.exists(name):
        return name
    with tempfile.TemporaryDirectory() as folder:
        whole = pack(path, Path(folder) / name) if packed else path
        with whole.open("rb") as file:
            return storage.save(name, File(file))


def local(name: str) -> Path:
    """Stored weights as a file (or a folder) of this machine; those of a remote storage are fetched once."""
    path = _file(name)
    if path.suffix != _FOLDER:
        return path
    target = cache() / path.stem
    if target.is_dir() and _whole(target, path.stem):
        return target
    return unpack(path, target)


def forget(name: str) -> bool:
    """Drop what ``local`` keeps of a name, so that it is fetched again; False where it keeps nothing."""
    kept = [path for path in (cache() / name, cache() / Path(name).stem) if path.exists()]
    for path in kept:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return bool(kept)


def cache() -> Path:
    from django.conf import settings

    folder = Path(settings.DATA_DIR) / "cache" / "models"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _whole(folder: Path, sha256: str) -> bool:
    try:
        return folder_sha256(folder) == sha256
    except (CardError, OSError):
        return False


def _file(name: str) -> Path:
    from django.core.files.storage import storages

    storage = storages["models"]
    try:
        return Path(storage.path(name))
    except NotImplementedError:
        pass
    target = cache() / name
    if not target.exists():
        part = target.with_name(f"{target.name}.{os.getpid()}.part")
        with storage.open(name) as remote, part.open("wb") as file:
            for piece in remote.chunks():
                file.write(piece)
        part.replace(target)
    return target
