"""Settings of the organisation and of its reviewers, and the log of who looked at what. Editions are never edited."""

import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0010_request_severity"),
        ("review", "0003_effects"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ReviewerSettings",
            fields=[
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="reviewer_settings",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "comfort",
                    models.JSONField(default=dict, help_text="Only what differs from the organisation's defaults."),
                ),
                (
                    "avoided",
                    models.JSONField(default=list, help_text="Codes of the categories that are kept from this person."),
                ),
                (
                    "severest_since",
                    models.DateTimeField(help_text="Volunteers for S4 since then; null: does not.", null=True),
                ),
                ("changed_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name="OrganisationSettings",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("body", models.JSONField(help_text="As review.wellness.settings.House.dump writes it.")),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Exposure",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "reviewer", "hour", "severity", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("hour", models.DateTimeField(help_text="Its beginning.")),
                ("severity", models.PositiveSmallIntegerField()),
                ("looks", models.PositiveIntegerField()),
                ("seconds", models.FloatField()),
                ("weighted", models.FloatField(help_text="Seconds times the weight of their severity.")),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["hour"], name="exposure_by_hour")],
            },
        ),
        migrations.CreateModel(
            name="Look",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "place",
                    models.CharField(
                        choices=[("desk", "At the desk"), ("elsewhere", "Outside the desk")], max_length=10
                    ),
                ),
                ("severity", models.PositiveSmallIntegerField()),
                ("weight", models.FloatField()),
                ("revealed_at", models.DateTimeField()),
                ("seconds", models.FloatField(default=0)),
                (
                    "claim",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="looks", to="review.claim"
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="looks", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="looks", to="moderation.submission"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["reviewer", "revealed_at"], name="look_by_reviewer")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("place__in", ["desk", "elsewhere"])), name="look_place_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("seconds__gte", 0), ("weight__gte", 0)), name="look_counts_up"
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            "CREATE TRIGGER review_organisationsettings_immutable BEFORE UPDATE OR DELETE ON review_organisationsettings "
            "FOR EACH ROW EXECUTE FUNCTION loupe_refuse_change()",
            "DROP TRIGGER review_organisationsettings_immutable ON review_organisationsettings",
        ),
    ]
