"""What a decision does to the image: not at once, so that it can be taken back before anybody outside hears of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from review.models.decisions import Decision


class EffectState(models.TextChoices):
    PENDING = "pending", _("May still be undone")
    HELD = "held", _("Waits for a second person")
    APPLIED = "applied", _("In effect")
    UNDONE = "undone", _("Taken back by who decided")
    REFUSED = "refused", _("Sent back by the second person")


class Effect(models.Model):
    """One a decision. `state` is changed by conditional UPDATE only, in `review.effects`."""

    STANDING = frozenset({EffectState.PENDING, EffectState.HELD, EffectState.APPLIED})

    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, primary_key=True, related_name="effect")
    submission = models.ForeignKey("moderation.Submission", on_delete=models.PROTECT, related_name="effects")
    state = models.CharField(max_length=8, choices=EffectState.choices, default=EffectState.PENDING)
    due_at = models.DateTimeField(help_text="Until then it may be undone.")
    queue = models.SlugField(max_length=50, help_text="Where its request was: undone, it goes back there.")
    bank = models.ForeignKey("moderation.Bank", on_delete=models.PROTECT, null=True, help_text="Learns the copies.")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    settles = models.BooleanField(
        default=True, db_default=True, help_text="Not a vote that waits for others, nor an answer to a gold item."
    )
    told_at = models.DateTimeField(null=True, help_text="When those who may answer were written to.")
    words = models.TextField(blank=True, default="", help_text="Why it is held, or why it was sent back.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=EffectState.values), name="effect_state_known"),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="pending"), name="effect_pending"),
            models.Index(fields=["due_at"], condition=models.Q(state="held"), name="effect_held"),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.decision_id}"
