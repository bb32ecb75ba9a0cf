"""Weights fetched from another machine: named by their sha256, so that it does not matter whose."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from classifiers.base import CardError
from classifiers.weights import file_sha256

LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PIECE = 1 << 20
_MOST = 16 << 30
_TIMEOUT = 30.0


def fetch(url: str, folder: Path, *, sha256: str) -> Path:
    """The file at ``url`` in ``folder``, downloaded unless it is there already, with a bar on a terminal. CardError
    when it cannot be had, or when its sha256 is another; then nothing is left behind."""
    split = urlsplit(url)
    if split.scheme != "https" and not (split.scheme == "http" and split.hostname in LOOPBACK):
        raise CardError(f"{url}: weights are fetched over https only")
    suffix = Path(unquote(split.path)).suffix.lower()
    target = folder / f"{sha256.lower()}{suffix}"
    if target.is_file() and file_sha256(target) == sha256.lower():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        _download(url, part)
        found = file_sha256(part)
        if found != sha256.lower():
            raise CardError(f"{url} has sha256 {found}, the card says {sha256}: it is not the file the card means")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def _download(url: str, path: Path) -> None:
    import urllib3
    from urllib3.exceptions import HTTPError

    size = 0
    try:
        with (
            contextlib.closing(
                urllib3.request(
                    "GET",
                    url,
                    preload_content=False,
                    timeout=_TIMEOUT,
                    retries=urllib3.Retry(3, backoff_factor=0.2, redirect=5, respect_retry_after_header=False),
                )
            ) as response,
            path.open("wb") as file,
        ):
            if response.status != 200:
                raise CardError(f"{url} cannot be fetched: status {response.status}")
            with _bar(url, response.headers.get("Content-Length")) as advance:
                for piece in response.stream(_PIECE, decode_content=False):
                    size += len(piece)
                    if size > _MOST:
                        raise CardError(f"{url} is longer than {_MOST} bytes: no weights are")
                    file.write(piece)
                    advance(len(piece))
    except (HTTPError, OSError) as error:
        raise CardError(
            f"{url} cannot be fetched: {type(error).__name__}; try again, or put the file beside the card"
        ) from error


@contextlib.contextmanager
def _bar(url: str, length: str | None) -> Iterator[Callable[[float], object]]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        total = int(length) if length and length.isdecimal() else None
        task = progress.add_task(Path(urlsplit(url).path).name, total=total)
        yield lambda count: progress.advance(task, count)
