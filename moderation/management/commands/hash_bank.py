"""`hash_bank`: fill the banks of known images, and look hashes up in them."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from moderation.actors import Actor
from moderation.banks import importing, keeping, lists
from moderation.banks.fingerprints import RADIUS, Fingerprint, UnfitHash
from moderation.banks.searching import search
from moderation.models import Bank, BankAction, Polarity
from moderation.tasks import nudge_recheck
from moderation.taxonomy import PEOPLE_ONLY, Category

ACTOR: Final = Actor.command("hash_bank")


class Command(BaseCommand):
    help = (
        "Keep the banks of known images: import a list, add single hashes, search. Only hashes are kept, never an "
        "image. Exit status: 0 done, 1 some rows were refused (the others are kept) or nothing was found, 2 bad use."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="import|add|search")
        take = verbs.add_parser(
            "import",
            help="take a list into a bank",
            description="Take a list into a bank: CSV with a header (pdq, sha256, md5, or hash and type; quality, "
            "label), JSON or JSON lines. The names of ThreatExchange (indicator, type), StopNCII.org (hashValue, "
            "signalType, hashStatus) and NCMEC (fingerprints, deleted) are understood. Rows of no use are named by "
            "line with the reason; the others are kept. The same list again adds nothing twice.",
        )
        take.add_argument("bank", metavar="BANK", help="the bank's name")
        take.add_argument("files", nargs="+", metavar="FILE", help="the list; - reads standard input")
        one = verbs.add_parser(
            "add",
            help="add one image's hashes to a bank",
            description="Add the hashes of one image to a bank. Give one or several of --pdq, --sha256 and --md5.",
        )
        one.add_argument("bank", metavar="BANK", help="the bank's name")
        one.add_argument("--pdq", default="", metavar="HEX", help="perceptual hash, 64 digits")
        one.add_argument("--quality", metavar="0–100", help="of the PDQ hash, where it is known")
        one.add_argument("--sha256", default="", metavar="HEX", help="of the file, 64 digits")
        one.add_argument("--md5", default="", metavar="HEX", help="of the file, 32 digits")
        one.add_argument("--label", default="", metavar="WORDS", help="what people should read beside it")
        for each in (take, one):
            each.add_argument("--category", choices=Category.values, help="make the bank, if there is none, of this")
            each.add_argument(
                "--action",
                choices=BankAction.values,
                help="what a match does there (default: quarantine where only people block, else review)",
            )
            each.add_argument("--known-good", action="store_true", help="make it one that keeps other banks silent")
            each.add_argument("--source", default="", metavar="WORDS", help="who gave us these hashes")
        look = verbs.add_parser(
            "search",
            help="look hashes up in all banks",
            description="Look hashes up in all banks, the retired ones included: PDQ within the radius, SHA-256 and "
            "MD5 exactly. At most 100 entries a hash, the nearest first.",
        )
        look.add_argument("hashes", nargs="+", metavar="HASH", help="64 digits (PDQ, SHA-256) or 32 (MD5)")
        look.add_argument("--radius", type=int, default=RADIUS, metavar="BITS", help=f"of PDQ (default: {RADIUS})")
        for each in (take, one, look):
            each.add_argument("--json", action="store_true", help="a JSON object a line")

    def handle(self, *_args: object, **options: Any) -> None:
        {"import": self.take, "add": self.add, "search": self.search}[options["verb"]](options)

    def take(self, options: dict[str, Any]) -> None:
        bank = bank_named(options)
        total = importing.Taken()
        with ExitStack() as opened:
            files = [(name, opened_file(name, opened)) for name in options["files"]]
            for name, file in files:
                try:
                    taken = importing.take(bank, file, actor=ACTOR, refused=self.teller(name, options), name=name)
                except (lists.UnfitList, keeping.Retired) as error:
                    refuse(f"{name}: {error}")
                total.added += taken.added
                total.known += taken.known
                total.refused += taken.refused
        if total.added:
            nudge_recheck()
        self.tell(asdict(total), options, _("%(added)d added, %(known)d known, %(refused)d refused"))
        if total.refused:
            raise SystemExit(1)

    def add(self, options: dict[str, Any]) -> None:
        given = {name: options[name] for name in ("pdq", "quality", "sha256", "md5", "label")}
        try:
            known = Fingerprint.of(**given)
            added = keeping.add(bank_named(options), [known], actor=ACTOR)
        except (UnfitHash, keeping.Retired) as error:
            refuse(str(error))
        if added.ids:
            nudge_recheck()
        entry = {"added": len(added.ids), "known": added.known, "entries": list(added.ids)}
        self.tell(entry, options, _("%(added)d added, %(known)d known"))

    def search(self, options: dict[str, Any]) -> None:
        if not 0 <= options["radius"] <= 256:
            refuse(_("A radius is a number of bits from 0 to 256."))
        anything = False
        for value in options["hashes"]:
            try:
                found = search(value, radius=options["radius"])
            except UnfitHash as error:
                refuse(f"{value}: {error}")
            anything = anything or bool(found)
            for one in found:
                words = _("%(hash)s  %(bank)s, entry %(entry)d: %(kind)s, distance %(distance)d  %(label)s")
                self.tell({"hash": value, **asdict(one)}, options, words)
        if not anything:
            if not options["json"]:
                self.stdout.write(_("Nothing was found."))
            raise SystemExit(1)

    def teller(self, name: str, options: dict[str, Any]) -> Any:
        def refused(line: int, reason: str) -> None:
            if options["json"]:
                self.stdout.write(json.dumps({"file": name, "line": line, "refused": reason}))
            else:
                self.stderr.write(f"{name}:{line}: {reason}")

        return refused

    def tell(self, record: dict[str, Any], options: dict[str, Any], words: str) -> None:
        self.stdout.write(json.dumps(record) if options["json"] else (words % record).rstrip())


def bank_named(options: dict[str, Any]) -> Bank:
    bank = Bank.objects.filter(name=options["bank"]).first()
    if bank is not None:
        return bank
    if not options["category"]:
        known = ", ".join(Bank.objects.active().order_by("name").values_list("name", flat=True)[:20]) or "–"
        refuse(
            _("No bank %(name)s; there is: %(known)s. Give --category to make it.")
            % {"name": options["bank"], "known": known}
        )
    category = Category(options["category"])
    usual = BankAction.QUARANTINE if category in PEOPLE_ONLY else BankAction.REVIEW
    try:
        return keeping.create(
            options["bank"],
            category=category,
            action=BankAction(options["action"] or usual),
            polarity=Polarity.KNOWN_GOOD if options["known_good"] else Polarity.HARMFUL,
            source=options["source"],
            actor=ACTOR,
        )
    except keeping.UnfitBank as error:
        refuse(str(error))


def opened_file(name: str, opened: ExitStack) -> BinaryIO:
    if name == "-":
        return sys.stdin.buffer
    try:
        return opened.enter_context(Path(name).open("rb"))
    except OSError as error:
        refuse(f"{name}: {error.strerror}")


def refuse(words: str) -> NoReturn:
    raise CommandError(words, returncode=2)
