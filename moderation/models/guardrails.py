"""What the guardrails go by: how many images automation sent where, an hour at a time."""

from __future__ import annotations

from django.db import models


class OutcomeCount(models.Model):
    """The images of one client that triage routed in one hour under one plan, by the category that decided and the
    version whose word it was ("" where none stands out). Written by triage in the transaction that settles them.
    """

    pk = models.CompositePrimaryKey("hour", "plan", "client", "category", "classifier")
    hour = models.DateTimeField(help_text="Its beginning, UTC.")
    plan = models.PositiveIntegerField(help_text="The plan's number; 0: none was published.")
    client = models.ForeignKey("moderation.Client", on_delete=models.PROTECT, related_name="+", db_index=False)
    category = models.CharField(max_length=40)
    classifier = models.CharField(max_length=151, help_text="name@version")
    approved = models.PositiveIntegerField(default=0)
    reviewed = models.PositiveIntegerField(default=0, help_text="Sent to people.")
    blocked = models.PositiveIntegerField(default=0)
    quarantined = models.PositiveIntegerField(default=0)
    afterwards = models.BooleanField(default=False, help_text="Counted from stored submissions, by count_outcomes.")

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H} plan {self.plan} {self.category} {self.classifier}"
