"""`adopt VERSION`: publish a plan that pins a classifier version."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from moderation import shadows
from moderation.actors import Actor
from moderation.admission import Past
from moderation.adoption import AlreadyPinned, UnknownVersion, adopt
from moderation.models import TriagePlan
from moderation.policies import Outdated
from moderation.routing import PlanError


class Command(BaseCommand):
    help = (
        "Publish a plan that pins this classifier version in place of the one it succeeds, with all cuts as they are. "
        "A category new to the plan sends every image to a person until a policy lead sets its cuts. The version "
        "before stays registered: roll back on the plan page, or adopt it again. "
        "With --shadow it only looks on: its findings are stored, its classifier page compares routes. "
        "Where the plan in force sets gates, the version must pass them, unless it was in service before; --past-gates "
        "goes past closed ones for the reason that --note gives, on the record and on the plan. "
        "Exit status: 0 pinned (also when it was already), 1 a gate is closed or the plan cannot be published, "
        "2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", metavar="VERSION", help="name@version, as the learning page lists it")
        parser.add_argument(
            "--shadow", action="store_true", help="let it look on beside those in service; it routes nothing"
        )
        parser.add_argument("--past-gates", action="store_true", help="although gates of the plan in force are closed")
        parser.add_argument("--note", default="", help="why; kept with the plan and in the audit log")
        parser.add_argument("--json", action="store_true", help="print {plan, classifiers, shadows, changed} as JSON")

    def handle(self, *_args: object, **options: Any) -> None:
        actor, note = Actor.command("adopt"), options["note"].strip()
        if options["past_gates"] and not note:
            raise CommandError("--past-gates needs --note: say why closed gates are gone past.", returncode=2)
        try:
            if options["shadow"]:
                plan = shadows.start(options["version"], actor=actor, note=note)
            else:
                past = Past(note, str(actor)) if options["past_gates"] else None
                plan = adopt(options["version"], actor=actor, note=note, past=past)
            changed = True
        except (AlreadyPinned, shadows.AlreadyInShadow) as error:
            if options["shadow"] and isinstance(error, AlreadyPinned):
                raise CommandError(str(error), returncode=1) from error
            in_force = TriagePlan.objects.in_force()
            assert in_force is not None
            plan, changed = in_force, False
        except UnknownVersion as error:
            raise CommandError(f"{error} Add it with add_classifier.", returncode=2) from error
        except (PlanError, Outdated) as error:  # a closed gate is a PlanError, too
            raise CommandError(str(error), returncode=1) from error
        if options["json"]:
            said = {"plan": plan.number, "classifiers": plan.body["classifiers"], "shadows": shadows.standing(plan)}
            self.stdout.write(json.dumps({**said, "changed": changed}))
        elif options["shadow"]:
            self.stdout.write(f"Plan {plan.number}: in the shadow {', '.join(shadows.standing(plan))}.")
        else:
            verb = "now pins" if changed else "already pins"
            self.stdout.write(f"Plan {plan.number} {verb} {', '.join(plan.body['classifiers'])}.")
