"""What was proved of a band, and what live audits have said since."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from moderation.taxonomy import Category


class BandRisk(models.TextChoices):
    FOR = "FOR", _("Approved, though it violates")
    FDR = "FDR", _("Blocked, though it does not violate")


class CertificateEnd(models.TextChoices):
    ALARM = "alarm", _("Live audits say that the limit is broken.")
    DRIFT = "drift", _("What comes in scores otherwise than the audits did.")
    WITHDRAWN = "withdrawn", _("A policy lead withdrew it.")


class BandCertificate(models.Model):
    """With confidence 1 − `delta`, at most `alpha` of what lies on the safe side of `threshold` is wrong. Never edited;
    whether it still holds is for `moderation.guarantees.why_expired` to say.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    plan = models.ForeignKey("moderation.TriagePlan", on_delete=models.PROTECT, related_name="certificates")
    category = models.CharField(max_length=40, choices=Category.choices)
    risk = models.CharField(max_length=3, choices=BandRisk.choices)
    alpha = models.FloatField(help_text="The limit: a share.")
    delta = models.FloatField(help_text="The doubt that is left.")
    threshold = models.FloatField()
    n = models.PositiveIntegerField(help_text="Audits on the safe side.")
    k = models.PositiveIntegerField(help_text="Of these, wrong.")
    p_value = models.FloatField()
    share = models.FloatField(help_text="Of the traffic, on the safe side.")
    rate = models.FloatField(help_text="Of these, wrong by the audits; weighted.")
    audits = models.PositiveIntegerField(help_text="In all.")
    method = models.CharField(max_length=10)
    corrected: models.JSONField[Any, Any] = models.JSONField(
        null=True, help_text="{share, low, high} with readers' errors reckoned in."
    )
    scores: models.JSONField[list[float], list[float]] = models.JSONField(
        help_text="Shares of the traffic by score, as moderation.guarantees.drifting bins it."
    )
    sampled_from = models.DateTimeField()
    sampled_until = models.DateTimeField()
    classifiers = ArrayField(models.CharField(max_length=151), help_text="Those that score the category.")
    policy = models.ForeignKey("moderation.PolicyVersion", on_delete=models.PROTECT, related_name="+")
    taxonomy = models.CharField(max_length=64, help_text="SHA-256 of the categories and severities.")
    falls_back = models.BooleanField(help_text="On alarm people decide in this category.")
    family = models.UUIDField(null=True, help_text="Common to those certified at once.")
    family_delta = models.FloatField(null=True, help_text="The doubt that any of them is broken.")
    family_of = ArrayField(
        models.CharField(max_length=40), default=list, help_text="The categories tested, certified or not."
    )
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(category__in=Category.values), name="certificate_category_known"),
            models.CheckConstraint(condition=models.Q(risk__in=BandRisk.values), name="certificate_risk_known"),
            models.CheckConstraint(
                condition=models.Q(alpha__gt=0, alpha__lt=1, delta__gt=0, delta__lt=1, p_value__lte=models.F("delta")),
                name="certificate_proves",
            ),
            models.CheckConstraint(
                condition=models.Q(family__isnull=True, family_delta__isnull=True)
                | models.Q(family__isnull=False, family_delta__gte=models.F("delta"), family_delta__lt=1),
                name="certificate_shares_the_doubt",
            ),
        ]
        indexes = [models.Index(fields=["category", "risk", "-id"], name="certificate_of_category")]

    def __str__(self) -> str:
        return f"{self.risk} ≤ {self.alpha:g} of {self.category}"


class CertificateWatch(models.Model):
    """The one row of a certificate that changes: what live audits made of it."""

    certificate = models.OneToOneField(
        BandCertificate, on_delete=models.PROTECT, primary_key=True, related_name="watch"
    )
    logs: models.JSONField[list[float], list[float]] = models.JSONField(
        default=list, help_text="ln of each stake's wealth in bets that the limit is broken."
    )
    seen = models.PositiveIntegerField(default=0, help_text="Live audits on the safe side.")
    wrong = models.PositiveIntegerField(default=0)
    read_until = models.DateTimeField(help_text="Decisions that took effect up to then are in it.")
    drift = models.FloatField(null=True, help_text="Population stability index of the scores.")
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=9, choices=CertificateEnd.choices, blank=True, default="")
    told_at = models.DateTimeField(null=True, help_text="When policy leads were written to.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True, ended_because="")
                | models.Q(ended_at__isnull=False, ended_because__in=CertificateEnd.values),
                name="certificate_ends_for_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["ended_at"], condition=models.Q(ended_at__isnull=True), name="certificate_watched"),
        ]

    def __str__(self) -> str:
        return f"watch over {self.certificate_id}"
