"""How good versions are on labels: what was asked to be measured, and what came of it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7


class Sample(models.TextChoices):
    """Which labels: a split of a data set, or the gold items."""

    TRAIN = "train", _("Training split")
    VALIDATION = "validation", _("Validation split")
    TEST = "test", _("Test split")
    GOLD = "gold", _("Gold items")


class OrderState(models.TextChoices):
    WAITING = "waiting", _("Waits for a worker")
    RUNNING = "running", _("Being measured")
    DONE = "done", _("Done")
    FAILED = "failed", _("Could not be measured")


def of_sample() -> models.CheckConstraint:
    """Gold items belong to no data set, splits to one."""
    gold = models.Q(split="gold", dataset__isnull=True)
    split = models.Q(split__in=["train", "validation", "test"], dataset__isnull=False)
    return models.CheckConstraint(condition=gold | split, name="%(class)s_of_a_sample")


class EvaluationOrder(models.Model):
    """Asked for; a worker takes it. `review.evaluations.orders` is the only writer."""

    OPEN = (OrderState.WAITING, OrderState.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    candidate = models.ForeignKey("classifiers.ClassifierVersion", on_delete=models.PROTECT, related_name="+")
    incumbent = models.ForeignKey(
        "classifiers.ClassifierVersion", on_delete=models.PROTECT, null=True, related_name="+"
    )
    dataset = models.ForeignKey("review.Dataset", on_delete=models.PROTECT, null=True, related_name="+")
    split = models.CharField(max_length=10, choices=Sample.choices)
    alpha = models.FloatField(help_text="The FOR at which reviewer load is compared.")
    delta = models.FloatField(help_text="The doubt that is left.")
    by = ArrayField(models.CharField(max_length=60), help_text="Attributes that slices and groups go by.")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=7, choices=OrderState.choices, default=OrderState.WAITING)
    started_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    why = models.TextField(blank=True, default="", help_text="Why it could not be measured.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=OrderState.values), name="evaluationorder_state_known"),
            models.CheckConstraint(
                condition=models.Q(alpha__gt=0, alpha__lt=1, delta__gt=0, delta__lt=1), name="evaluationorder_limits"
            ),
            of_sample(),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(state__in=["waiting", "running"]), name="evaluationorder_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.candidate} on {self.split}"


class Evaluation(models.Model):
    """What was measured, with everything it depends on. Never changed: to measure again is another row."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    order = models.OneToOneField(EvaluationOrder, on_delete=models.PROTECT, null=True, related_name="evaluation")
    candidate = models.ForeignKey("classifiers.ClassifierVersion", on_delete=models.PROTECT, related_name="evaluations")
    incumbent = models.ForeignKey(
        "classifiers.ClassifierVersion", on_delete=models.PROTECT, null=True, related_name="+"
    )
    dataset = models.ForeignKey("review.Dataset", on_delete=models.PROTECT, null=True, related_name="evaluations")
    split = models.CharField(max_length=10, choices=Sample.choices)
    plan = models.ForeignKey(
        "moderation.TriagePlan",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="Whose cuts.",
    )
    figures: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(
        help_text="As review.evaluations.measuring makes them."
    )
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [of_sample()]
        indexes = [models.Index(fields=["candidate", "-id"], name="evaluation_of_candidate")]

    def __str__(self) -> str:
        return f"{self.candidate} on {self.split}"
