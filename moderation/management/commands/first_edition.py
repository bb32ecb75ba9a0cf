"""`first_edition`: a new house gets its first guidelines and, when a classifier is named, its first plan."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from moderation.actors import Actor
from moderation.first_edition import publish_guidelines, publish_plan_one, register_signals
from moderation.policies import Outdated
from moderation.routing import PlanError


class Command(BaseCommand):
    help = (
        "Publish the first guideline of every category that has none and, with --classifier, plan 1, which pins "
        "the signals that come with the house as well (known images and their like). What is published "
        "already is left as it is. Exit status: 0 done, 1 the plan cannot be published, 2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--classifier",
            action="append",
            default=[],
            metavar="VERSION",
            help="name@version for plan 1 to pin beside the signals of the house; may be given several times",
        )
        parser.add_argument(
            "--audit-rate",
            type=float,
            default=0.05,
            metavar="SHARE",
            help="share of images decided by machine that a person checks as well (default: 0.05)",
        )

    def handle(self, *_args: object, **options: Any) -> None:
        actor = Actor.command("first_edition")
        published = publish_guidelines(actor=actor)
        self.stdout.write(f"{len(published)} guidelines published.")
        if not options["classifier"]:
            return
        try:
            refs = dict.fromkeys([*options["classifier"], *register_signals()])
            plan = publish_plan_one(list(refs), actor=actor, audit_rate=options["audit_rate"])
        except (PlanError, Outdated) as error:
            raise CommandError(str(error), returncode=1) from error
        self.stdout.write(f"Plan {plan.number} is in force and pins {', '.join(plan.body['classifiers'])}.")
