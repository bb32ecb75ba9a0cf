"""Stops of automation, and what routing went by that no other row says."""

import django.db.models.deletion
import django.utils.timezone
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0016_outcome_counts"),
    ]

    operations = [
        migrations.AddField(
            model_name="submission",
            name="circumstances",
            field=models.JSONField(
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                help_text="What routing went by beside findings, plan and what was declared: replay needs it.",
            ),
        ),
        migrations.CreateModel(
            name="AutomationStop",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("category", models.CharField(blank=True, max_length=40)),
                (
                    "action",
                    models.CharField(
                        blank=True,
                        choices=[("", "approving and blocking"), ("approve", "approving"), ("block", "blocking")],
                        max_length=7,
                    ),
                ),
                ("reason", models.TextField()),
                ("stopped_by", models.CharField(max_length=200)),
                ("stopped_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("lifted_by", models.CharField(blank=True, max_length=200)),
                ("lifted_at", models.DateTimeField(null=True)),
                ("lifted_because", models.TextField(blank=True)),
                (
                    "stopped_by_person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "category__in",
                                [
                                    "",
                                    "CSAE",
                                    "NCII",
                                    "SEX_EXPLICIT",
                                    "NUDITY",
                                    "VIOLENCE_GORE",
                                    "WEAPONS_DANGEROUS",
                                    "TERROR_EXTREMISM",
                                    "HATE",
                                    "HARASSMENT",
                                    "SELF_HARM",
                                    "REGULATED",
                                    "ANIMAL_CRUELTY",
                                    "IMPERSONATION_FRAUD",
                                    "CIVIC_DECEPTION",
                                    "IP_LIKENESS",
                                    "PRIVACY",
                                    "CULTURAL",
                                    "OTHER",
                                ],
                            )
                        ),
                        name="automation_stop_category_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("action__in", ["", "approve", "block"])),
                        name="automation_stop_action_known",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at__isnull", True)),
                        fields=("category", "action"),
                        name="automation_stopped_once",
                    ),
                ],
            },
        ),
    ]
