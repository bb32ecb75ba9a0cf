"""From a decision on one image to all of its copies: its hashes go into a bank."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.db import connection
from django.utils.translation import gettext as _

from moderation import audit
from moderation.actors import Actor
from moderation.banks.fingerprints import Fingerprint
from moderation.banks.keeping import Added, UnfitBank, add, create, subject
from moderation.models import Bank, BankAction, Polarity, Submission, User
from moderation.taxonomy import PEOPLE_ONLY, Category

BY_CATEGORY: Final = "category"
"""Instead of a bank's name: the one that collects what people decide in the gravest category named."""
SOURCE: Final = "decisions"


def bank_for(name: str, *, categories: Collection[str], gravest: str, person: User) -> Bank:
    """The bank meant. One that collects decisions is made when there is none; a policy lead who wants copies blocked
    unseen makes another, of the same source, beforehand. Raises UnfitBank.
    """
    if name != BY_CATEGORY:
        bank = Bank.objects.active().filter(name=name, polarity=Polarity.HARMFUL).first()
        if bank is None:
            raise UnfitBank("bank", _("There is no such bank of harmful images in service."))
        if categories and bank.category not in categories:
            raise UnfitBank("bank", _("This bank is of a category that you did not name."))
        return bank
    if not gravest:
        raise UnfitBank("bank", _("Name the category, so that the copies go into its bank."))
    category = Category(gravest)
    collecting = Bank.objects.filter(source=SOURCE, category=category, polarity=Polarity.HARMFUL)
    return collecting.active().order_by("pk").first() or create(
        f"Decided: {category.value} {collecting.count() + 1}",
        category=category,
        action=BankAction.QUARANTINE if category in PEOPLE_ONLY else BankAction.REVIEW,
        source=SOURCE,
        actor=Actor.person(person),
        person=person,
    )


def remember(submission: Submission, bank: Bank, *, decision: object, person: User) -> Added:
    """Afterwards the image and its copies are known. Call it before anything else of the transaction is audited."""
    with connection.cursor() as cursor:  # as the trigger does: entries first, then chains, for every writer
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('loupe.bank_entry'))")
    audit.lock(sorted({audit.chain_of(subject(bank)), audit.chain_of(audit.submission(submission.pk))}))
    known = Fingerprint(
        bytes(submission.pdq or b""), submission.pdq_quality, submission.sha256, submission.md5, f"decision {decision}"
    )
    return add(bank, [known], actor=Actor.person(person), submission=submission, told={"decision": str(decision)})
