"""Audits of labels: what was asked for, what came of it, which labels are doubted, and who is asked about them."""

import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

IMMUTABLE = ("review_labelask", "review_labelaudit", "review_labelauditoutcome", "review_labelsuspicion")


def trigger(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"CREATE TRIGGER {table}_immutable BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION loupe_refuse_change()",
        f"DROP TRIGGER {table}_immutable ON {table}",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0025_monitoring"),
        ("review", "0018_exports"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LabelAudit",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "version",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Whose probabilities; blank: of heads fitted for it.",
                        max_length=151,
                    ),
                ),
                ("actor", models.CharField(help_text="Who asked, as the audit log has it.", max_length=200)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="audits", to="review.dataset"
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LabelAuditOutcome",
            fields=[
                (
                    "audit",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="outcome",
                        serialize=False,
                        to="review.labelaudit",
                    ),
                ),
                ("figures", models.JSONField(default=dict, help_text="As review.label_audits.telling writes them.")),
                ("error", models.TextField(blank=True, default="", help_text="Why nothing came of it.")),
                ("ended_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="LabelSuspicion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("category", models.CharField(max_length=40)),
                ("place", models.PositiveIntegerField()),
                ("label", models.PositiveSmallIntegerField(help_text="As given: 1 violates, 0 does not.")),
                ("probability", models.FloatField(help_text="Of 1, by heads that did not see the label.")),
                (
                    "agreement",
                    models.FloatField(help_text="Share of the nearest neighbours with the same label.", null=True),
                ),
                ("suspicion", models.FloatField()),
                ("flagged", models.BooleanField(help_text="Confidently the other.")),
                (
                    "audit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="suspicions", to="review.labelaudit"
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="doubted", to="moderation.submission"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LabelAsk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asked_at", models.DateTimeField(auto_now_add=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="doubts",
                        to="moderation.reviewrequest",
                    ),
                ),
                (
                    "suspicion",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="ask", to="review.labelsuspicion"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="labelsuspicion",
            constraint=models.UniqueConstraint(fields=("audit", "place"), name="suspicion_place_once"),
        ),
        migrations.AddConstraint(
            model_name="labelsuspicion",
            constraint=models.UniqueConstraint(fields=("audit", "submission", "category"), name="suspicion_label_once"),
        ),
        migrations.AddConstraint(
            model_name="labelsuspicion",
            constraint=models.CheckConstraint(condition=models.Q(("label__in", [0, 1])), name="suspicion_label_known"),
        ),
        *(trigger(table) for table in IMMUTABLE),
    ]
