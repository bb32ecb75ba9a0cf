"""A file of a data set, as a page or a program fetches it."""

from __future__ import annotations

import re
from typing import Final

from django.http import FileResponse

from review import datasets
from review.models import Export

# Types that no browser runs, whatever is in the file.
TYPES: Final = {
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".parquet": "application/vnd.apache.parquet",
    ".csv": "text/csv; charset=utf-8",
    ".tar": "application/x-tar",
    ".md": "text/plain; charset=utf-8",
    ".sha256": "text/plain; charset=utf-8",
    ".jpg": "image/jpeg",
    ".png": "image/png",
}
SAFE: Final = re.compile(r"[^\w.-]")


def served(row: Export, name: str) -> FileResponse:
    """As an attachment, never kept by anything in between. Raises FilesGone or Withdrawn."""
    path = datasets.path_of(datasets.folder_of_export(row), name)
    response = FileResponse(path.open("rb"), as_attachment=True, filename=SAFE.sub("_", path.name))
    response["Content-Type"] = TYPES.get(path.suffix, "application/octet-stream")
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
