"""How triage finds again what it has seen: the looks of an image, or its bytes where it has too few looks."""

from __future__ import annotations

from django.db import models


class Fingerprint(models.Model):
    """Written with the outcome of triage, never edited. `seq` numbers in the order of writing, not of committing: a
    reader asks again for the numbers it missed.
    """

    seq = models.BigAutoField(primary_key=True)
    submission = models.OneToOneField("moderation.Submission", on_delete=models.CASCADE, related_name="fingerprint")
    pdq = models.BinaryField(max_length=32, null=True)
    # NULL, because only these are indexed: pictures of flat colour, and what could not be decoded again.
    sha256 = models.CharField(max_length=64, null=True)  # noqa: DJ001

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(pdq__isnull=False, sha256__isnull=True)
                | models.Q(pdq__isnull=True, sha256__isnull=False),
                name="fingerprint_of_looks_or_bytes",
            ),
        ]
        indexes = [
            models.Index(
                fields=["sha256", "seq"], condition=models.Q(sha256__isnull=False), name="fingerprint_of_bytes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seq}: {self.submission_id}"
