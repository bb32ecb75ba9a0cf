"""`select_learning --budget N --strategy S`: ask people about images that heads learn most from."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from moderation.actors import Actor
from moderation.taxonomy import Category
from review.models import Selection, SelectionItem, SelectionOutcome, Strategy
from review.selection import choosing, drawing


class Command(BaseCommand):
    help = (
        "Open review requests (reason: learning) for images that nobody has judged, chosen by what is stored of them, "
        "and print their submission ids, one a line. The draw is on record with who asked, its seed and the versions "
        "it went by; its answers are labels, and no sample: no estimate counts them. What a request says to who "
        "answers it tells nothing of this. "
        "Exit status: 0 people are asked about at least one image, 1 nothing was there to choose, 2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--budget", type=int, required=True, metavar="N", help="how many images")
        parser.add_argument(
            "--strategy",
            choices=Strategy.values,
            default=Strategy.MIX.value,
            help="uncertainty: nearest to one half; disagreement: between versions in service, in the shadow and "
            "before; diversity: unlike what was judged; generators: those seldom judged; random; mix (default): as "
            "set on the selection page",
        )
        parser.add_argument(
            "--backbone", default="", metavar="NAME@VERSION", help="whose embeddings; default: of the plan in force"
        )
        parser.add_argument("--category", choices=Category.values, default="", help="go by this category only")
        parser.add_argument(
            "--waiting", action="store_true", help="choose among images that wait for a person already, too"
        )
        parser.add_argument("--seed", type=int, help="the same seed, images and versions draw the same; default: new")
        parser.add_argument("--json", action="store_true", help="print the draw as JSON")

    def handle(self, *_args: object, **options: Any) -> None:
        if options["seed"] is not None and not 0 <= options["seed"] < drawing.SEEDS:
            raise CommandError("A seed is a whole number from 0 to 2^63 - 1.", returncode=2)
        try:
            row = drawing.ask(
                options["strategy"],
                options["budget"],
                actor=Actor.command("select_learning"),
                mix=choosing.in_force().mix,
                backbone=options["backbone"],
                category=options["category"],
                waiting=options["waiting"],
                seed=options["seed"],
            )
        except drawing.UnfitSelection as error:
            raise CommandError(str(error), returncode=2) from error
        outcome = drawing.draw(row.pk)
        items = list(row.items.order_by("place"))
        if options["json"]:
            self.stdout.write(json.dumps(told(row, outcome, items)))
        else:
            for item in items:
                self.stdout.write(str(item.submission_id))
            for note in outcome.notes:
                self.stderr.write(note)
        if not items:
            raise CommandError("Nobody is asked: there was nothing to choose.", returncode=1)


def told(row: Selection, outcome: SelectionOutcome, items: list[SelectionItem]) -> dict[str, Any]:
    return {
        "selection": str(row.pk),
        "strategy": row.strategy,
        "mix": row.mix,
        "budget": row.budget,
        "seed": row.seed,
        "backbone": outcome.backbone,
        "versions": outcome.versions,
        "candidates": outcome.candidates,
        "opened": outcome.opened,
        "notes": outcome.notes,
        "submissions": [str(one.submission_id) for one in items],
        "items": [
            {
                "submission": str(one.submission_id),
                "request": str(one.request_id),
                "strategy": one.strategy,
                "score": one.score,
                "probability": one.probability,
            }
            for one in items
        ],
    }
