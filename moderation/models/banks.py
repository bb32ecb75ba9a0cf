"""Banks of known images: fingerprints only, never a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from moderation.taxonomy import PEOPLE_ONLY, Category

if TYPE_CHECKING:
    from collections.abc import Collection


class BankAction(models.TextChoices):
    BLOCK = "block", _("Block")
    REVIEW = "review", _("A person looks")
    QUARANTINE = "quarantine", _("Quarantine: legal hold")


class Polarity(models.TextChoices):
    HARMFUL = "harmful", _("Harmful")
    KNOWN_GOOD = "known_good", _("Known good: keeps other banks silent")


class BankQuerySet(models.QuerySet["Bank"]):
    def active(self) -> Self:
        return self.filter(retired_at__isnull=True)


class Bank(models.Model):
    """A list of known images and what a match means. Retired, it matches no more and is kept."""

    id = models.SmallAutoField(primary_key=True)
    name = models.CharField(max_length=80, unique=True)
    source = models.CharField(max_length=200, blank=True, default="", help_text="Who gave us these hashes.")
    category = models.CharField(max_length=40, choices=Category.choices)
    action = models.CharField(max_length=10, choices=BankAction.choices)
    polarity = models.CharField(max_length=10, choices=Polarity.choices, default=Polarity.HARMFUL)
    owner = models.CharField(max_length=100, blank=True, default="", help_text="Who answers for it.")
    note = models.TextField(blank=True, default="")
    size = models.PositiveIntegerField(default=0, help_text="Entries that are not removed.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True)

    objects = BankQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(action__in=BankAction.values), name="bank_action_known"),
            models.CheckConstraint(condition=models.Q(polarity__in=Polarity.values), name="bank_polarity_known"),
            models.CheckConstraint(condition=models.Q(category__in=Category.values), name="bank_category_known"),
            models.CheckConstraint(
                condition=~models.Q(action=BankAction.BLOCK, category__in=sorted(PEOPLE_ONLY)),
                name="bank_blocks_what_machines_may",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BankEntryQuerySet(models.QuerySet["BankEntry"]):
    def live(self) -> Self:
        """Not removed, in a bank that is not retired."""
        return self.filter(removed_at__isnull=True, bank__retired_at__isnull=True)

    def with_digests(self, *, sha256: Collection[str], md5: Collection[str] = ()) -> Self:
        """Live ones of exactly these bytes."""
        same = models.Q(sha256__in=sha256, sha256__gt="")
        if md5:
            same |= models.Q(md5__in=md5, md5__gt="")
        return self.live().filter(same)


class BankEntry(models.Model):
    """One known image: any of its hashes. Never changed but to be removed, which keeps the row.

    `change` is the database's own count of what was added or removed: a trigger gives the next number, and lets one
    writer at a time, until it has committed. Who has read up to a number has therefore seen all that lies below it.
    """

    id = models.BigAutoField(primary_key=True)
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="entries")
    pdq = models.BinaryField(max_length=32, default=b"", help_text="256-bit perceptual hash, or empty.")
    quality = models.PositiveSmallIntegerField(null=True, help_text="Of the PDQ hash, where it is known.")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    md5 = models.CharField(max_length=32, blank=True, default="")
    label = models.CharField(max_length=200, blank=True, default="")
    submission = models.ForeignKey(
        "moderation.Submission", on_delete=models.PROTECT, null=True, related_name="+", help_text="Where it came from."
    )
    added_by = models.CharField(max_length=200, help_text="kind:id, as in the audit log.")
    added_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True)
    change = models.BigIntegerField(unique=True, default=0)

    objects = BankEntryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["bank", "pdq", "sha256", "md5"],
                condition=models.Q(removed_at__isnull=True),
                name="bank_entry_once",
            ),
            models.CheckConstraint(condition=~models.Q(pdq=b"", sha256="", md5=""), name="bank_entry_has_a_hash"),
        ]
        indexes = [
            models.Index(fields=["bank", "-id"], name="bank_entry_recent"),
            models.Index(
                fields=["sha256"],
                condition=models.Q(removed_at__isnull=True, sha256__gt=""),
                name="bank_entry_sha256",
            ),
            models.Index(
                fields=["md5"],
                condition=models.Q(removed_at__isnull=True, md5__gt=""),
                name="bank_entry_md5",
            ),
        ]

    def __str__(self) -> str:
        return f"entry {self.pk} of bank {self.bank_id}"

    @property
    def pdq_hex(self) -> str:
        return bytes(self.pdq).hex()


class BankMatch(models.Model):
    """An image met an entry. Written by triage and by re-checks, never edited."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="matches")
    entry = models.ForeignKey(BankEntry, on_delete=models.PROTECT, related_name="matches")
    submission = models.ForeignKey("moderation.Submission", on_delete=models.PROTECT, related_name="bank_matches")
    kind = models.CharField(max_length=6, help_text="pdq, sha256 or md5.")
    distance = models.PositiveSmallIntegerField(help_text="Bits; 0 for digests.")
    action = models.CharField(max_length=10, blank=True, default="", help_text="What it asked for; empty: nothing.")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["bank", "-id"], name="bank_match_recent")]

    def __str__(self) -> str:
        return f"{self.submission_id} met {self.entry_id}"


class Recheck(models.Model):
    """One walk through the archive for the entries of a bank with a change in `first`–`last`. It can stop anywhere and
    goes on after `cursor`; `in_flight` are images that triage had in hand when it began, looked at once more later.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="rechecks")
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    asked_by = models.CharField(max_length=200)
    asked_at = models.DateTimeField(auto_now_add=True)
    began_at = models.DateTimeField(null=True)
    in_flight = ArrayField(models.UUIDField(), default=list)
    cursor = models.UUIDField(null=True)
    until = models.UUIDField(null=True)
    seen = models.PositiveBigIntegerField(default=0)
    matched = models.PositiveBigIntegerField(default=0)
    moved = models.PositiveBigIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["asked_at"], condition=models.Q(finished_at__isnull=True), name="recheck_unfinished")
        ]

    def __str__(self) -> str:
        return f"re-check for bank {self.bank_id}"
