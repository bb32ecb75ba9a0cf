import django.db.models.deletion
import django.utils.timezone
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

TRIGGER = """
CREATE TRIGGER {table}_immutable BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION loupe_refuse_change()
"""
KEPT = ("review_driftreference", "review_monitoringsettings")


class Migration(migrations.Migration):
    """A day's counts of audits; what is compared with, and lines, both never edited."""

    dependencies = [
        ("review", "0016_evaluations"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditTally",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day", "group", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField()),
                (
                    "group",
                    models.CharField(
                        blank=True, help_text="client:KEY, generator:NAME, or blank: all.", max_length=210
                    ),
                ),
                ("counts", models.JSONField()),
                (
                    "waiting",
                    models.PositiveIntegerField(default=0, help_text="Drawn or sent to people, and not settled yet."),
                ),
                (
                    "unlotted",
                    models.PositiveIntegerField(default=0, help_text="Images that no lot could bring up: not counted."),
                ),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="DriftReference",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "subject",
                    models.CharField(blank=True, help_text="name@version, or blank: the traffic.", max_length=151),
                ),
                ("begun_at", models.DateTimeField(help_text="Images from here on were taken.")),
                ("last", models.UUIDField(help_text="The key of the last of them.")),
                ("n", models.PositiveIntegerField()),
                (
                    "body",
                    models.JSONField(
                        help_text="{scores: {category: [quantile, …]}}, {images: [key, …]} or {shares: […]}."
                    ),
                ),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "indexes": [models.Index(fields=["subject", "-id"], name="reference_of_subject")],
            },
        ),
        migrations.CreateModel(
            name="MonitoringSettings",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("body", models.JSONField(help_text="As review.monitoring.settings.Lines.dump writes it.")),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        *(
            migrations.RunSQL(TRIGGER.format(table=table), f"DROP TRIGGER {table}_immutable ON {table}")
            for table in KEPT
        ),
    ]
