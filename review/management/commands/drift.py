"""`drift`: what monitoring finds now."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from moderation.models import Level, Reading
from review.monitoring import looking
from review.monitoring.showing import Snapshot, told


class Command(BaseCommand):
    help = (
        "Look now: figures from audits, drift of scores, images and traffic, and overturned decisions; alarms are "
        "raised as by the worker. With --latest, print what the last look found instead. Exit status: 0 nothing is "
        "beyond its act line, 1 something is, 2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--latest", action="store_true", help="read the last look's figures and look at nothing")
        parser.add_argument("--all", action="store_true", help="print also what is as usual")
        parser.add_argument("--json", action="store_true", help="print all figures as JSON")

    def handle(self, *_args: object, **options: Any) -> None:
        if not options["latest"]:
            looking.look()
        snapshot = Snapshot.now()
        acting = [one for one in snapshot.readings if one.level == Level.ACT]
        if options["json"]:
            self.stdout.write(json.dumps(told(snapshot)))
        else:
            shown = [one for one in snapshot.readings if options["all"] or one.level in {Level.ACT, Level.WATCH}]
            self.stdout.write("\n".join([*map(line, shown), *summed(snapshot)]))
        if acting:
            raise CommandError(f"{len(acting)} beyond the act line", returncode=1)


def line(one: Reading) -> str:
    of = " ".join(filter(None, (one.subject, one.key))) or "all"
    value = "–" if one.value is None else f"{one.value:.4g}"
    reach = "" if one.low is None or one.high is None or one.value is None else f" ({one.low:.4g} to {one.high:.4g})"
    return f"{one.level or 'learning':9} {one.measure:10} {of}: {value}{reach}"


def summed(snapshot: Snapshot) -> list[str]:
    if not snapshot.readings:
        return ["nothing was looked at yet"]
    words = {"act": "to act on", "watch": "to watch", "usual": "as usual", "": "still learning"}
    counts = {level: sum(one.level == level for one in snapshot.readings) for level in words}
    return [", ".join(f"{counts[level]} {said}" for level, said in words.items())]
