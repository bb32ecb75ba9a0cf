"""Draws of images for people to label so that heads learn: what was asked for, what came of it, and which images."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7


class Strategy(models.TextChoices):
    UNCERTAINTY = "uncertainty", _("Uncertain")
    DISAGREEMENT = "disagreement", _("Versions disagree")
    DIVERSITY = "diversity", _("Unlike what was judged")
    GENERATORS = "generators", _("Generators seldom judged")
    RANDOM = "random", _("At random")
    MIX = "mix", _("A mix of these")


class Selection(models.Model):
    """A draw that was asked for. Never edited: what came of it is its `SelectionOutcome`, made by a worker."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    strategy = models.CharField(max_length=12, choices=Strategy.choices)
    mix = models.JSONField(default=dict, help_text="{strategy: share} where the strategy is a mix.")
    budget = models.PositiveIntegerField()
    seed = models.PositiveBigIntegerField()
    backbone = models.CharField(
        max_length=151, blank=True, default="", help_text="name@version; blank: of the plan in force."
    )
    category = models.CharField(max_length=40, blank=True, default="", help_text="Blank: any of them.")
    waiting = models.BooleanField(default=False, help_text="Images that wait for a person already are drawn too.")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    actor = models.CharField(max_length=200, help_text="Who asked, as the audit log has it.")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(strategy__in=Strategy.values), name="selection_strategy_known"),
            models.CheckConstraint(condition=models.Q(budget__range=(1, 10_000)), name="selection_budget_fits"),
        ]

    def __str__(self) -> str:
        return f"{self.budget} by {self.strategy}"


class SelectionOutcome(models.Model):
    """What came of a draw. Never edited."""

    selection = models.OneToOneField(Selection, on_delete=models.PROTECT, primary_key=True, related_name="outcome")
    backbone = models.CharField(max_length=151, blank=True, default="")
    versions = ArrayField(models.CharField(max_length=151), default=list, help_text="Whose word it went by.")
    candidates = models.PositiveIntegerField(default=0, help_text="Images it chose among.")
    opened = models.PositiveIntegerField(default=0, help_text="Images that people are asked about.")
    notes = models.JSONField(default=list, help_text="What a reader must know: a strategy that had nothing to go by.")
    ended_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.opened} of {self.candidates}"


class SelectionItem(models.Model):
    """One image of a draw. Never edited. `probability`: the chance that it had, where a lot chose it; who was chosen by
    score had none, and says nothing of those that were not chosen.
    """

    selection = models.ForeignKey(Selection, on_delete=models.PROTECT, related_name="items")
    submission = models.ForeignKey("moderation.Submission", on_delete=models.PROTECT, related_name="selected")
    request = models.OneToOneField("moderation.ReviewRequest", on_delete=models.PROTECT, related_name="selected")
    strategy = models.CharField(max_length=12, choices=Strategy.choices)
    place = models.PositiveIntegerField(help_text="In the order of the draw, from 1.")
    score = models.FloatField(null=True, help_text="Bits of entropy or of divergence; none for the others.")
    probability = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["selection", "submission"], name="selection_item_once"),
            models.CheckConstraint(
                condition=models.Q(strategy__in=[one for one in Strategy.values if one != "mix"]),
                name="selection_item_strategy_known",
            ),
            models.CheckConstraint(
                condition=models.Q(strategy="random", probability__gt=0, probability__lte=1)
                | models.Q(probability__isnull=True) & ~models.Q(strategy="random"),
                name="selection_item_chance_of_lots_only",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.submission_id} by {self.strategy}"


class SelectionSettings(models.Model):
    """One edition of how much is drawn in a day and how; the newest is in force, and none is ever edited."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    body = models.JSONField(help_text="As review.selection.budgets.Budget.dump writes it.")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"selection of {self.made_at:%Y-%m-%d %H:%M}"
