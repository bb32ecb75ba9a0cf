"""Trainings that people asked for. The row says how far one is; `review.trainings` is the only writer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from review.models.datasets import Dataset

LEASE: Final = timedelta(seconds=30)
"""Without a sign of life for so long, whoever trained is taken to be dead."""


class TrainingKind(models.TextChoices):
    HEADS = "heads", _("Heads on stored embeddings")
    PROMPTS = "prompts", _("A prompt model")
    BACKBONE = "backbone", _("A whole network on images")


class TrainingState(models.TextChoices):
    QUEUED = "queued", _("Waits")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class TrainingQuerySet(models.QuerySet["Training"]):
    def free(self) -> TrainingQuerySet:
        """That wait, or whose worker gave no sign of life for the length of a lease; the oldest first."""
        silent = Q(state=TrainingState.RUNNING, heartbeat__lt=timezone.now() - LEASE)
        return self.filter(Q(state=TrainingState.QUEUED) | silent).order_by("id")


class Training(models.Model):
    """`attempts` is the fencing token: who finds another number than its own has lost the training to somebody else.
    `points` is the curve, thinned (`classifiers.progress`). `cancelled_by` on a running one asks it to stop."""

    OPEN = frozenset({TrainingState.QUEUED, TrainingState.RUNNING})

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=8, choices=TrainingKind.choices)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="trainings")
    recipe = models.JSONField(default=dict)
    name = models.SlugField(max_length=100, blank=True, default="", help_text="Of the version; blank: as before.")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="trainings")
    asked_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=9, choices=TrainingState.choices, default=TrainingState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    heartbeat = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    stage = models.CharField(max_length=60, blank=True, default="")
    share = models.FloatField(default=0.0)
    points = models.JSONField(default=list)
    cancelled_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    version = models.ForeignKey(
        "classifiers.ClassifierVersion", on_delete=models.PROTECT, null=True, related_name="trainings"
    )
    skipped = models.BooleanField(default=False, help_text="The version was there: nothing had changed.")
    words = models.TextField(blank=True, default="", help_text="Why it failed, or what came of it, in one line.")

    objects = TrainingQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=TrainingKind.values), name="training_kind_known"),
            models.CheckConstraint(condition=Q(state__in=TrainingState.values), name="training_state_known"),
            models.CheckConstraint(
                condition=Q(state=TrainingState.DONE, version__isnull=False)
                | (~Q(state=TrainingState.DONE) & Q(version__isnull=True)),
                name="training_done_has_version",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, state__in=[TrainingState.QUEUED, TrainingState.RUNNING])
                | (Q(ended_at__isnull=False) & ~Q(state__in=[TrainingState.QUEUED, TrainingState.RUNNING])),
                name="training_ended_once",
            ),
            models.CheckConstraint(
                condition=~Q(state=TrainingState.CANCELLED) | Q(cancelled_by__isnull=False),
                name="training_cancelled_by_somebody",
            ),
            models.CheckConstraint(condition=Q(share__gte=0, share__lte=1), name="training_share_between"),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(state__in=["queued", "running"]), name="training_open"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.dataset}"

    @property
    def open(self) -> bool:
        return self.state in self.OPEN

    @property
    def stopping(self) -> bool:
        """Somebody asked it to stop, and it has not yet."""
        return self.state == TrainingState.RUNNING and self.cancelled_by_id is not None

    @property
    def percent(self) -> int:
        return round(100 * self.share)

    @property
    def latest(self) -> dict[str, Any]:
        """The last point of the curve."""
        return self.points[-1] if self.points else {}
