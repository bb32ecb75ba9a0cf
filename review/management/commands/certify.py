"""`certify --category C --risk FOR --alpha A --delta D`: what the audits prove."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from moderation.actors import Actor
from moderation.guarantees import Unproven
from moderation.taxonomy import Category
from review import certifying


class Command(BaseCommand):
    help = (
        "Find the loosest threshold of a category whose risk the audits of the plan in force keep under a limit, with "
        "confidence: FOR, the share that violates among what scores at most the threshold; FDR, the share that does "
        "not among what scores at least it. Exit status: 0 certified, 1 nothing can be certified, 2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--category", required=True, choices=Category.values)
        parser.add_argument("--risk", required=True, choices=("FOR", "FDR"))
        parser.add_argument("--alpha", required=True, type=float, help="the limit, a share: 0.005 is 0.5 %%")
        parser.add_argument("--delta", required=True, type=float, help="the doubt left: 0.05 is 95 %% confidence")
        parser.add_argument("--json", action="store_true", help="print all figures as JSON")
        parser.add_argument("--store", action="store_true", help="keep the certificate with the plan, and watch it")
        parser.add_argument(
            "--fall-back", action="store_true", help="with --store: on alarm people decide in this category"
        )

    def handle(self, *_args: object, **options: Any) -> None:
        try:
            made = certifying.assess(
                Category(options["category"]), risk=options["risk"], alpha=options["alpha"], delta=options["delta"]
            )
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from error
        except Unproven as error:
            raise CommandError(str(error), returncode=1) from error
        said = made.as_json()
        if options["store"] and made.found.threshold is not None:
            row = certifying.keep(made, actor=Actor.command("certify"), falls_back=options["fall_back"])
            said["certificate"] = str(row.pk)
        self.stdout.write(json.dumps(said) if options["json"] else "\n".join(told(said)))
        if made.found.threshold is None:
            raise CommandError("Nothing can be certified: all goes to people.", returncode=1)


def told(said: dict[str, Any]) -> list[str]:
    need = said["needed"]
    side = "score <=" if said["risk"] == "FOR" else "score >="
    lines = [f"{said['category']} {said['risk']} <= {said['alpha']:g}, confidence {1 - said['delta']:g}"]
    if said["threshold"] is not None:
        lines.append(f"certified: {side} {said['threshold']:.6g}, {said['share']:.1%} of the traffic")
    lines.append(
        f"n = {said['n']}, k = {said['k']}, p = {said['p_value']:.3g} ({said['method']}), audits {said['audits']}"
    )
    if said["corrected"]:
        low, high = said["corrected"]["low"], said["corrected"]["high"]
        lines.append(f"wrong {said['raw']['share']:.3%}; corrected for readers {low:.3%} to {high:.3%}")
    if need["audits"] is None:
        lines.append("no number of audits certifies the plan's cut at the rate seen")
    elif need["audits"]:
        hours = "" if need["hours"] is None else f", {need['hours']:.1f} reviewer hours"
        lines.append(f"the plan's cut needs about {need['audits']} more audits{hours}")
    if "certificate" in said:
        lines.append(f"stored as {said['certificate']}")
    return lines
