"""`triage`: the batch worker without Celery, for one pass or for as long as it is left to run."""

from __future__ import annotations

import json
import sys
import threading
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandParser

from moderation.triage import Report, work_off

PAUSE_SECONDS: Final = 1.0


class Command(BaseCommand):
    help = (
        "Triage what waits, batch by batch, as the Celery worker does; both may run at the same time. With --once, "
        "stop when nothing waits any more; without it, look again every second until interrupted. "
        "Exit status: 0 done, 2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="work off what waits now, then stop")
        parser.add_argument(
            "--json", action="store_true", help="print {claimed, settled, put_back, routes} as JSON, a line a pass"
        )

    def handle(self, *_args: object, **options: Any) -> None:
        interrupted = threading.Event()
        try:
            while True:
                report = work_off(rounds=sys.maxsize)
                if report.claimed or options["once"]:
                    self.show(report, as_json=options["json"])
                if options["once"] or interrupted.wait(PAUSE_SECONDS):
                    return
        except KeyboardInterrupt:
            self.stderr.write("Stopped.")

    def show(self, report: Report, *, as_json: bool) -> None:
        if as_json:
            said = {
                "claimed": report.claimed,
                "settled": report.settled,
                "put_back": report.put_back,
                "routes": dict(report.routes),
            }
            self.stdout.write(json.dumps(said))
            return
        routes = ", ".join(f"{action} {count}" for action, count in sorted(report.routes.items())) or "none"
        again = f"; {report.put_back} to be tried again" if report.put_back else ""
        self.stdout.write(f"{report.settled} of {report.claimed} images routed: {routes}{again}")
