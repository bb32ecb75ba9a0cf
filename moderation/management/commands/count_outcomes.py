"""`count_outcomes`: what automation sent where, by the hour, from stored submissions."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from moderation.guardrails.backfilling import count_stored


class Command(BaseCommand):
    help = (
        "Count what automation sent where, by hour, plan, client, category and classifier, for the time before triage "
        "kept these counts itself: guardrails need some days of them before they can tell what is usual. Reads every "
        "stored submission once; hours that triage counted are left alone. Running it again counts again. "
        "Exit status: 0 counted, 2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print {rows} as JSON")

    def handle(self, *_args: object, **options: Any) -> None:
        rows = count_stored()
        self.stdout.write(json.dumps({"rows": rows}) if options["json"] else f"{rows} counts kept.")
