"""`policies`: guidelines to and from Markdown files, one a policy."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from moderation import importing
from moderation.guidelines import files
from moderation.guidelines.faults import UnfitFile
from moderation.models import PolicyVersion, Scope, User


class Command(BaseCommand):
    help = (
        "Write the guidelines in force to Markdown files, one a policy with its facts in front, or take such files in "
        "as drafts. A file publishes nothing: a second person approves. Exit status: 0 done, 1 some files could not be "
        "taken (the others are), 2 bad use."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="export|import")
        out = verbs.add_parser("export", help="write every guideline, part and translation that is in force")
        out.add_argument("folder", type=Path, metavar="DIR")
        take = verbs.add_parser("import", help="take the *.md files of a folder in as drafts")
        take.add_argument("folder", type=Path, metavar="DIR")
        take.add_argument("--as", dest="person", required=True, metavar="USER", help="the policy lead who drafts them")
        take.add_argument("--title", default="", help="what changes, in a few words")
        take.add_argument("--ask", action="store_true", help="ask a second person at once")
        for verb in (out, take):
            verb.add_argument("--json", action="store_true", help="a JSON line a file")

    def handle(self, *_args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        told = self.export(folder) if options["verb"] == "export" else self.take(folder, options)
        for one in told:
            words = one["problem"] or (f"draft {one['proposal']}" if one["proposal"] else _("as it is in force"))
            self.stdout.write(json.dumps(one) if options["json"] else f"{one['file']}: {words}")
        if any(one["problem"] for one in told):
            raise CommandError(_("Some files could not be taken; the others are drafts now."), returncode=1)

    def export(self, folder: Path) -> list[dict[str, Any]]:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            rows = [one for one in PolicyVersion.objects.latest_of_each() if not one.archived]
            for row in rows:
                (folder / files.name_of(row)).write_text(files.written(row), encoding="utf-8", newline="\n")
        except OSError as error:
            raise CommandError(str(error), returncode=2) from error
        return [importing.Taken(files.name_of(row), row.subject).told for row in rows]

    def take(self, folder: Path, options: dict[str, Any]) -> list[dict[str, Any]]:
        person = User.objects.filter(username=options["person"], is_active=True).first()
        if person is None or not person.has_scope(Scope.POLICY):
            raise CommandError(_("%(name)s is no policy lead.") % {"name": options["person"]}, returncode=2)
        if not folder.is_dir():
            raise CommandError(_("%(folder)s is no folder.") % {"folder": folder}, returncode=2)
        texts: dict[str, str] = {}
        bad: list[importing.Taken] = []
        for path in sorted(folder.glob("*.md"))[: files.MOST]:
            try:
                texts[path.name] = files.decoded(path.name, path.read_bytes())
            except (UnfitFile, OSError) as error:
                bad.append(importing.Taken(path.name, trouble=str(error)))
        taken = importing.take(person, texts, title=options["title"], ask=options["ask"])
        return [one.told for one in (*bad, *taken)]
