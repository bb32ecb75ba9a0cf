"""Exports to ONNX, kept by what they were made from."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from classifiers.weights import file_sha256


def kept_export(name: str, folder: Path, make: Callable[[Path], None]) -> Path:
    """``folder / name``, made by ``make`` unless it is there, whole and as it was made. A folder that cannot be written
    is replaced by one of this process."""
    if not os.access(folder, os.W_OK):
        folder = Path(tempfile.mkdtemp(prefix="loupe-export-"))
    exported, stamp = folder / name, folder / f"{name}.sha256"
    if exported.is_file() and stamp.is_file() and stamp.read_text().strip() == file_sha256(exported):
        return exported
    part = folder / f"{name}.{os.getpid()}.part"
    try:
        make(part)
        mark = part.with_suffix(".mark")
        mark.write_text(file_sha256(part))
        part.replace(exported)
        mark.replace(stamp)
    finally:
        part.unlink(missing_ok=True)
    return exported
