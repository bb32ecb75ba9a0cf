"""Drafts of the law: what is proposed, what was said of it, and who answered. `moderation.proposals` is the only
writer.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7


class ProposalKind(models.TextChoices):
    PLAN = "plan", _("Triage plan")
    POLICY = "policy", _("Guideline")


class ProposalState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    ASKED = "asked", _("Waits for a second person")
    APPROVED = "approved", _("Approved, not in force yet")
    PUBLISHED = "published", _("Published")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class Proposal(models.Model):
    """One draft of one subject: "" for the triage plan, a category for its guideline. `body` is what would be
    published, checked before anybody is asked; `revision` counts its wordings, so that nobody approves another than the
    one they read.
    """

    OPEN = (ProposalState.DRAFT, ProposalState.ASKED, ProposalState.APPROVED)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=6, choices=ProposalKind.choices)
    subject = models.CharField(max_length=90, blank=True)
    title = models.CharField(max_length=200)
    body: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    note = models.TextField(blank=True, help_text="Why, for those who read the history.")
    based_on = models.PositiveIntegerField(help_text="The version it changes; 0: none yet.")
    revision = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=9, choices=ProposalState.choices, default=ProposalState.DRAFT)
    share = models.FloatField(
        null=True, help_text="Of a plan: tried on this share of the traffic first; null: followed by all at once."
    )
    past_gates = models.TextField(
        blank=True, default="", help_text="Of a plan: why gates that are closed are gone past."
    )
    closed_gates: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(
        default=dict, help_text="Those that were closed when it was asked for, by version: what the words speak of."
    )
    effective_at = models.DateTimeField(null=True, help_text="Not in force before; null: as soon as it is approved.")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)
    published = models.PositiveIntegerField(null=True, help_text="The version that came of it.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=ProposalKind.values), name="proposal_kind_known"),
            models.CheckConstraint(
                condition=models.Q(share__isnull=True) | models.Q(kind="plan", share__gt=0, share__lt=1),
                name="proposal_share_of_a_plan",
            ),
            models.CheckConstraint(condition=models.Q(state__in=ProposalState.values), name="proposal_state_known"),
            models.CheckConstraint(
                condition=~models.Q(state=ProposalState.PUBLISHED) | models.Q(published__isnull=False),
                name="proposal_published_as",
            ),
        ]
        indexes = [
            models.Index(
                fields=["kind", "subject"],
                name="proposal_open",
                condition=models.Q(state__in=["draft", "asked", "approved"]),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Wording(models.Model):
    """Who wrote which revision of a proposal: none of them may be the one who approves it. Never changed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="wordings")
    revision = models.PositiveIntegerField()
    body: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["revision"]
        constraints = [models.UniqueConstraint(fields=["proposal", "revision"], name="wording_once_a_revision")]

    def __str__(self) -> str:
        return f"revision {self.revision}"


class Remark(models.Model):
    """A comment on a proposal; `part` names what it is about (a field, a category), "" the whole. Never changed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="remarks")
    revision = models.PositiveIntegerField()
    part = models.CharField(max_length=60, blank=True)
    text = models.TextField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text
