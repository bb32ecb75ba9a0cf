"""`rescore VERSION`: let heads speak on all images whose embedding is stored."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from classifiers import registry
from classifiers.base import CardError
from classifiers.models import ClassifierVersion
from moderation.triage import rescoring


class Command(BaseCommand):
    help = (
        "Write what a heads version says of every image whose embedding is stored and on which it has not spoken: "
        "no image is opened, no route or status changes, images under legal hold are left out. Memory is bounded; a "
        "run that was stopped, in whatever way, is finished by running it again. "
        "Exit status: 0 all written, 1 the version cannot speak on stored embeddings, 2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", metavar="VERSION", help="name@version of the heads, as the learning page lists")
        parser.add_argument("--since", type=moment, metavar="TIME", help="only images received since, as 2026-11-01")
        parser.add_argument(
            "--batch", type=positive, default=rescoring.CHUNK, metavar="N", help="images at once (default: %(default)s)"
        )
        parser.add_argument(
            "--json", action="store_true", help="print {written, unusable, of, seconds, done} as JSON, a line a batch"
        )

    def handle(self, *_args: object, **options: Any) -> None:
        try:
            version = registry.versions([options["version"]])[0]
        except CardError as error:
            raise CommandError(str(error), returncode=2) from error
        try:
            self.rescore(version, since=options["since"], chunk=options["batch"], as_json=options["json"])
        except rescoring.CannotRescore as error:
            raise CommandError(str(error), returncode=1) from error
        except KeyboardInterrupt as interrupt:
            raise CommandError("Stopped; what is written stays. Run it again to go on.", returncode=1) from interrupt

    def rescore(self, version: ClassifierVersion, *, since: datetime | None, chunk: int, as_json: bool) -> None:
        began, total, last = time.monotonic(), rescoring.waiting(version, since=since), None
        columns = (TextColumn(version.ref), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(stderr=True)
        with Progress(*columns, console=console, transient=True, disable=as_json or not console.is_terminal) as bar:
            task = bar.add_task("", total=total)
            for last in rescoring.rescore(version, since=since, chunk=chunk):
                bar.update(task, completed=last.written + last.unusable)
                if as_json:
                    self.say(last, total, began, done=False)
        end = last or rescoring.Progress(0, 0)
        if as_json:
            self.say(end, total, began, done=True)
        else:
            unusable = f"; {end.unusable} embeddings yield no number" if end.unusable else ""
            self.stdout.write(f"{version.ref} has spoken on {end.written} images more{unusable}.")

    def say(self, progress: rescoring.Progress, total: int, began: float, *, done: bool) -> None:
        said = {"written": progress.written, "unusable": progress.unusable, "of": total}
        self.stdout.write(json.dumps({**said, "seconds": round(time.monotonic() - began, 3), "done": done}))
        self.stdout.flush()


def moment(text: str) -> datetime:
    """ISO 8601; without a zone it is UTC."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def positive(text: str) -> int:
    number = int(text)
    if number <= 0:
        raise ValueError
    return number
