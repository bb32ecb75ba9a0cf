"""`simulate --plan FILE`: what a plan would do to the images that are stored, or to those of a labelled data set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from moderation import policies
from moderation.models import TriagePlan
from moderation.plans import Plan, PlanError
from moderation.simulation import comparison
from moderation.simulation.comparison import Comparison
from moderation.simulation.history import MOST
from review import backtest, yardstick
from review.models import Dataset
from review.yardstick import Measured, UnfitYardstick


class Command(BaseCommand):
    help = (
        "Compare a plan with the one in force over the newest triaged images, or those of a labelled data set: where "
        "they would go, what changes band, reviewer hours, and how often each would be wrong by what people decided or "
        "by the labels of the set. Nothing is stored or published. "
        "Exit status: 0 simulated, 1 the plan cannot be followed, 2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--plan", type=Path, required=True, metavar="FILE", help="the plan's body as JSON")
        parser.add_argument(
            "--last", type=int, default=MOST, metavar="N", help="of the newest images (default: %(default)d)"
        )
        parser.add_argument(
            "--dataset", metavar="FINGERPRINT", help="in place of the newest, the images of this data set (or its id)"
        )
        parser.add_argument(
            "--split", choices=yardstick.SPLITS, default="", help="with --dataset: only this part of it"
        )
        parser.add_argument("--json", action="store_true", help="print all counts as JSON")

    def handle(self, *_args: object, **options: Any) -> None:
        if not 1 <= options["last"] <= MOST:
            raise CommandError(f"--last is a number from 1 to {MOST}", returncode=2)
        if options["split"] and not options["dataset"]:
            raise CommandError("--split is a part of a --dataset", returncode=2)
        plan = read(options["plan"])
        in_force = TriagePlan.objects.in_force()
        current = policies.parsed(in_force) if in_force else None
        if options["dataset"]:
            found, labelled = by_dataset(options["dataset"], options["split"], current, plan)
            said, lines = {"labelled": yardstick.as_json(labelled)}, labelled_lines(labelled)
        else:
            found = comparison.compare(current, plan, last=options["last"])
            people = backtest.backtest(found)
            said, lines = {"people": backtest.as_json(people)}, people_lines(people)
        number = in_force.number if in_force else None
        if options["json"]:
            self.stdout.write(json.dumps({"against": number, **comparison.as_json(found), **said}))
            return
        against = "no plan" if number is None else f"plan {number}"
        self.stdout.write(f"{found.images} images against {against}; {len(found.moved)} go elsewhere.")
        for action, after in found.actions_after.items():
            self.stdout.write(f"  {action:<10} {found.actions_before[action]:>9} → {after:>9}")
        for line in lines:
            self.stdout.write(f"  {line}")
        if found.unseen:
            self.stdout.write(f"  on {found.unseen} more, a pinned classifier has nothing stored")


def by_dataset(name: str, split: str, current: Plan | None, plan: Plan) -> tuple[Comparison, Measured]:
    try:
        return yardstick.measured(yardstick.named(name), current, plan, split=split)
    except Dataset.DoesNotExist as error:
        raise CommandError(f"there is no data set {name}", returncode=2) from error
    except UnfitYardstick as error:
        raise CommandError(str(error), returncode=1) from error


def people_lines(people: backtest.Backtest) -> list[str]:
    lines = error_lines(people.before, people.after)
    if people.hours.before is not None:
        lines.append(f"reviewer hours: {people.hours.before:.1f} → {people.hours.after:.1f}")
    return lines


def labelled_lines(labelled: Measured) -> list[str]:
    lines = error_lines(labelled.before, labelled.after)
    for one in labelled.categories:
        lines += [
            f"{one.category}, {one.labels} labels:",
            *(f"  {line}" for line in error_lines(one.before, one.after)),
        ]
    if labelled.absent:
        lines.append(f"{labelled.absent} images of the set are not stored here")
    return lines + [f"{ref} learnt from this data set: judge it by --split test" for ref in labelled.learnt]


def error_lines(old: backtest.Errors, new: backtest.Errors) -> list[str]:
    return [
        f"missed violations, of approved: {told(old.missed)} → {told(new.missed)}",
        f"wrongful, of blocked: {told(old.wrongful)} → {told(new.wrongful)}",
        f"precision, of blocked: {told(old.precision)} → {told(new.precision)}",
        f"recall, violations not approved: {told(old.recall)} → {told(new.recall)}",
    ]


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
