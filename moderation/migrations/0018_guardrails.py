import django.db.models.deletion
import django.utils.timezone
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

TRIGGER = """
CREATE TRIGGER moderation_guardrailsettings_immutable BEFORE UPDATE OR DELETE ON moderation_guardrailsettings
FOR EACH ROW EXECUTE FUNCTION loupe_refuse_change()
"""


class Migration(migrations.Migration):
    """Settings of the guardrails, a day's blocks, and alarms with who saw them."""

    dependencies = [
        ("moderation", "0017_automation"),
    ]

    operations = [
        migrations.CreateModel(
            name="BlockTally",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day", "scope", "key", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField()),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("plan", "Plan"),
                            ("client", "Client"),
                            ("classifier", "Classifier"),
                            ("category", "Category"),
                        ],
                        max_length=10,
                    ),
                ),
                ("key", models.CharField(max_length=151)),
                ("blocked", models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Alarm",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("plan", "Plan"),
                            ("client", "Client"),
                            ("classifier", "Classifier"),
                            ("category", "Category"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        help_text="A plan's number, a client's key, a classifier, a category.", max_length=151
                    ),
                ),
                (
                    "measure",
                    models.CharField(
                        choices=[
                            ("block", "Blocked by machine"),
                            ("approve", "Approved by machine"),
                            ("cap", "Cap on blocks a day"),
                        ],
                        max_length=7,
                    ),
                ),
                (
                    "chart",
                    models.CharField(
                        choices=[
                            ("leap", "one hour (p-chart)"),
                            ("creep", "the last hours together (EWMA)"),
                            ("count", "the day’s count"),
                        ],
                        max_length=5,
                    ),
                ),
                ("rising", models.BooleanField(help_text="Above what is usual, else below.")),
                ("figures", models.JSONField()),
                ("hour", models.DateTimeField(help_text="The first hour outside the limits.")),
                ("last_hour", models.DateTimeField(help_text="The latest one.")),
                ("raised_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("told_at", models.DateTimeField(help_text="When the mail went out.", null=True)),
                (
                    "stopped",
                    models.JSONField(default=list, help_text="What the house stopped: [[category, action], …]."),
                ),
                ("closed_at", models.DateTimeField(null=True)),
                ("closed_by", models.CharField(blank=True, max_length=200)),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("incident", "An incident: these hours say nothing of what is usual"),
                            ("normal", "This is how it is now: what is usual is learnt anew from here"),
                        ],
                        max_length=8,
                    ),
                ),
                ("note", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["last_hour"], name="alarm_by_hour")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("scope__in", ["plan", "client", "classifier", "category"])),
                        name="alarm_scope_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("measure__in", ["block", "approve", "cap"])), name="alarm_measure_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("chart__in", ["leap", "creep", "count"])), name="alarm_chart_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("verdict__in", ["", "incident", "normal"])), name="alarm_verdict_known"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=("scope", "key", "measure"),
                        name="alarm_open_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AlarmSight",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "alarm", "person", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "alarm",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sights",
                        to="moderation.alarm",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="GuardrailSettings",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("body", models.JSONField(help_text="As moderation.guardrails.settings.Guards.dump writes it.")),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.RunSQL(
            TRIGGER, "DROP TRIGGER moderation_guardrailsettings_immutable ON moderation_guardrailsettings"
        ),
    ]
