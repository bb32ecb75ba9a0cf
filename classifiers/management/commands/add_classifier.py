"""`add_classifier CARD.toml`: check a card and its weights, and register the version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from classifiers import registry
from classifiers.base import CardError


class Command(BaseCommand):
    help = (
        "Check a classifier card and the weights beside it, copy the weights into the store and register the version. "
        "Adding the same card again changes nothing. A plan must pin the version before it scores anything: adopt it. "
        "Exit status: 0 registered, 1 the card or its weights are refused, 2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("card", type=Path, metavar="CARD.toml", help="path of the card")
        parser.add_argument("--json", action="store_true", help="print {version, kind, categories, …} as JSON")

    def handle(self, *_args: object, **options: Any) -> None:
        if not options["card"].is_file():
            raise CommandError(f"there is no file {options['card']}", returncode=2)
        try:
            row = registry.register(options["card"])
        except CardError as error:
            raise CommandError(str(error), returncode=1) from error
        said = {
            "version": row.ref,
            "kind": row.kind,
            "sha256": row.sha256,
            "categories": row.categories,
            "embedding_size": row.embedding_size,
        }
        if options["json"]:
            self.stdout.write(json.dumps(said))
        else:
            scores = ", ".join(row.categories) or "no category of its own"
            self.stdout.write(f"{row.ref} is registered; it scores {scores}.")
