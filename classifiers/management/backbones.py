"""What `train --kind backbone` is told, and what it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from classifiers import manifests
from classifiers.progress import Watch
from classifiers.retraining import Retraining, retrain_backbone
from classifiers.training import TrainingError


def add_backbone_arguments(parser: CommandParser) -> None:
    group = parser.add_argument_group(
        "backbone", "several devices: torchrun --nproc-per-node N manage.py train --kind backbone …"
    )
    group.add_argument(
        "--images", metavar="ROOT", help="where the manifest's images are: a folder, or storage:NAME for one of Loupe's"
    )
    group.add_argument("--architecture", metavar="NAME", help="as torchvision names it (default: mobilenet_v3_small)")
    group.add_argument(
        "--weights", type=Path, metavar="FILE", help="safetensors or state dict to start from (default: drawn by lot)"
    )
    group.add_argument("--epochs", type=int, help="at most so many (default: 10)")
    group.add_argument(
        "--checkpoints", type=Path, metavar="DIR", help="go on from what a killed training of these labels left here"
    )


def backbone_trained(options: dict[str, Any], table: dict[str, Any], watch: Watch) -> Retraining | None:
    """The version registered; None in all processes of torchrun but the first."""
    from classifiers.finetuning import BackboneRecipe
    from classifiers.images import reader

    if not options.get("images"):
        raise TrainingError("say where the images are: --images ROOT")
    over = ("architecture", "epochs", "seed")
    table |= {name: options[name] for name in over if options.get(name) is not None}
    return retrain_backbone(
        manifests.read(options["manifest"]),
        recipe=BackboneRecipe.parse(table),
        name=options["name"] or "backbone",
        read=reader(options["images"]),
        start=options.get("weights"),
        watch=watch,
        out=options.get("out"),
    )
