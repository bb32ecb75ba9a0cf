"""`verify_audit`: walk the whole audit log and name every row that does not hold."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from moderation import audit
from moderation.models import AuditEvent, AuditRoot


class Command(BaseCommand):
    help = (
        "Recompute every digest of the audit log: each chain from its first row to its head, and every seal over the "
        "chains. Names each row that was altered, removed, added or moved by chain, position and event id. "
        "Exit status: 0 the log holds, 1 it is broken, 2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="print {events, seals, breaks: [{chain, position, event, problem}]}"
        )

    def handle(self, *_args: object, **options: Any) -> None:
        breaks = list(audit.verify())
        events, seals = AuditEvent.objects.count(), AuditRoot.objects.count()
        if options["json"]:
            found = {"events": events, "seals": seals, "breaks": [asdict(one) for one in breaks]}
            self.stdout.write(json.dumps(found))
        else:
            self.stdout.write(f"{events} events in {audit.CHAINS} chains, {seals} seals")
            for one in breaks:
                self.stdout.write(str(one))
        if breaks:
            raise CommandError(f"The audit log is broken in {len(breaks)} place(s).", returncode=1)
        if not options["json"]:
            self.stdout.write("Every row holds.")
