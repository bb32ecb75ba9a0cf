"""`fairness_report --classifier V --manifest M`: what a version does to each declared group."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from classifiers import manifests, registry
from classifiers.base import CardError
from classifiers.embeddings import EmbeddingError
from classifiers.fairness import RATES, Report
from classifiers.manifests import Manifest, ManifestError
from classifiers.splits import SPLITS
from moderation.models import TriagePlan
from review.evaluations import labelled, measuring
from review.evaluations.declaring import GROUPS, UnknownAttribute, checked
from review.evaluations.labelled import Labelled, NothingToMeasure

COLUMNS: Final = ("category", "by", "group", "rate", "value", "low", "high", "n")


class Command(BaseCommand):
    help = (
        "Per group that integrators declared (never inferred): selection rate, TPR, FPR, FNR, FDR, FOR, overturn rate "
        "with 95 % intervals and n, calibration error; the gaps between groups, intersections and the worst subgroup. "
        "Exit status: 0 told, 1 no label of theirs is there, 2 bad use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--classifier", required=True, metavar="V", help="name@version")
        parser.add_argument("--manifest", type=Path, metavar="M", help="folder of a data set")
        parser.add_argument("--gold", action="store_true", help="on the gold items, in place of a manifest")
        parser.add_argument("--split", choices=SPLITS, default="test", help="which labels (default: test)")
        parser.add_argument("--since", metavar="DATE", help="only of labels decided at or after this (ISO 8601)")
        parser.add_argument(
            "--group-by", default=",".join(GROUPS), metavar="A,B", help=f"default: {','.join(GROUPS)}; or context.KEY"
        )
        parser.add_argument("--csv", action="store_true", help="one line a group and rate")
        parser.add_argument("--json", action="store_true", help="all of it")

    def handle(self, *_args: object, **options: Any) -> None:
        if (options["manifest"] is None) == (not options["gold"]):
            raise CommandError("name a --manifest, or --gold", returncode=2)
        try:
            version = registry.versions([options["classifier"]])[0]
            manifest = None if options["gold"] else manifests.read(options["manifest"])
            rows = self.rows(manifest, version.categories, options)
            terms = measuring.Terms(by=checked(options["group_by"].split(",")), plan=TriagePlan.objects.in_force())
            found, left = measuring.fairness_of(version, rows, terms=terms, at_hand=manifest)
        except (CardError, ManifestError, EmbeddingError, UnknownAttribute, ValueError) as error:
            raise CommandError(str(error), returncode=2) from error
        except NothingToMeasure as nothing:
            raise CommandError(str(nothing), returncode=1) from nothing
        if options["json"]:
            said = {"version": version.ref, "plan": terms.plan.number if terms.plan else None, "left_out": asdict(left)}
            self.stdout.write(json.dumps({**said, "categories": found}))
        elif options["csv"]:
            table = io.StringIO(newline="")
            writer = csv.writer(table, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(rates_of(found))
            self.stdout.write(table.getvalue(), ending="")
        else:
            self.stdout.writelines(f"{line}\n" for code, one in found.items() for line in lines(code, one))

    @staticmethod
    def rows(manifest: Manifest | None, categories: Sequence[str], options: Mapping[str, Any]) -> Labelled:
        if manifest is None:
            return labelled.of_gold(categories)
        since = datetime.fromisoformat(options["since"]) if options["since"] else None
        if since and not since.tzinfo:
            since = since.replace(tzinfo=UTC)
        return labelled.of_manifest(manifest, options["split"], since=since)


def rates_of(found: Mapping[str, Report]) -> Iterator[list[Any]]:
    for code, one in found.items():
        for attribute in [*one["attributes"], *one["intersections"]]:
            for group in attribute["groups"]:
                for name in RATES:
                    rate = group["rates"][name]
                    said = [rate[part] for part in ("value", "low", "high", "n")]
                    yield [code, attribute["by"], group["value"], name, *said]


def lines(code: str, one: Report) -> Iterator[str]:
    yield f"{code}: {one['n']} labels, {one['positives']} violating, flagged from {one['cut']:g}"
    for attribute in [*one["attributes"], *one["intersections"]]:
        yield f"  by {attribute['by']}"
        for group in attribute["groups"]:
            rates = "  ".join(f"{name} {shown(group['rates'][name])}" for name in ("selection_rate", "tpr", "fpr"))
            mark = "  outside four fifths" if group["flagged"] else ""
            yield f"    {group['value'][:28]:<28} n {group['n']:<6} {rates}{mark}"
        if attribute["few"]:
            yield f"    too few labels: {', '.join(attribute['few'])}"
        gaps = "  ".join(f"{name} {shown(gap)}" for name, gap in attribute["gaps"].items())
        yield f"    gaps: {gaps}"
    for worst in one["worst"]:
        yield f"  worst {worst['rate']}: {worst['value']} ({worst['by']}) {shown(worst['found'])}"


def shown(figure: Mapping[str, Any]) -> str:
    if figure["value"] is None:
        return "–"
    limits = "" if figure["low"] is None else f" ({figure['low']:.2f} to {figure['high']:.2f})"
    return f"{figure['value']:.3f}{limits}"
