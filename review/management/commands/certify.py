"""`certify --category C --risk FOR --alpha A --delta D`: what the audits prove."""

from __future__ import annotations

import json
from collections.abc import Sequence
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
        "not among what scores at least it. Of several categories all that is certified holds at once (Holm). Exit "
        "status: 0 certified, 1 nothing can be certified in one of them, 2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--category",
            required=True,
            action="append",
            metavar="C[,C…]",
            help=f"one, or several at once, by commas or repeated: {', '.join(Category.values)}",
        )
        parser.add_argument("--risk", required=True, choices=("FOR", "FDR"))
        parser.add_argument("--alpha", required=True, type=float, help="the limit, a share: 0.005 is 0.5 %%")
        parser.add_argument("--delta", required=True, type=float, help="the doubt left: 0.05 is 95 %% confidence")
        parser.add_argument("--json", action="store_true", help="print all figures as JSON")
        parser.add_argument("--store", action="store_true", help="keep the certificate with the plan, and watch it")
        parser.add_argument(
            "--fall-back", action="store_true", help="with --store: on alarm people decide in this category"
        )

    def handle(self, *_args: object, **options: Any) -> None:
        codes = categories_in(options["category"])
        try:
            made = certifying.assess_all(codes, risk=options["risk"], alpha=options["alpha"], delta=options["delta"])
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from error
        except Unproven as error:
            raise CommandError(str(error), returncode=1) from error
        if len(codes) == 1:
            for why in made.refused.values():
                raise CommandError(why, returncode=1)
        said = made.as_json()
        if options["store"] and made.certified:
            rows = certifying.keep_all(made, actor=Actor.command("certify"), falls_back=options["fall_back"])
            keys = {row.category: str(row.pk) for row in rows}
            said["certificates"] = [
                {**one, "certificate": keys[one["category"]]} if one["category"] in keys else one
                for one in said["certificates"]
            ]
        if options["json"]:
            self.stdout.write(json.dumps(said if len(codes) > 1 else said["certificates"][0]))
        else:
            lines = [line for one in said["certificates"] for line in told(one)]
            lines += [f"{one['category']}: {one['detail']}" for one in said["refused"]]
            self.stdout.write("\n".join(lines))
        if len(made.certified) < len(codes):
            none = [code for code in codes if code not in {one.category for one in made.certified}]
            named = f" of {', '.join(none)}" if len(codes) > 1 else ""
            raise CommandError(f"Nothing can be certified{named}: all goes to people.", returncode=1)


def categories_in(said: Sequence[str]) -> list[Category]:
    names = [name.strip() for part in said for name in part.split(",") if name.strip()]
    unknown = [name for name in names if name not in Category.values]
    if unknown or not names:
        raise CommandError(f"--category takes categories, not {', '.join(unknown) or 'nothing'}", returncode=2)
    return [Category(name) for name in dict.fromkeys(names)]


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
