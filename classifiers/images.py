"""Images by name: in a folder, or in one of the storages of this house."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from classifiers.training.faults import TrainingError

if TYPE_CHECKING:
    from classifiers.finetuning.album import Read

STORAGE = "storage:"


def reader(root: str) -> Read:
    """What reads an image by its name in the manifest: ``root`` is a folder, or ``storage:NAME``. TrainingError where
    there is no such place."""
    from classifiers.finetuning.album import in_folder

    if not root.startswith(STORAGE):
        if not Path(root).is_dir():
            raise TrainingError(f"{root} is no folder: say where the images are")
        return in_folder(Path(root))
    from django.core.files.storage import InvalidStorageError, storages

    try:
        storage = storages[root.removeprefix(STORAGE)]
    except InvalidStorageError as error:
        raise TrainingError(f"{root}: there is no such storage") from error

    def read(name: str) -> bytes:
        with storage.open(name) as file:
            return bytes(file.read())

    return read
