"""`simulate --plan FILE`: what a plan would do to the images that are stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from moderation import policies
from moderation.models import TriagePlan
from moderation.plans import Plan, PlanError
from moderation.simulation import comparison
from moderation.simulation.history import MOST
from review import backtest


class Command(BaseCommand):
    help = (
        "Compare a plan with the one in force over the newest triaged images: where they would go, what changes band, "
        "reviewer hours, and how often each would be wrong by what people decided. Nothing is stored or published. "
        "Exit status: 0 simulated, 1 the plan cannot be followed, 2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--plan", type=Path, required=True, metavar="FILE", help="the plan's body as JSON")
        parser.add_argument(
            "--last", type=int, default=MOST, metavar="N", help="of the newest images (default: %(default)d)"
        )
        parser.add_argument("--json", action="store_true", help="print all counts as JSON")

    def handle(self, *_args: object, **options: Any) -> None:
        if not 1 <= options["last"] <= MOST:
            raise CommandError(f"--last is a number from 1 to {MOST}", returncode=2)
        plan = read(options["plan"])
        in_force = TriagePlan.objects.in_force()
        found = comparison.compare(policies.parsed(in_force) if in_force else None, plan, last=options["last"])
        people = backtest.backtest(found)
        if options["json"]:
            said = {"against": in_force.number if in_force else None, **comparison.as_json(found)}
            self.stdout.write(json.dumps({**said, "people": backtest.as_json(people)}))
            return
        against = f"plan {in_force.number}" if in_force else "no plan"
        self.stdout.write(f"{found.images} images against {against}; {len(found.moved)} go elsewhere.")
        for action, after in found.actions_after.items():
            self.stdout.write(f"  {action:<10} {found.actions_before[action]:>9} → {after:>9}")
        old, new = people.before, people.after
        self.stdout.write(f"  missed violations, of approved: {told(old.missed)} → {told(new.missed)}")
        self.stdout.write(f"  wrongful, of blocked: {told(old.wrongful)} → {told(new.wrongful)}")
        if people.hours.before is not None:
            self.stdout.write(f"  reviewer hours: {people.hours.before:.1f} → {people.hours.after:.1f}")
        if found.unseen:
            self.stdout.write(f"  on {found.unseen} more, a pinned classifier has nothing stored")


def read(path: Path) -> Plan:
    try:
        body = json.loads(path.read_text())
        plan = Plan.from_body(body, number=0)
        policies.check(plan)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}", returncode=2) from error
    except PlanError as error:
        raise CommandError(str(error), returncode=1) from error
    except (AttributeError, TypeError, ValueError) as error:
        raise CommandError(f"{path} holds no plan's body as JSON: {error}", returncode=2) from error
    return plan


def told(one: backtest.Estimate) -> str:
    if one.value is None:
        return "no labels"
    return f"{100 * one.value:.2f} % ({100 * one.low:.2f}–{100 * one.high:.2f})"
