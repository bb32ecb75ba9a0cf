"""`train --manifest M`: fit heads, a prompt model, or a whole network, to labels and register the candidate."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from classifiers import manifests
from classifiers.base import CardError
from classifiers.management.backbones import add_backbone_arguments, backbone_trained
from classifiers.management.bar import Bar
from classifiers.models import ClassifierVersion
from classifiers.progress import Watch
from classifiers.prompt_training import PromptRecipe
from classifiers.prompts import examples
from classifiers.retraining import Retraining, describe, needed, retrain, retrain_prompts
from classifiers.training import Recipe, TrainingError, groups


class Command(BaseCommand):
    help = (
        "Fit heads to a label manifest, or (--kind prompts) a prompt model to labelled prompts, or (--kind backbone) "
        "a whole torchvision network to the manifest's images; calibrate and measure it on labels kept apart, and "
        "register the next version. "
        "Nothing is done when these labels and this recipe were trained before. Nothing changes in triage until a plan "
        "pins the version: adopt it. "
        "Exit status: 0 trained or nothing to do, 1 the labels do not suffice, 2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--kind", choices=("heads", "prompts", "backbone"), default="heads", help="what to train (default: heads)"
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
        add_heads_arguments(parser)
        add_backbone_arguments(parser)
        parser.add_argument("--seed", type=natural, default=None, help="of all that is drawn by lot (default: 0)")
        parser.add_argument(
            "--out", type=Path, metavar="DIR", help="also leave card, safetensors and ONNX in this folder"
        )
        parser.add_argument(
            "--json", action="store_true", help="print {version, skipped, summary, auc, metrics, …} as JSON"
        )

    def handle(self, *_args: object, **options: Any) -> None:
        try:
            with Bar(shown=not options["json"], folder=options.get("checkpoints")) as bar:
                result = trained(options, bar)
        except (manifests.ManifestError, examples.ExampleError, BadRecipe) as error:
            raise CommandError(str(error), returncode=2) from error
        except (CardError, TrainingError) as error:
            raise CommandError(str(error), returncode=1) from error
        if result is None:  # another process of torchrun registers what all of them trained
            return
        if options["json"]:
            self.stdout.write(json.dumps(describe(result)))
            return
        if result.skipped:
            self.stdout.write(f"Nothing changed: {result.version.ref} was trained from these labels with this recipe.")
            return
        self.stdout.write(f"{result.version.ref}: {result.summary()}.")
        for line in lines_of(result.version):
            self.stdout.write(line)


def add_heads_arguments(parser: CommandParser) -> None:
    heads = parser.add_argument_group("heads", "each overrides the recipe")
    heads.add_argument("--mlp", action="store_true", help='heads with a hidden layer (recipe: kind = "mlp")')
    heads.add_argument(
        "--reweigh", action="store_true", help="weigh labels so that group and label are independent (Kamiran-Calders)"
    )
    heads.add_argument(
        "--adversarial",
        type=float,
        nargs="?",
        const=3.0,
        metavar="STRENGTH",
        help="teach against an adversary that reads the group from the score (gradient reversal; default 3)",
    )
    heads.add_argument(
        "--group-column", metavar="COLUMN", help="the declared column that says the group (default: generator)"
    )
    heads.add_argument("--groups", type=Path, metavar="FILE", help="CSV with submission_id and the group column")
    heads.add_argument("--dp", action="store_true", help="differential privacy by DP-SGD; needs loupe[privacy]")
    heads.add_argument("--target-epsilon", type=float, metavar="E", help="the budget for --dp (default: 8)")
    heads.add_argument("--delta", type=float, help="for --dp (default: 1e-5, or a tenth of 1 / pictures)")
    heads.add_argument("--max-grad-norm", type=float, help="for --dp: where each picture's gradient is clipped (1.0)")


class BadRecipe(Exception):
    """The recipe, or what was asked for beside it, cannot be used."""


def natural(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def trained(options: dict[str, Any], watch: Watch) -> Retraining | None:
    """Train what was asked for; None where another process registers it. Raises BadRecipe and what reading and training
    raise."""
    if options["kind"] == "prompts":
        return prompts_trained(options)
    if options["kind"] == "backbone":
        try:
            table = read_table(options["recipe"])
        except TrainingError as error:
            raise BadRecipe(str(error)) from error
        return backbone_trained(options, table, watch)
    try:
        recipe = asked_recipe(options)
        declared = groups.read(options["groups"], recipe.group) if options.get("groups") else None
    except TrainingError as error:
        raise BadRecipe(str(error)) from error
    watch.reach("reading", 0.0)
    return retrain(
        manifests.read(options["manifest"], keep=needed(recipe, declared)),
        recipe=recipe,
        name=options["name"],
        backbone=options["backbone"],
        declared=declared,
        watch=watch,
        out=options.get("out"),
    )


def prompts_trained(options: dict[str, Any]) -> Retraining:
    try:
        recipe = PromptRecipe.read(options["recipe"])
    except TrainingError as error:
        raise BadRecipe(str(error)) from error
    labelled = examples.read(options["manifest"], names=recipe.names)
    return retrain_prompts(
        labelled, recipe=recipe, name=options["name"] or "prompts", encoder=options.get("encoder") or ""
    )


def asked_recipe(options: dict[str, Any]) -> Recipe:
    """The recipe of the file, with what the command line says over it. TrainingError when it cannot be used."""
    table = read_table(options["recipe"])
    if options.get("mlp"):
        table["kind"] = "mlp"
    if options.get("reweigh"):
        table["reweigh"] = True
    if options.get("dp"):
        table["target_epsilon"] = table.get("target_epsilon") or 8.0
    elif options.get("target_epsilon") is not None:
        raise TrainingError("--target-epsilon is the budget of --dp: give both")
    over = {
        "adversarial": "adversarial",
        "group_column": "group",
        "target_epsilon": "target_epsilon",
        "delta": "delta",
        "max_grad_norm": "max_grad_norm",
        "seed": "seed",
    }
    table |= {field: options[name] for name, field in over.items() if options.get(name) is not None}
    recipe = Recipe.parse(table)
    if options.get("dp") and not recipe.private:
        raise TrainingError("--target-epsilon must be above 0")
    return recipe


def read_table(path: Path | str | None) -> dict[str, Any]:
    """The table of a TOML file; TrainingError when it cannot be read."""
    if path is None:
        return {}
    try:
        return tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TrainingError(f"recipe {path} cannot be read: {error}") from error


def read_recipe(path: Path | str | None) -> Recipe:
    """The recipe in a TOML file; TrainingError when it cannot be used."""
    return Recipe.parse(read_table(path))


def lines_of(version: ClassifierVersion) -> Iterator[str]:
    """Figures by category, gaps between groups and what privacy was spent, a line each."""
    for category, row in version.metrics.items():
        figures = " ".join(f"{key} {row[key]:.3f}" for key in ("auc", "ap", "ece") if row.get(key) is not None)
        yield f"  {category:<22} {figures or 'not measured'}"
        for note in row.get("notes", ()):
            yield f"    {note}"
        if (gap := row.get("groups", {}).get("demographic_parity")) is not None:
            yield f"    flagged between groups of {row['groups']['column']}: at most {100 * gap:.1f} points apart"
    if privacy := version.card.get("privacy"):
        yield f"  {privacy['statement']}"
        yield f"  Not covered: {privacy['not_covered']}"
