"""`train --manifest M`: fit heads, or a prompt model, to labels and register the candidate."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from classifiers import manifests
from classifiers.base import CardError
from classifiers.prompt_training import PromptRecipe
from classifiers.prompts import examples
from classifiers.retraining import Retraining, describe, retrain, retrain_prompts
from classifiers.training import Recipe, TrainingError


class Command(BaseCommand):
    help = (
        "Fit heads to a label manifest, or (--kind prompts) a prompt model to labelled prompts, calibrate and measure "
        "it on labels kept apart, and register the next version. "
        "Nothing is done when these labels and this recipe were trained before. Nothing changes in triage until a plan "
        "pins the version: adopt it. "
        "Exit status: 0 trained or nothing to do, 1 the labels do not suffice, 2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--kind", choices=("heads", "prompts"), default="heads", help="what to train (default: heads)"
        )
        parser.add_argument(
            "--manifest",
            type=Path,
            required=True,
            metavar="M",
            help="folder that export_labels wrote; for prompts a CSV or JSONL file with prompt and categories",
        )
        parser.add_argument(
            "--recipe", type=Path, metavar="R", help="TOML file with fields of the recipe (default: its defaults)"
        )
        parser.add_argument(
            "--name", default="", help="name of the version (default: the heads that scored the pictures; prompts)"
        )
        parser.add_argument(
            "--backbone", default="", metavar="VERSION", help="name@version of the backbone (default: the manifest's)"
        )
        parser.add_argument(
            "--encoder",
            default="",
            metavar="FOLDER",
            help="for prompts: folder of a sentence encoder, or hub:owner/name@revision, to learn on (default: TF-IDF)",
        )
        parser.add_argument(
            "--json", action="store_true", help="print {version, skipped, summary, auc, metrics, …} as JSON"
        )

    def handle(self, *_args: object, **options: Any) -> None:
        try:
            result = trained(options)
        except (manifests.ManifestError, examples.ExampleError, BadRecipe) as error:
            raise CommandError(str(error), returncode=2) from error
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


class BadRecipe(Exception):
    """The recipe file cannot be used."""


def trained(options: dict[str, Any]) -> Retraining:
    """Train what was asked for. Raises BadRecipe and what reading and training raise."""
    if options["kind"] == "prompts":
        try:
            recipe = PromptRecipe.read(options["recipe"])
        except TrainingError as error:
            raise BadRecipe(str(error)) from error
        labelled = examples.read(options["manifest"], names=recipe.names)
        return retrain_prompts(
            labelled, recipe=recipe, name=options["name"] or "prompts", encoder=options.get("encoder") or ""
        )
    manifest = manifests.read(options["manifest"])
    try:
        of_heads = read_recipe(options["recipe"])
    except TrainingError as error:
        raise BadRecipe(str(error)) from error
    return retrain(manifest, recipe=of_heads, name=options["name"], backbone=options["backbone"])


def read_recipe(path: Path | str | None) -> Recipe:
    """The recipe in a TOML file; TrainingError when it cannot be used."""
    if path is None:
        return Recipe()
    try:
        return Recipe.parse(tomllib.loads(Path(path).read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TrainingError(f"recipe {path} cannot be read: {error}") from error
