"""`evaluate --manifest M --classifier V`: how good a registered version is on labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser

from classifiers import manifests, registry
from classifiers.base import CardError
from classifiers.embeddings import EmbeddingError
from classifiers.evaluation import Metrics, evaluate
from classifiers.heads import Heads
from classifiers.manifests import Manifest, ManifestError
from classifiers.splits import SPLITS


class Command(BaseCommand):
    help = (
        "Measure registered heads on the labels of a manifest, from its stored embeddings. "
        "Exit status: 0 measured, 1 no label of theirs is in that split, 2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--manifest", type=Path, required=True, metavar="M", help="folder that export_labels wrote")
        parser.add_argument("--classifier", required=True, metavar="V", help="name@version of the heads")
        parser.add_argument("--split", choices=SPLITS, default="test", help="which labels (default: test)")
        parser.add_argument("--json", action="store_true", help="print {version, split, metrics} as JSON")

    def handle(self, *_args: object, **options: Any) -> None:
        try:
            row = registry.versions([options["classifier"]])[0]
            manifest = manifests.read(options["manifest"])
            figures = measure(registry.load_heads(row), manifest.split(options["split"]))
        except (CardError, ManifestError, EmbeddingError) as error:
            raise CommandError(str(error), returncode=2) from error
        if not figures:
            raise CommandError(f"no label of {row.ref} is in the split {options['split']}", returncode=1)
        if options["json"]:
            self.stdout.write(json.dumps({"version": row.ref, "split": options["split"], "metrics": figures}))
            return
        for category, one in figures.items():
            shown = (("AUC", one["auc"]), ("AP", one["ap"]), ("ECE", one["ece"]), ("Brier", one["brier"]))
            words = "  ".join(f"{key} {value:.3f}" for key, value in shown if value is not None)
            self.stdout.write(f"{category:<22} n {one['n']:<6} positives {one['positives']:<6} {words}")


def measure(heads: Heads, manifest: Manifest) -> dict[str, Metrics]:
    """Figures a category of ``heads`` that has labels in ``manifest``."""
    if not len(manifest):
        return {}
    probabilities = heads.apply(manifest.vectors())
    label, weight = manifest.column("label").astype(float), manifest.column("weight").astype(float)
    category = manifest.column("category")
    figures = {}
    for k, code in enumerate(heads.categories):
        here = (category == code) & ~np.isnan(label)
        if here.any():
            weights = np.where(np.isnan(weight[here]), 1.0, weight[here])
            figures[code] = evaluate(probabilities[here, k], label[here], weights)
    return figures
