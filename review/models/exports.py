"""Data sets in the making: what was asked for, and how far it is."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from review.models.datasets import Dataset


class ExportKind(models.TextChoices):
    LABELS = "labels", _("Labels")
    PAIRS = "pairs", _("Preference pairs")


class ExportFormat(models.TextChoices):
    PARQUET = "parquet", _("Parquet")
    JSONL = "jsonl", _("JSON Lines")
    CSV = "csv", _("CSV")
    IMAGEFOLDER = "imagefolder", _("Image folder (Hugging Face)")
    WEBDATASET = "webdataset", _("WebDataset (tar shards)")


class ExportState(models.TextChoices):
    WAITING = "waiting", _("Waits for a worker")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class Export(models.Model):
    """The row says how far it is: whoever comes goes on behind `position`. Changed by conditional UPDATE only, in
    `review.exports`.
    """

    OPEN = frozenset({ExportState.WAITING, ExportState.RUNNING})

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=8, choices=ExportKind.choices, default=ExportKind.LABELS)
    format = models.CharField(max_length=12, choices=ExportFormat.choices)
    query = models.JSONField(help_text="As of review.labels.queries.")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="exports")
    asked_at = models.DateTimeField(default=timezone.now, help_text="What was decided later is not in it.")
    state = models.CharField(max_length=9, choices=ExportState.choices, default=ExportState.WAITING)
    leased_until = models.DateTimeField(default=timezone.now, help_text="In the past: free for a worker.")
    attempts = models.PositiveIntegerField(default=0, help_text="Leases so far; also the fencing token.")
    total = models.PositiveBigIntegerField(default=0, help_text="Decisions to read, and images to copy.")
    done = models.PositiveBigIntegerField(default=0, help_text="Of these.")
    position = models.UUIDField(null=True, help_text="The last image that was read.")
    parts = models.PositiveIntegerField(default=0, help_text="Files of rows that lie ready.")
    rows = models.PositiveBigIntegerField(default=0)
    refused = models.JSONField(default=dict, help_text="{reason: images}: what may not leave.")
    error = models.TextField(blank=True, default="", help_text="Why it failed.")
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, null=True, related_name="exports")
    ended_at = models.DateTimeField(null=True)
    pinned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="Keeps its files, however old.",
    )
    files_removed_at = models.DateTimeField(null=True, help_text="The card stays.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=ExportKind.values), name="export_kind_known"),
            models.CheckConstraint(condition=models.Q(format__in=ExportFormat.values), name="export_format_known"),
            models.CheckConstraint(condition=models.Q(state__in=ExportState.values), name="export_state_known"),
            models.CheckConstraint(
                condition=models.Q(state="done") | models.Q(dataset__isnull=True), name="export_done_has_dataset"
            ),
            models.CheckConstraint(
                condition=models.Q(files_removed_at__isnull=True) | models.Q(state="done", pinned_by__isnull=True),
                name="export_removed_was_done",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(state__in=["waiting", "running"]), name="export_open"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} as {self.format}"

    @property
    def percent(self) -> int:
        if self.state == ExportState.DONE:
            return 100
        return min(99, 100 * self.done // self.total) if self.total else 0
