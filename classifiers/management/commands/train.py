"""`train --manifest M`: fit heads to labels and register the candidate."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from classifiers import manifests
from classifiers.base import CardError
from classifiers.retraining import describe, retrain
from classifiers.training import Recipe, TrainingError


class Command(BaseCommand):
    help = (
        "Fit heads to a label manifest, calibrate and measure them on labels kept apart, and register the next "
        "version. "
        "Nothing is done when these labels and this recipe were trained before. Nothing changes in triage until a plan "
        "pins the version: adopt it. "
        "Exit status: 0 trained or nothing to do, 1 the labels do not suffice, 2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--manifest", type=Path, required=True, metavar="M", help="folder that export_labels wrote")
        parser.add_argument(
            "--recipe", type=Path, metavar="R", help="TOML file with fields of the recipe (default: its defaults)"
        )
        parser.add_argument("--name", default="", help="name of the heads (default: those that scored the pictures)")
        parser.add_argument(
            "--backbone", default="", metavar="VERSION", help="name@version of the backbone (default: the manifest's)"
        )
        parser.add_argument(
            "--json", action="store_true", help="print {version, skipped, summary, auc, metrics, …} as JSON"
        )

    def handle(self, *_args: object, **options: Any) -> None:
        try:
            manifest = manifests.read(options["manifest"])
            recipe = read_recipe(options["recipe"])
        except (manifests.ManifestError, TrainingError) as error:
            raise CommandError(str(error), returncode=2) from error
        try:
            result = retrain(manifest, recipe=recipe, name=options["name"], backbone=options["backbone"])
        except (CardError, TrainingError) as error:
            raise CommandError(str(error), returncode=1) from error
        if options["json"]:
            self.stdout.write(json.dumps(describe(result)))
            return
        if result.skipped:
            self.stdout.write(f"Nothing changed: {result.version.ref} was trained from these labels with this recipe.")
            return
        self.stdout.write(f"{result.version.ref}: {result.summary()}.")
        for category, row in result.version.metrics.items():
            figures = " ".join(f"{key} {row[key]:.3f}" for key in ("auc", "ap", "ece") if row.get(key) is not None)
            self.stdout.write(f"  {category:<22} {figures or 'not measured'}")
            for note in row.get("notes", ()):
                self.stdout.write(f"    {note}")


def read_recipe(path: Path | str | None) -> Recipe:
    """The recipe in a TOML file; TrainingError when it cannot be used."""
    if path is None:
        return Recipe()
    try:
        return Recipe.parse(tomllib.loads(Path(path).read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TrainingError(f"recipe {path} cannot be read: {error}") from error
