"""What the world is to be told. Written in the transaction that made it true, sent afterwards."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7


class Topic(models.TextChoices):
    SUBMISSION_SETTLED = "submission.settled", _("A submission is settled")
    SUBMISSION_REOPENED = "submission.reopened", _("A settled submission is open again")
    SUBMISSION_QUARANTINED = "submission.quarantined", _("A submission is under legal hold")
    PLAN_PUBLISHED = "plan.published", _("A plan is published")


class OutboxMessage(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    topic = models.CharField(max_length=40, choices=Topic.choices)
    client = models.ForeignKey("moderation.Client", on_delete=models.PROTECT, null=True)
    payload = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(topic__in=Topic.values), name="outbox_topic_known")]
        indexes = [models.Index(fields=["id"], condition=models.Q(sent_at__isnull=True), name="outbox_unsent")]

    def __str__(self) -> str:
        return f"{self.topic} {self.id}"
