"""`manage.py export_labels`: what people decided, as a label manifest to learn from."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from moderation.actors import Actor
from moderation.taxonomy import UNTRAINABLE, Category
from review import feedback
from review.labels.queries import FORMATS, Query, UnfitQuery

CATEGORIES = [code for code in Category.values if code not in UNTRAINABLE]


def moment(text: str) -> datetime:
    """An ISO 8601 date or time; without a zone it is UTC."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


class Command(BaseCommand):
    help = (
        "Write the label manifest (labels, embeddings, manifest.json) into the folder OUT. "
        "Quarantined images, what is not to be trained on, and categories nobody may train on never appear."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--out", type=Path, required=True, help="folder to write; an earlier manifest there is replaced"
        )
        parser.add_argument("--format", choices=FORMATS, default="parquet")
        parser.add_argument("--since", type=moment, help="only images decided at or after this date or time (ISO 8601)")
        parser.add_argument("--until", type=moment, help="only images decided before this date or time")
        parser.add_argument("--category", choices=CATEGORIES, default="", help="only labels of this category")
        parser.add_argument(
            "--backbone", metavar="NAME@VERSION", help="whose embeddings go along; default: of the plan in force"
        )
        parser.add_argument("--query", metavar="JSON", help="all else that POST /exports takes as its query")
        parser.add_argument(
            "--demand", action="store_true", help="refuse what has no licence or no basis of consent, and count it"
        )
        parser.add_argument("--json", action="store_true", help="machine-readable answer")

    def handle(self, *, out: Path | str, format: str, **options: Any) -> None:
        out = Path(out)  # call_command does not convert what it is given
        try:
            query = asked(options)
            manifest = feedback.export(out, query=query, format=format, actor=Actor.command("export_labels"))
        except (feedback.NothingToExport, UnfitQuery) as problem:
            raise CommandError(str(problem)) from problem
        counts = manifest.index["counts"]
        answer = {
            "path": str(out),
            "rows": counts["rows"],
            "fingerprint": manifest.fingerprint,
            "counts": counts,
            "refused": manifest.index["refused"],
        }
        if options["json"]:
            self.stdout.write(json.dumps(answer))
        else:
            self.stdout.write(f"{counts['rows']} labels in {out}, fingerprint {manifest.fingerprint}")


def asked(options: dict[str, Any]) -> Query:
    """Raises UnfitQuery."""
    try:
        said = json.loads(options.get("query") or "{}")
    except ValueError as error:
        raise UnfitQuery("query", f"--query is no JSON: {error}") from error
    if not isinstance(said, dict):
        raise UnfitQuery("query", "--query is a JSON object, as of POST /exports.")
    backbone = options.get("backbone")
    said |= {name: options[name] for name in ("since", "until") if options.get(name)}
    said |= {"categories": [options["category"]]} if options.get("category") else {}
    said |= {"demand": True} if options.get("demand") else {}
    said.setdefault("backbone", feedback.default_backbone() if backbone is None else backbone)
    return Query.read(said)
