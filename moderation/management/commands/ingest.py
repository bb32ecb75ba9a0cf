"""Take images of the local disk in, as a client would send them."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from moderation import images, ingest, tasks
from moderation.actors import Actor
from moderation.ingest.declared import TEXT_LIMITS
from moderation.models import Client

ACTOR: Final = Actor.command("ingest")
SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".jfif", ".png", ".webp", ".avif", ".gif"})
LONGEST_ID: Final = TEXT_LIMITS["external_id"]
NUDGE_EVERY: Final = 32


@dataclass(frozen=True, slots=True)
class Result:
    path: str
    outcome: Literal["accepted", "known", "refused"]
    id: str | None = None
    detail: str = ""


class Command(BaseCommand):
    help = (
        "Take images in for a client: FILE… as given, and every image below DIR…, with its prompt from the .txt file "
        "of the same name beside it. The path below DIR becomes the external_id: run again, it takes only "
        "what is new. Exits 0 when all was taken, 1 when some were refused, 2 when it could not start."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="DIR|FILE")
        parser.add_argument("--client", required=True, metavar="SLUG", help="whose images these are")
        parser.add_argument("--json", action="store_true", help="a JSON object a line: each image, then the counts")

    def handle(self, *, paths: Sequence[Path], client: str, json: bool, **_options: Any) -> None:
        owner = client_named(client)
        for path in paths:
            if not path.exists():
                raise CommandError(_("There is no %(path)s.") % {"path": path}, returncode=2)
        counts: Counter[str] = Counter(accepted=0, known=0, refused=0)
        progress = Progress(
            SpinnerColumn(), TextColumn("{task.completed}"), console=Console(stderr=True), transient=True
        )
        with progress:
            task = progress.add_task("", total=None)
            for path, name in walk(paths):
                result = take(owner, path, name)
                counts[result.outcome] += 1
                progress.advance(task)
                self.tell(result, as_json=json)
                if result.outcome == "accepted" and counts["accepted"] % NUDGE_EVERY == 1:
                    tasks.nudge_triage()
        if counts["accepted"]:
            tasks.nudge_triage()
        self.stdout.write(
            dumped(counts) if json else _("%(accepted)d taken, %(known)d known, %(refused)d refused") % counts
        )
        if counts["refused"]:
            raise SystemExit(1)

    def tell(self, result: Result, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(dumped(asdict(result)))
        elif result.outcome == "refused":
            self.stderr.write(f"{result.path}: {result.detail}")


def dumped(value: Any) -> str:
    return json.dumps(value)


def client_named(slug: str) -> Client:
    client = Client.objects.filter(slug=slug).first()
    if client is None:
        known = ", ".join(Client.objects.order_by("slug").values_list("slug", flat=True)[:20]) or "–"
        raise CommandError(_("No client %(slug)s; there is: %(known)s") % {"slug": slug, "known": known}, returncode=2)
    return client


def walk(paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Each image with its name below the folder it was found in; one folder is in memory at a time."""
    for top in paths:
        if top.is_file():
            yield top, top.name
            continue
        for folder, subfolders, files in os.walk(top):
            subfolders.sort()
            for file in sorted(files):
                path = Path(folder, file)
                if path.suffix.lower() in SUFFIXES:
                    yield path, path.relative_to(top).as_posix()


def take(client: Client, path: Path, name: str) -> Result:
    shown = os.fsencode(path).decode(errors="replace")
    try:
        fields = ingest.Declared(external_id=external_id(name), prompt=prompt_beside(path))
        accepted = ingest.accept(client, read(path), fields=fields, actor=ACTOR)
    except (images.UnacceptableImage, ingest.UnacceptableFields, ingest.Conflict, OSError) as error:
        return Result(shown, "refused", detail=str(error))
    return Result(shown, "accepted" if accepted.created else "known", id=str(accepted.submission.pk))


def read(path: Path) -> bytes:
    """Raises UnacceptableImage before a file that is too large is read."""
    if path.stat().st_size > settings.MAX_IMAGE_BYTES:
        raise images.too_many_bytes(settings.MAX_IMAGE_BYTES)
    return path.read_bytes()


def external_id(name: str) -> str:
    """The name, or its digest when it is too long or is no text."""
    raw = os.fsencode(name)
    try:
        return name if len(raw.decode()) <= LONGEST_ID else sha256(raw).hexdigest()
    except UnicodeDecodeError:
        return sha256(raw).hexdigest()


def prompt_beside(path: Path) -> str:
    words = path.with_suffix(".txt")
    return words.read_text(encoding="utf-8", errors="replace").strip() if words.is_file() else ""
