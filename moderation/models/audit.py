"""The audit log's rows. `moderation.audit` is their only writer; a trigger refuses every change."""

from __future__ import annotations

from django.db import models
from uuid_utils.compat import uuid7


class AuditChain(models.Model):
    """The head of one chain. An append locks this row, and only this row."""

    number = models.PositiveSmallIntegerField(primary_key=True)
    length = models.PositiveBigIntegerField(default=0)
    head = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return f"chain {self.number}, {self.length} events"


class AuditEvent(models.Model):
    """Who did what to what, when, and under which rule. Actor and subject are copied in, so the record survives the
    person.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    chain = models.PositiveSmallIntegerField()
    position = models.PositiveBigIntegerField(help_text="1, 2, 3 … within the chain.")
    at = models.DateTimeField()
    actor = models.CharField(max_length=200, help_text="kind:id, as in person:… key:… or automation:triage.")
    actor_label = models.CharField(max_length=200)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=200, help_text="kind:id, as in submission:…")
    data = models.JSONField(default=dict)
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "position"], name="audit_chain_position_unique")]
        indexes = [
            models.Index(fields=["subject", "position"], name="audit_subject"),
            models.Index(fields=["actor", "-id"], name="audit_actor"),
            models.Index(fields=["action", "-id"], name="audit_action"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject} by {self.actor_label}"


class AuditRoot(models.Model):
    """A seal over all chains at one moment: each chain's length and head, and the root before it."""

    number = models.PositiveBigIntegerField(primary_key=True)
    at = models.DateTimeField()
    heads = models.JSONField(help_text="[[chain, length, head hex], …] by chain.")
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return f"root {self.number}"
