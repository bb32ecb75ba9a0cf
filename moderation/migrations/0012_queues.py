import django.utils.timezone
from django.db import migrations, models

# What is open gets its due date and its key by the formula of moderation.urgency: τ is 8 h, w is 2 to the severity.
BACKFILL = """
UPDATE moderation_reviewrequest r SET weight = severity * ln(2), due_at = due, priority = severity * ln(2)
    - extract(epoch FROM due - timestamptz '2025-01-01 00:00:00+00')::float8 / 28800
FROM (
    SELECT id, coalesce(due_at, opened_at + interval '1 hour' * (ARRAY[72, 48, 24, 4, 1])[least(severity, 4) + 1]) AS due
    FROM moderation_reviewrequest WHERE closed_at IS NULL
) dated WHERE dated.id = r.id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0011_lead_scope"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReviewQueue",
            fields=[
                ("slug", models.SlugField(primary_key=True, serialize=False)),
                ("title", models.CharField(max_length=80)),
                (
                    "position",
                    models.PositiveSmallIntegerField(default=100, help_text="The first that takes a request gets it."),
                ),
                (
                    "order",
                    models.CharField(
                        choices=[("urgent", "Most urgent first"), ("oldest", "Oldest first")],
                        default="urgent",
                        max_length=6,
                    ),
                ),
                (
                    "conditions",
                    models.JSONField(
                        default=dict,
                        help_text="{categories, least_severity, territories, languages, surfaces, reasons, clients}",
                    ),
                ),
                (
                    "due",
                    models.JSONField(
                        default=dict, help_text="{hours: [of severity 0 … 4], territories: {code: {severity: h}}}"
                    ),
                ),
                (
                    "calendar",
                    models.JSONField(help_text="{zone, weekdays, opens, closes, holidays}; null: always.", null=True),
                ),
                ("access", models.JSONField(default=dict, help_text="{languages, specialties, members}")),
                ("changed_at", models.DateTimeField(auto_now=True)),
                ("retired_at", models.DateTimeField(null=True)),
                (
                    "unsettled",
                    models.BooleanField(default=False, help_text="Its open requests have yet to be put in its order."),
                ),
            ],
            options={
                "ordering": ["position", "slug"],
            },
        ),
        migrations.RemoveIndex(
            model_name="reviewrequest",
            name="request_open_by_queue",
        ),
        migrations.RemoveIndex(
            model_name="reviewrequest",
            name="request_opened",
        ),
        migrations.AddField(
            model_name="reviewrequest",
            name="weight",
            field=models.FloatField(db_default=0, default=0, help_text="ln of severity × uncertainty × reach."),
        ),
        migrations.AlterField(
            model_name="reviewrequest",
            name="opened_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AlterField(
            model_name="reviewrequest",
            name="priority",
            field=models.FloatField(
                db_default=0, default=0, help_text="The queue's sort key, higher first. Written by moderation.requests."
            ),
        ),
        migrations.RunSQL(BACKFILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="reviewrequest",
            index=models.Index(
                models.F("queue"),
                models.OrderBy(models.F("priority"), descending=True),
                models.F("id"),
                models.F("severity"),
                condition=models.Q(("closed_at__isnull", True)),
                name="request_open_by_queue",
            ),
        ),
        migrations.AddIndex(
            model_name="reviewrequest",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", True)), fields=["queue", "opened_at"], name="request_opened"
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewqueue",
            constraint=models.CheckConstraint(
                condition=models.Q(("order__in", ["urgent", "oldest"])), name="queue_order_known"
            ),
        ),
    ]
