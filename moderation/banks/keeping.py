"""Keeping a bank: make it, add to it, take out of it, retire it. Each act is audited with what it changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from moderation import audit
from moderation.actors import Actor
from moderation.banks.fingerprints import Fingerprint
from moderation.models import Bank, BankAction, BankEntry, Polarity, Recheck, Submission, User
from moderation.taxonomy import PEOPLE_ONLY, Category

SPAN: Final = 200_000  # entries of one walk through the archive: they are held in memory meanwhile
LONGEST_REASON: Final = 1000

# What is in the bank already is left as it is.
INSERT: Final = """
INSERT INTO moderation_bankentry (bank_id, pdq, quality, sha256, md5, label, submission_id, added_by, added_at, change)
SELECT %s, pdq, quality, sha256, md5, label, %s, %s, %s, 0
FROM unnest(%s::bytea[], %s::smallint[], %s::text[], %s::text[], %s::text[]) new (pdq, quality, sha256, md5, label)
ON CONFLICT DO NOTHING RETURNING id, change
"""


class UnfitBank(Exception):
    """The bank cannot be as asked. `field` names what to mend."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Retired(Exception):
    """The bank is retired: it takes nothing any more. Make another."""


@dataclass(frozen=True, slots=True)
class Added:
    """How many are new, how many were there before; the new ones' ids, in order."""

    ids: Sequence[int]
    known: int


@transaction.atomic
def create(
    name: str,
    *,
    category: Category,
    action: BankAction,
    polarity: Polarity = Polarity.HARMFUL,
    source: str = "",
    owner: str = "",
    note: str = "",
    actor: Actor,
    person: User | None = None,
) -> Bank:
    """A new, empty bank. Raises UnfitBank."""
    name = name.strip()
    if not name or not name.isprintable() or len(name) > 80:
        raise UnfitBank("name", _("A name has 1 to 80 characters."))
    if action == BankAction.BLOCK and category in PEOPLE_ONLY:
        raise UnfitBank(
            "action",
            _("Only people block %(category)s: the bank quarantines, or asks a person to look.")
            % {"category": category.label},
        )
    told = {"source": source, "owner": owner, "note": note}
    try:
        with transaction.atomic():
            bank = Bank.objects.create(
                name=name, category=category, action=action, polarity=polarity, created_by=person, **told
            )
    except IntegrityError as error:
        raise UnfitBank("name", _("There is a bank of this name already.")) from error
    said = {"name": name, "category": str(category), "action": str(action), "polarity": str(polarity), **told}
    audit.record(audit.Entry(actor, "bank.created", subject(bank), said))
    return bank


@transaction.atomic
def add(
    bank: Bank,
    known: Sequence[Fingerprint],
    *,
    actor: Actor,
    submission: Submission | None = None,
    told: Mapping[str, Any] | None = None,
) -> Added:
    """Afterwards every worker matches them within seconds, and the archive is to be walked for them. Raises Retired."""
    if not Bank.objects.active().filter(pk=bank.pk).exists():
        raise Retired(_("“%(bank)s” is retired and takes nothing any more.") % {"bank": bank.name})
    columns = [[getattr(one, name) for one in known] for name in ("pdq", "quality", "sha256", "md5", "label")]
    source = submission.pk if submission else None
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [bank.pk, source, str(actor), timezone.now(), *columns])
        rows = cursor.fetchall()
    added = Added([row[0] for row in rows], len(known) - len(rows))
    if rows:
        Bank.objects.filter(pk=bank.pk).update(size=F("size") + len(rows))
        if bank.polarity == Polarity.HARMFUL:
            ask_for_recheck(bank, first=min(row[1] for row in rows), last=max(row[1] for row in rows), actor=actor)
        said = {"added": len(rows), "known": added.known, "entries": [min(added.ids), max(added.ids)]}
        said |= {"submission": str(submission.pk)} if submission else {}
        audit.record(audit.Entry(actor, "bank.added", subject(bank), {**said, **(told or {})}))
    return added


def ask_for_recheck(bank: Bank, *, first: int, last: int, actor: Actor) -> None:
    """The archive is walked for these entries; a walk that waits for others of this bank takes them along."""
    waiting = Recheck.objects.select_for_update().filter(
        bank=bank, began_at__isnull=True, first__gt=last - SPAN, asked_by=str(actor)
    )
    recheck = waiting.order_by("asked_at").first()
    if recheck is None:
        Recheck.objects.create(bank=bank, first=first, last=last, asked_by=str(actor))
        return
    recheck.last = last
    recheck.save(update_fields=["last"])


@transaction.atomic
def remove(entry: BankEntry, *, reason: str, actor: Actor) -> bool:
    """Afterwards the entry matches no more; its row stays. False when it had been removed before."""
    if not BankEntry.objects.filter(pk=entry.pk, removed_at__isnull=True).update(removed_at=timezone.now()):
        return False
    Bank.objects.filter(pk=entry.bank_id).update(size=F("size") - 1)
    said = {"entry": entry.pk, "reason": reason[:LONGEST_REASON]}
    audit.record(audit.Entry(actor, "bank.removed", subject(entry.bank), said))
    return True


@transaction.atomic
def retire(bank: Bank, *, reason: str, actor: Actor) -> bool:
    """Afterwards nothing of the bank matches. False when it was retired before."""
    if not Bank.objects.active().filter(pk=bank.pk).update(retired_at=timezone.now()):
        return False
    audit.record(audit.Entry(actor, "bank.retired", subject(bank), {"reason": reason[:LONGEST_REASON]}))
    return True


def subject(bank: Bank) -> str:
    return f"bank:{bank.pk}"
