"""What guardrails go by and what they found: counts by the hour, settings, a day's blocks, alarms."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7


class Watched(models.TextChoices):
    PLAN = "plan", _("Plan")
    CLIENT = "client", _("Client")
    CLASSIFIER = "classifier", _("Classifier")
    CATEGORY = "category", _("Category")
    DRIFT = "drift", _("Drift")


class Measure(models.TextChoices):
    BLOCK = "block", _("Blocked by machine")
    APPROVE = "approve", _("Approved by machine")
    CAP = "cap", _("Cap on blocks a day")
    PSI = "psi", _("Scores, by stability index")
    KS = "ks", _("Scores, by Kolmogorov and Smirnov")
    MMD = "mmd", _("Images, by mean discrepancy")
    C2ST = "c2st", _("Images, told apart by a classifier")
    SHARES = "shares", _("Shares of the generators")
    PRIOR = "prior", _("Mean score of a generator")
    UNSEEN = "unseen", _("A generator not seen before")
    OVERTURN = "overturn", _("Overturned decisions")
    PRECISION = "precision", _("Precision of blocks")
    MISS_RATE = "miss_rate", _("Miss rate of approvals")
    RECALL = "recall", _("Recall")
    PREVALENCE = "prevalence", _("Prevalence")


class Chart(models.TextChoices):
    LEAP = "leap", _("one hour (p-chart)")
    CREEP = "creep", _("the last hours together (EWMA)")
    COUNT = "count", _("the day’s count")
    LINE = "line", _("a line that was set")


class Verdict(models.TextChoices):
    INCIDENT = "incident", _("An incident: these hours say nothing of what is usual")
    NORMAL = "normal", _("This is how it is now: what is usual is learnt anew from here")


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


class GuardrailSettings(models.Model):
    """One edition of what guardrails go by; the newest is in force, and none is ever edited."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    body = models.JSONField(help_text="As moderation.guardrails.settings.Guards.dump writes it.")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"guardrails of {self.made_at:%Y-%m-%d %H:%M}"


class BlockTally(models.Model):
    """The images that a machine blocked on one day of what has a cap. Locked by triage while it counts."""

    pk = models.CompositePrimaryKey("day", "scope", "key")
    day = models.DateField()
    scope = models.CharField(max_length=10, choices=Watched.choices)
    key = models.CharField(max_length=151)
    blocked = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.scope} {self.key} on {self.day}"


class Alarm(models.Model):
    """Something is not as usual, or a cap is reached. Open until a person closes it; `moderation.guardrails.alarms` is
    the only writer. `figures` are what it was raised on: {share, usual, low, high, images}, or {blocked, most}, or of
    drift {value, line, …}.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    scope = models.CharField(max_length=10, choices=Watched.choices)
    key = models.CharField(
        max_length=200, help_text="A plan's number, a client's key, a classifier, a category; of drift, of what."
    )
    measure = models.CharField(max_length=10, choices=Measure.choices)
    chart = models.CharField(max_length=5, choices=Chart.choices)
    rising = models.BooleanField(help_text="Above what is usual, else below.")
    figures = models.JSONField()
    hour = models.DateTimeField(help_text="The first hour outside the limits.")
    last_hour = models.DateTimeField(help_text="The latest one.")
    raised_at = models.DateTimeField(default=timezone.now)
    told_at = models.DateTimeField(null=True, help_text="When the mail went out.")
    stopped = models.JSONField(default=list, help_text="What the house stopped: [[category, action], …].")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=200, blank=True)
    verdict = models.CharField(max_length=8, choices=Verdict.choices, blank=True)
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(scope__in=Watched.values), name="alarm_scope_known"),
            models.CheckConstraint(condition=models.Q(measure__in=Measure.values), name="alarm_measure_known"),
            models.CheckConstraint(condition=models.Q(chart__in=Chart.values), name="alarm_chart_known"),
            models.CheckConstraint(condition=models.Q(verdict__in=["", *Verdict.values]), name="alarm_verdict_known"),
            models.UniqueConstraint(
                fields=["scope", "key", "measure"],
                condition=models.Q(closed_at__isnull=True),
                name="alarm_open_once",
            ),
        ]
        indexes = [models.Index(fields=["last_hour"], name="alarm_by_hour")]

    def __str__(self) -> str:
        return f"{self.measure} of {self.scope} {self.key}"


class AlarmSight(models.Model):
    """A person saw an open alarm, the first time."""

    pk = models.CompositePrimaryKey("alarm", "person")
    alarm = models.ForeignKey(Alarm, on_delete=models.PROTECT, related_name="sights", db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.person_id} saw {self.alarm_id}"
