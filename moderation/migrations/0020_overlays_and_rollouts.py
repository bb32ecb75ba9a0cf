"""Outcomes by territory, and plans tried on a share of the traffic."""

import django.db.models.deletion
import django.utils.timezone
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0019_policy_studio"),
    ]

    operations = [
        migrations.CreateModel(
            name="Rollout",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "share",
                    models.FloatField(
                        help_text="Of new images that follow the candidate, by a keyed hash of their ids."
                    ),
                ),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "end",
                    models.CharField(
                        blank=True, choices=[("adopted", "Adopted"), ("dropped", "Dropped")], max_length=7
                    ),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "ended_by",
                    models.CharField(blank=True, help_text="In words: the house may drop it, too.", max_length=200),
                ),
                ("why", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="proposal",
            name="share",
            field=models.FloatField(
                help_text="Of a plan: tried on this share of the traffic first; null: followed by all at once.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="submission",
            name="by_territory",
            field=models.JSONField(
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                help_text="{code: {route, reasons}}, where triage did not treat all of its territories alike.",
            ),
        ),
        migrations.AddField(
            model_name="triageplan",
            name="candidate",
            field=models.BooleanField(
                default=False,
                help_text="Only ever followed by a share of the traffic: to adopt it is to publish it again.",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("share__isnull", True),
                    models.Q(("kind", "plan"), ("share__gt", 0), ("share__lt", 1)),
                    _connector="OR",
                ),
                name="proposal_share_of_a_plan",
            ),
        ),
        migrations.AddField(
            model_name="rollout",
            name="adopted",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="moderation.triageplan"
            ),
        ),
        migrations.AddField(
            model_name="rollout",
            name="candidate",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="rollout", to="moderation.triageplan"
            ),
        ),
        migrations.AddField(
            model_name="rollout",
            name="started_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="rollout",
            constraint=models.CheckConstraint(
                condition=models.Q(("share__gt", 0), ("share__lt", 1)), name="rollout_share_between"
            ),
        ),
        migrations.AddConstraint(
            model_name="rollout",
            constraint=models.CheckConstraint(
                condition=models.Q(("end__in", ["", "adopted", "dropped"])), name="rollout_end_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="rollout",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("ended_at",),
                name="rollout_one_at_a_time",
                nulls_distinct=False,
            ),
        ),
    ]
