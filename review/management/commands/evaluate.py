"""`evaluate --manifest M --classifier V`: how good a registered version is on labels, alone or against another."""

from __future__ import annotations

import json
from collections.abc import Mapping
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
from classifiers.models import ClassifierVersion
from classifiers.splits import SPLITS
from moderation.actors import Actor
from moderation.models import TriagePlan
from review.evaluations import labelled, measuring, orders
from review.evaluations.declaring import UnknownAttribute, checked
from review.evaluations.labelled import NothingToMeasure
from review.models import Dataset, Sample


class Command(BaseCommand):
    help = (
        "Measure registered heads on the labels of a manifest, from its stored embeddings. With --against, --gold or "
        "--slices: reviewer load at equal certified FOR, slices, fairness, all with intervals, for two versions on the "
        "same labels; no image is opened. Exit status: 0 measured, 1 no label of theirs is there, 2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--manifest", type=Path, metavar="M", help="folder that export_labels wrote")
        parser.add_argument("--classifier", required=True, metavar="V", help="name@version of the heads")
        parser.add_argument("--split", choices=SPLITS, default="test", help="which labels (default: test)")
        parser.add_argument("--against", metavar="V", help="another version, or “service”: the one it would replace")
        parser.add_argument("--gold", action="store_true", help="on the gold items, in place of a manifest")
        parser.add_argument("--slices", metavar="A,B", help=f"attributes (default: {','.join(measuring.BY)})")
        parser.add_argument("--alpha", type=float, default=measuring.ALPHA, help="FOR of equal risk (default: 0.01)")
        parser.add_argument("--delta", type=float, default=measuring.DELTA, help="the doubt left (default: 0.05)")
        parser.add_argument("--store", action="store_true", help="keep the evaluation; the data set must be registered")
        parser.add_argument(
            "--json", action="store_true", help="print {version, split, metrics} or all figures as JSON"
        )

    def handle(self, *_args: object, **options: Any) -> None:
        if (options["manifest"] is None) == (not options["gold"]):
            raise CommandError("name a --manifest, or --gold", returncode=2)
        if not (0 < options["alpha"] < 1 and 0 < options["delta"] < 1):
            raise CommandError("--alpha and --delta lie between 0 and 1", returncode=2)
        whole = options["against"] or options["gold"] or options["slices"] or options["store"]
        try:
            row = registry.versions([options["classifier"]])[0]
            if whole:
                self.compare(row, options)
            else:
                self.measure(row, options)
        except (CardError, ManifestError, EmbeddingError, UnknownAttribute) as error:
            raise CommandError(str(error), returncode=2) from error
        except NothingToMeasure as nothing:
            raise CommandError(str(nothing), returncode=1) from nothing

    def measure(self, row: ClassifierVersion, options: Mapping[str, Any]) -> None:
        manifest = manifests.read(options["manifest"])
        figures = measure(registry.load_heads(row), manifest.split(options["split"]))
        if not figures:
            raise CommandError(f"no label of {row.ref} is in the split {options['split']}", returncode=1)
        if options["json"]:
            self.stdout.write(json.dumps({"version": row.ref, "split": options["split"], "metrics": figures}))
            return
        for category, one in figures.items():
            shown = (("AUC", one["auc"]), ("AP", one["ap"]), ("ECE", one["ece"]), ("Brier", one["brier"]))
            words = "  ".join(f"{key} {value:.3f}" for key, value in shown if value is not None)
            self.stdout.write(f"{category:<22} n {one['n']:<6} positives {one['positives']:<6} {words}")

    def compare(self, row: ClassifierVersion, options: Mapping[str, Any]) -> None:
        against = self.against(row, options["against"])
        by = checked(options["slices"].split(",")) if options["slices"] else measuring.BY
        plan = TriagePlan.objects.in_force()
        terms = measuring.Terms(alpha=options["alpha"], delta=options["delta"], by=by, plan=plan)
        manifest = None if options["gold"] else manifests.read(options["manifest"])
        split = Sample.GOLD.value if manifest is None else options["split"]
        rows = labelled.of_gold(row.categories) if manifest is None else labelled.of_manifest(manifest, split)
        figures = measuring.measure(row, against, rows, terms=terms, at_hand=manifest)
        if options["store"]:
            self.store(row, against, figures, split=split, fingerprint=manifest.fingerprint if manifest else "")
        if options["json"]:
            self.stdout.write(json.dumps({"split": split, **figures}))
        else:
            self.stdout.writelines(line + "\n" for line in lines(figures))

    @staticmethod
    def against(row: ClassifierVersion, named: str | None) -> ClassifierVersion | None:
        if not named:
            return None
        found = orders.counterpart(row) if named == "service" else registry.versions([named])[0]
        if found is None:
            raise CommandError(f"nothing in service would make way for {row.ref}", returncode=2)
        if found == row:
            raise CommandError("a version cannot be held against itself", returncode=2)
        return found

    @staticmethod
    def store(
        row: ClassifierVersion,
        against: ClassifierVersion | None,
        figures: dict[str, Any],
        *,
        split: str,
        fingerprint: str,
    ) -> None:
        dataset = Dataset.objects.filter(fingerprint=fingerprint).first()
        if fingerprint and dataset is None:
            raise CommandError(f"the data set {fingerprint[:12]} is not registered here", returncode=2)
        orders.keep(figures, row, against, dataset=dataset, split=split, actor=Actor.command("evaluate"))


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


def lines(figures: Mapping[str, Any]) -> list[str]:
    """A few lines a category, for the terminal."""
    against = f" against {figures['incumbent']}" if figures["incumbent"] else ""
    said = [f"{figures['candidate']}{against}: {figures['images']} images"]
    left = {name: n for name, n in figures["left_out"].items() if n}
    if left:
        said.append(f"left out: {', '.join(f'{name} {n}' for name, n in left.items())}")
    for code, one in figures["categories"].items():
        found = one["compared"]
        said.append(f"{code}  n {found['n']}  violating {found['positives']}  clusters {found['clusters']}")
        for name in ("auc", "ap", "log_loss", "ece"):
            sides = "  ".join(f"{side} {shown(values[name])}" for side, values in found["sides"].items())
            less = found["differences"].get(name)
            said.append(f"  {name:<9} {sides}" + (f"  difference {shown(less)} {less['verdict']}" if less else ""))
        said.append("  load at certified FOR  " + "  ".join(load(side, part) for side, part in one["load"].items()))
    return said


def shown(figure: Mapping[str, Any]) -> str:
    if figure["value"] is None:
        return "–"
    limits = "" if figure["low"] is None else f" ({figure['low']:.3f} to {figure['high']:.3f})"
    return f"{figure['value']:.3f}{limits}"


def load(side: str, part: Mapping[str, Any]) -> str:
    if part["certificate"]["threshold"] is None:
        return f"{side} 100 % (cannot certify)"
    return f"{side} {100 * part['load']:.1f} %"
