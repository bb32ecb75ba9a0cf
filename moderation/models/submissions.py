"""What came in: the image, what was declared about it, and where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models.fields.json import KeyTextTransform
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

if TYPE_CHECKING:
    from datetime import datetime

    from moderation.models.clients import Client


class Status(models.TextChoices):
    RECEIVED = "received", _("Received: waits for triage")
    IN_REVIEW = "in_review", _("In review: waits for a person")
    APPROVED = "approved", _("Approved")
    BLOCKED = "blocked", _("Blocked")
    QUARANTINED = "quarantined", _("Quarantined: legal hold")


SETTLED = frozenset({Status.APPROVED, Status.BLOCKED, Status.QUARANTINED})


class Audience(models.TextChoices):
    GENERAL = "general", _("General")
    TEEN = "teen", _("Teen")
    ADULT = "adult", _("Adult")
    MEDICAL = "medical", _("Medical")
    NEWS = "news", _("News")


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def of(self, client: Client) -> Self:
        """Only this client's rows: every door an integrator uses goes through here."""
        return self.filter(client=client)

    def awaiting_triage(self, *, now: datetime) -> Self:
        """Received, and neither leased to a worker nor waiting out a back-off."""
        return self.filter(status=Status.RECEIVED, triage_after__lte=now)


class Submission(models.Model):
    """One generated image. `status` has one writer, `moderation.lifecycle`; the rest is written once, at the door or
    by triage.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    client = models.ForeignKey("moderation.Client", on_delete=models.PROTECT, related_name="submissions")
    # NULL, because many may have none under a unique constraint.
    external_id = models.CharField(max_length=200, null=True)  # noqa: DJ001
    created_at = models.DateTimeField(auto_now_add=True)

    # declared by the integrator
    prompt = models.TextField(blank=True, default="")
    negative_prompt = models.TextField(blank=True, default="")
    generator = models.JSONField(default=dict, help_text="{name, version, seed, parameters}")
    author_ref = models.CharField(max_length=200, blank=True, default="")
    surface = models.CharField(max_length=100, blank=True, default="")
    audience = models.CharField(max_length=10, choices=Audience.choices, default=Audience.GENERAL)
    territories = ArrayField(models.CharField(max_length=2), default=list)
    context = models.JSONField(default=dict)

    # the image, as verified by decoding
    sha256 = models.CharField(max_length=64)
    media_type = models.CharField(max_length=30)
    byte_size = models.PositiveIntegerField()
    width = models.PositiveIntegerField(help_text="Pixels, after EXIF orientation.")
    height = models.PositiveIntegerField(help_text="Pixels, after EXIF orientation.")
    original = models.CharField(max_length=200, help_text="Name in the storage 'originals'.")
    working = models.CharField(
        max_length=200, help_text="Name in the storage 'derivatives'; at most 1024 px, no metadata."
    )
    blurred = models.CharField(max_length=200, help_text="Name in the storage 'derivatives'; small, blurred, grey.")
    pdq = models.BinaryField(max_length=32, null=True, help_text="256-bit perceptual hash, by triage.")
    pdq_quality = models.PositiveSmallIntegerField(null=True)
    md5 = models.CharField(
        max_length=32, blank=True, default="", help_text="Of the original; by triage, when a bank needs it."
    )
    cluster = models.UUIDField(
        null=True, db_index=True, help_text="Near-duplicates share it: the id of the first of them. By triage."
    )

    # where it stands
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.RECEIVED)
    decided_by = models.CharField(
        max_length=12, blank=True, default="", help_text="automation or person; empty until settled."
    )
    settled_at = models.DateTimeField(null=True)
    plan = models.ForeignKey("moderation.TriagePlan", on_delete=models.PROTECT, null=True)
    policy = models.ForeignKey("moderation.PolicyVersion", on_delete=models.PROTECT, null=True)
    route = models.CharField(max_length=12, blank=True, default="", help_text="What triage advised.")
    reasons = models.JSONField(default=list, help_text="Why, in the words of routing.")
    heard = ArrayField(
        models.CharField(max_length=151),
        default=list,
        help_text="Versions that had a word; one without a finding had nothing to say.",
    )
    flagged = ArrayField(models.CharField(max_length=40), default=list, help_text="Categories above their approve cut.")
    inclusion_probability = models.FloatField(
        null=True, help_text="Chance that a person sees this image: 1 in review, else the audit rate."
    )
    circumstances = models.JSONField(
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        help_text="What routing went by beside findings, plan and what was declared: replay needs it.",
    )
    by_territory = models.JSONField(
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        help_text="{code: {route, reasons}}, where triage did not treat all of its territories alike.",
    )

    # triage's own book-keeping
    awaited = models.BooleanField(default=False, help_text="Its sender waits for the verdict: goes before bulk.")
    triage_after = models.DateTimeField(help_text="Not before: end of a worker's lease or of a back-off.")
    attempts = models.PositiveIntegerField(default=0, help_text="Claims by triage workers; also the fencing token.")
    alone = models.BooleanField(
        default=False, help_text="Its last worker did not come back: until one does, it is claimed by itself."
    )
    held_up = models.PositiveIntegerField(default=0, help_text="Claims that ended in waiting for a classifier.")
    held_up_since = models.DateTimeField(null=True, help_text="Since when it waits for a classifier that is down.")

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client", "external_id"], name="submission_external_id_unique"),
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="submission_status_known"),
            models.CheckConstraint(condition=models.Q(audience__in=Audience.values), name="submission_audience_known"),
            models.CheckConstraint(
                condition=models.Q(status__in=["received", "in_review"]) | models.Q(settled_at__isnull=False),
                name="submission_settled_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["-awaited", "triage_after"], condition=models.Q(status="received"), name="submission_waiting"
            ),
            models.Index(
                fields=["triage_after"], condition=models.Q(status="received", alone=True), name="submission_alone"
            ),
            models.Index(fields=["created_at"], condition=models.Q(status="received"), name="submission_arrived"),
            models.Index(
                fields=["held_up_since"],
                condition=models.Q(status="received", held_up_since__isnull=False),
                name="submission_held_up",
            ),
            models.Index(fields=["client", "-id"], name="submission_client_recent"),
            models.Index(
                fields=["client", "author_ref", "-id"],
                condition=~models.Q(author_ref=""),
                include=["status", "decided_by"],
                name="submission_author",
            ),
            models.Index(
                models.F("client"),
                KeyTextTransform("batch_id", "context"),
                models.F("id").desc(),
                condition=models.Q(context__has_key="batch_id"),
                name="submission_batch",
            ),
            models.Index(fields=["client", "status", "-id"], name="submission_client_status"),
            GinIndex(fields=["flagged"], name="submission_flagged"),
            # for searches: what is rare is found by an index of its own
            models.Index(fields=["status", "-id"], name="submission_status_recent"),
            models.Index(fields=["sha256"], name="submission_sha256"),
            models.Index(fields=["-id"], condition=models.Q(inclusion_probability=0), name="submission_never_audited"),
            models.Index(fields=["pdq"], condition=models.Q(pdq__isnull=False), name="submission_pdq"),
            GinIndex(SearchVector("prompt", config="simple"), name="submission_prompt_words"),
            models.Index(
                fields=["cluster", "-id"], condition=models.Q(decided_by="person"), name="submission_cluster_decided"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
