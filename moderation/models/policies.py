"""The law: guidelines people read and the plans machines follow. Both are append-only."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from moderation.taxonomy import Category, Severity


class DefaultAction(models.TextChoices):
    """What becomes of an image that violates, for one audience, when nobody says otherwise."""

    ALLOW = "allow", _("Allow")
    LABEL = "label", _("Show with a label")
    RESTRICT = "restrict", _("Restrict by age")
    BLOCK = "block", _("Block")
    QUARANTINE = "quarantine", _("Legal hold")


class ExceptionKind(models.TextChoices):
    ART = "art", _("Art")
    MEDICAL = "medical", _("Medicine")
    NEWS = "news", _("News")
    EDUCATION = "education", _("Education")


class PolicyVersionQuerySet(models.QuerySet["PolicyVersion"]):
    def of_categories(self) -> PolicyVersionQuerySet:
        """The categories' own guidelines: neither their parts nor translations."""
        return self.filter(part="", locale="")

    def of(self, category: str, part: str = "", locale: str = "") -> PolicyVersionQuerySet:
        return self.filter(category=category, part=part, locale=locale)

    def in_force(self) -> PolicyVersionQuerySet:
        """The latest version of each category's own guideline."""
        return self.of_categories().order_by("category", "-number").distinct("category")

    def latest_of_each(self) -> PolicyVersionQuerySet:
        """The latest version of every guideline, part and translation; an archived one says so."""
        names = ("category", "part", "locale")
        return self.order_by(*names, "-number").distinct(*names)

    def standing(self) -> PolicyVersionQuerySet:
        """Those of `latest_of_each` that are not archived; in any order, and ready to be paged."""
        return self.filter(pk__in=PolicyVersion.objects.latest_of_each().values("pk"), archived=False)


class PolicyVersion(models.Model):
    """One published wording of one guideline: a category's own, a part of it (`part`), or either in another language
    (`locale`). Texts are Markdown, rendered by `moderation.guidelines.markdown` alone.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    category = models.CharField(max_length=40, choices=Category.choices)
    part = models.SlugField(max_length=40, blank=True, default="", help_text="A sub-policy's name; empty: the whole.")
    locale = models.CharField(max_length=20, blank=True, default="", help_text="Of a translation; empty: the original.")
    translates = models.PositiveIntegerField(null=True, help_text="The version of the original that was translated.")
    number = models.PositiveIntegerField()
    headline = models.CharField(max_length=200, help_text="The rule in one sentence.")
    definition = models.TextField()
    allowed = ArrayField(models.CharField(max_length=300), help_text="Examples in words.")
    not_allowed = ArrayField(models.CharField(max_length=300), help_text="Examples in words.")
    exceptions = models.TextField(blank=True)
    severity = models.PositiveSmallIntegerField(choices=Severity.choices, help_text="When nobody says otherwise.")
    exempt: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(
        default=dict, help_text="{kind of exception: when it holds}"
    )
    ladder: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(
        default=dict, help_text="{severity: what it takes}"
    )
    actions: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(
        default=dict, help_text="{audience: default action}"
    )
    examples: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(
        default=list, help_text="[{submission, allowed, words}]: decided images, shown blurred."
    )
    report_duty = models.TextField(blank=True, default="", help_text="Whom the law wants told, and when.")
    owner = models.CharField(max_length=150, blank=True, default="", help_text="A person or a team to ask.")
    review_by = models.DateField(null=True, help_text="To be read again by then.")
    archived = models.BooleanField(default=False, help_text="Not in force any more, but kept.")
    note = models.TextField(blank=True, default="", help_text="Why it was changed.")
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(auto_now_add=True)

    objects = PolicyVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["category", "part", "locale", "number"], name="policy_number_unique"),
            models.CheckConstraint(condition=models.Q(category__in=Category.values), name="policy_category_known"),
            models.CheckConstraint(condition=models.Q(severity__in=Severity.values), name="policy_severity_known"),
        ]
        ordering = ["category", "-number"]

    def __str__(self) -> str:
        return f"{self.subject} v{self.number}"

    @property
    def subject(self) -> str:
        """As in HATE, HATE.dogwhistles or HATE.dogwhistles@de."""
        part = f".{self.part}" if self.part else ""
        return f"{self.category}{part}@{self.locale}" if self.locale else f"{self.category}{part}"


class TriagePlanQuerySet(models.QuerySet["TriagePlan"]):
    def in_force(self) -> TriagePlan | None:
        """The plan that triage follows now: the latest that is no candidate, or None when nobody has published."""
        return self.filter(candidate=False).order_by("-number").first()


class TriagePlan(models.Model):
    """One published plan. `body` is the plan of `moderation.routing`, validated before it is written."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.PositiveIntegerField(unique=True)
    body: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    note = models.TextField(help_text="Why this plan.")
    candidate = models.BooleanField(
        default=False, help_text="Only ever followed by a share of the traffic: to adopt it is to publish it again."
    )
    admission: models.JSONField[dict[str, Any] | None, dict[str, Any] | None] = models.JSONField(
        null=True,
        help_text="What the versions it newly pins showed at the gates of the plan before, and why closed ones were "
        "gone past; null: nothing was asked.",
    )
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True)
    published_at = models.DateTimeField(auto_now_add=True)

    objects = TriagePlanQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"Plan {self.number}"
