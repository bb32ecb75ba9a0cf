"""The law: guidelines people read and the plans machines follow. Both are append-only."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from uuid_utils.compat import uuid7

from moderation.taxonomy import Category, Severity


class PolicyVersionQuerySet(models.QuerySet["PolicyVersion"]):
    def in_force(self) -> PolicyVersionQuerySet:
        """The latest version of each category."""
        return self.order_by("category", "-number").distinct("category")


class PolicyVersion(models.Model):
    """One published wording of one category's guideline."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    category = models.CharField(max_length=40, choices=Category.choices)
    number = models.PositiveIntegerField()
    headline = models.CharField(max_length=200, help_text="The rule in one sentence.")
    definition = models.TextField()
    allowed = ArrayField(models.CharField(max_length=300), help_text="Examples in words.")
    not_allowed = ArrayField(models.CharField(max_length=300), help_text="Examples in words.")
    exceptions = models.TextField(blank=True)
    severity = models.PositiveSmallIntegerField(choices=Severity.choices, help_text="When nobody says otherwise.")
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True)
    published_at = models.DateTimeField(auto_now_add=True)

    objects = PolicyVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["category", "number"], name="policy_category_number_unique"),
            models.CheckConstraint(condition=models.Q(category__in=Category.values), name="policy_category_known"),
            models.CheckConstraint(condition=models.Q(severity__in=Severity.values), name="policy_severity_known"),
        ]
        ordering = ["category", "-number"]

    def __str__(self) -> str:
        return f"{self.category} v{self.number}"


class TriagePlanQuerySet(models.QuerySet["TriagePlan"]):
    def in_force(self) -> TriagePlan | None:
        """The plan that triage follows now: the latest one, or None when nobody has published."""
        return self.order_by("-number").first()


class TriagePlan(models.Model):
    """One published plan. `body` is the plan of `moderation.routing`, validated before it is written."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.PositiveIntegerField(unique=True)
    body: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    note = models.TextField(help_text="Why this plan.")
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True)
    published_at = models.DateTimeField(auto_now_add=True)

    objects = TriagePlanQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"Plan {self.number}"
