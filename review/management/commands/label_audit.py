"""`label_audit --manifest DIR | --dataset FINGERPRINT`: which labels are likely wrong."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import BaseCommand, CommandError

from moderation.actors import Actor
from review.label_audits import asking, running, telling
from review.models import Dataset, LabelAudit

if TYPE_CHECKING:
    from classifiers.label_audits.auditing import Audit

SHOWN: Final = 20


class Command(BaseCommand):
    help = (
        "Find labels that are likely wrong, by confident learning on out-of-fold probabilities of heads fitted to the "
        "manifest's embeddings and by nearest neighbours, and near-duplicates that lie in two splits or contradict "
        "each other. An audit of a registered data set is kept, and listed on the label audits page. "
        "Exit status: 0 audited, 1 nothing there can be audited, 2 bad use."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--manifest", type=Path, metavar="DIR", help="folder of a label manifest")
        which.add_argument("--dataset", metavar="FINGERPRINT", help="a registered data set, by the first digits of it")
        parser.add_argument(
            "--classifier", default="", metavar="NAME@VERSION", help="go by these heads; default: fitted for the audit"
        )
        parser.add_argument(
            "--top", type=int, default=SHOWN, metavar="N", help="suspects to print (default %(default)s)"
        )
        parser.add_argument(
            "--send", type=int, default=0, metavar="N", help="ask somebody else about the N most suspect images"
        )
        parser.add_argument("--json", action="store_true", help="print all figures as JSON")

    def handle(self, *_args: object, **options: Any) -> None:
        from classifiers import manifests

        version, row = options["classifier"], None
        dataset: Dataset | None
        try:
            if options["dataset"]:
                dataset = named(options["dataset"])
                manifest = running.read(dataset)
            else:
                manifest = manifests.read(options["manifest"])
                dataset = Dataset.objects.filter(fingerprint=manifest.fingerprint).first()
        except manifests.ManifestError as error:
            raise CommandError(str(error), returncode=2) from error
        except running.UnfitAudit as error:
            raise CommandError(str(error), returncode=1) from error
        if options["send"] and dataset is None:
            raise CommandError("This manifest is no data set of this house, so nobody can be asked.", returncode=2)
        try:
            if dataset is not None:
                row = running.ask(dataset, actor=Actor.command("label_audit"), version=version)
            found = running.audited(manifest, version=version)
        except running.UnfitAudit as error:
            if row is not None:
                running.keep_error(row, str(error))
            raise CommandError(str(error), returncode=1) from error
        said = telling.figures(found, in_sample=running.knows(version, manifest.fingerprint))
        said |= {"dataset": manifest.fingerprint, "judge": version, "kept": row is not None}
        if row is not None:
            running.keep(row, found)
            said |= {"audit": str(row.pk), "sent": self.send(row, options["send"])}
        said["suspects"] = [asdict(one) for one in found.suspects[: options["top"]]]
        self.stdout.write(json.dumps(said) if options["json"] else "\n".join(lines(found, said)))

    def send(self, row: LabelAudit, count: int) -> int:
        if count <= 0:
            return 0
        return asking.send(row, count, actor=Actor.command("label_audit")).opened


def named(digits: str) -> Dataset:
    """Raises CommandError."""
    found = list(Dataset.objects.filter(fingerprint__startswith=digits.lower())[:2])
    if len(found) != 1:
        what = "no data set" if not found else "more than one data set"
        raise CommandError(f"{what} has a fingerprint that begins with {digits}", returncode=2)
    return found[0]


def lines(found: Audit, said: dict[str, Any]) -> list[str]:
    out = [f"{said['labels']} labels on {said['pictures']} pictures, {said['flagged']} suspected"]
    for one in found.noise:
        if not one.audited:
            out.append(f"{one.category:<22} {one.n} labels, {one.positives} violating: too few to tell")
            continue
        out.append(
            f"{one.category:<22} {one.n} labels, {one.positives} violating; suspected {one.flagged}; wrong at most "
            f"about {one.errors:.0f} (of the violating {one.wrongful or 0:.1%}, of the others {one.missed or 0:.1%}); "
            f"AUC {one.auc or 0:.3f}"
        )
    out.append(
        f"near-duplicates in two splits {said['leaks']['count']}, contradicting {said['contradictions']['count']}"
    )
    out += [
        f"{one['suspicion']:.3f} {one['submission']} {one['category']} {one['label']} (p {one['probability']:.3f})"
        for one in said["suspects"]
    ]
    if said.get("sent"):
        out.append(f"asked about {said['sent']} images")
    if not said["kept"]:
        out.append("not kept: the manifest is no data set of this house")
    return out
