"""`manage.py export_labels`: what people decided, as a label manifest to learn from."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from classifiers.labels import FORMATS
from moderation.actors import Actor
from moderation.taxonomy import Category
from review import feedback


def moment(text: str) -> datetime:
    """An ISO 8601 date or time; without a zone it is UTC."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


class Command(BaseCommand):
    help = (
        "Write the label manifest (labels, embeddings, manifest.json) into the folder OUT. "
        "Quarantined images and categories nobody may train on never appear."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--out", type=Path, required=True, help="folder to write; an earlier manifest there is replaced"
        )
        parser.add_argument("--format", choices=FORMATS, default="parquet")
        parser.add_argument("--since", type=moment, help="only images decided at or after this date or time (ISO 8601)")
        parser.add_argument("--category", choices=Category.values, default="", help="only labels of this category")
        parser.add_argument(
            "--backbone", metavar="NAME@VERSION", help="whose embeddings go along; default: of the plan in force"
        )
        parser.add_argument("--json", action="store_true", help="machine-readable answer")

    def handle(self, *, out: Path | str, format: Any, since: datetime | None, category: str, **options: Any) -> None:
        out = Path(out)  # call_command does not convert what it is given
        backbone = options["backbone"] if options["backbone"] is not None else feedback.default_backbone()
        query = feedback.Query(since=since, category=category, backbone=backbone)
        try:
            manifest = feedback.export(out, query=query, format=format, actor=Actor.command("export_labels"))
        except feedback.NothingToExport as nothing:
            raise CommandError(str(nothing)) from nothing
        answer = {
            "path": str(out),
            "rows": len(manifest),
            "fingerprint": manifest.fingerprint,
            "counts": manifest.index["counts"],
        }
        if options["json"]:
            self.stdout.write(json.dumps(answer))
        else:
            self.stdout.write(f"{len(manifest)} labels in {out}, fingerprint {manifest.fingerprint}")
