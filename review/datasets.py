"""Where the files of a data set lie."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from review.models import Dataset


class FilesGone(LookupError):
    """The row is kept, its files are not here: make the data set again, its fingerprint will be the same."""


def folder_of(dataset: Dataset) -> Path:
    """The folder of its manifest, as `classifiers.manifests.read` takes it. Raises FilesGone."""
    folder: Path = settings.DATASETS_DIR / dataset.folder
    if not dataset.folder or not (folder / "manifest.json").is_file():
        raise FilesGone(_("The files of data set %(name)s are not on this machine.") % {"name": dataset})
    return folder
