"""`learn_concept NAME`: a concept from example submissions, or from a phrase."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from moderation.actors import Actor
from moderation.taxonomy import Category
from review import concepts


class Command(BaseCommand):
    help = (
        "Learn and measure a concept from example submissions, or from a phrase where the backbone in service knows "
        "words. Nothing is switched on: a policy lead does that on the concept's page. "
        "Exit status: 0 learnt, 1 it cannot be learnt or measured, 2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="short and plain; the same name again makes its next version")
        parser.add_argument("--category", required=True, choices=Category.values, help="what a hit speaks for")
        parser.add_argument("--example", type=UUID, action="append", default=[], metavar="ID", help="a submission")
        parser.add_argument(
            "--counter", type=UUID, action="append", default=[], metavar="ID", help="looks alike, is not"
        )
        parser.add_argument("--phrase", default="", help="in words, where the backbone in service understands them")
        parser.add_argument("--json", action="store_true", help="print {version, threshold, metrics} as JSON")

    def handle(self, *_args: object, **options: Any) -> None:
        draft = concepts.Draft(
            options["name"], options["category"], options["example"], options["counter"], options["phrase"]
        )
        try:
            version = concepts.learn(draft, actor=Actor.command("learn_concept"))
        except concepts.CannotLearn as refusal:
            raise CommandError(str(refusal), returncode=1) from refusal
        threshold = version.card["concept"]["threshold"]
        if options["json"]:
            said = {"version": version.ref, "threshold": threshold, "metrics": version.metrics}
            self.stdout.write(json.dumps(said))
            return
        picked = version.metrics[draft.category]["picked"]
        self.stdout.write(f"{version.ref}, threshold {threshold:.2f}, not in service.")
        for name in ("precision", "recall"):
            if picked.get(name) is not None:
                low, high = picked[f"{name}_interval"]
                self.stdout.write(f"  {name:<10} {picked[name]:.2f} ({low:.2f}–{high:.2f})")
