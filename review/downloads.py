"""A file of a data set, or all of it, as a page or a program fetches it; who did is on record."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from os import fstat
from pathlib import Path
from typing import Final, TypeVar

from django.db import close_old_connections, transaction
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse

from moderation import audit
from moderation.actors import Actor
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
Response = TypeVar("Response", bound=HttpResponseBase)

CHUNK: Final = 1 << 18  # bytes
CHECKED: Final = 500  # files of an archive after which it is asked again whether it may still be sent
SAFE: Final = re.compile(r"[^\w.-]")


def served(row: Export, name: str, *, actor: Actor) -> FileResponse:
    """As an attachment, never kept by anything in between. Raises FilesGone or Withdrawn."""
    path = datasets.path_of(datasets.folder_of_export(row), name)
    record(row, actor, file=name)
    response = FileResponse(path.open("rb"), as_attachment=True, filename=SAFE.sub("_", path.name))
    response["Content-Type"] = TYPES.get(path.suffix, "application/octet-stream")
    return guarded(response)


def archived(row: Export, *, actor: Actor) -> StreamingHttpResponse:
    """All files of it as one tar, made as it is sent: nothing is written, and a chunk lies in memory.
    Raises FilesGone or Withdrawn.
    """
    folder = datasets.folder_of_export(row)
    datasets.check(folder)
    name = f"dataset-{row.dataset}"
    record(row, actor, file=f"{name}.tar")
    response = StreamingHttpResponse(tarred(folder, name), content_type=TYPES[".tar"])
    response["Content-Disposition"] = f'attachment; filename="{name}.tar"'
    return guarded(response)


def tarred(folder: Path, name: str) -> Iterator[bytes]:
    """Of no time and nobody, so that the same data set makes the same bytes. What comes under legal hold meanwhile cuts
    it short, which the receiver notices: it lacks its end.
    """
    for count, each in enumerate(datasets.all_of(folder), start=1):
        if count % CHECKED == 0:
            datasets.check(folder)
            close_old_connections()  # a long download holds no connection that it does not use
        with (folder / each).open("rb") as file:
            entry = tarfile.TarInfo(f"{name}/{each}")
            entry.size, entry.mode = fstat(file.fileno()).st_size, 0o644
            yield entry.tobuf(tarfile.PAX_FORMAT)
            while chunk := file.read(CHUNK):
                yield chunk
        yield bytes(-entry.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def guarded(response: Response) -> Response:
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def record(row: Export, actor: Actor, **said: str) -> None:
    fingerprint = row.dataset.fingerprint if row.dataset else ""
    with transaction.atomic():
        audit.record(audit.Entry(actor, "export.fetched", f"export:{row.pk}", {"dataset": fingerprint, **said}))
