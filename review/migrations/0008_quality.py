import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

IMMUTABLE = ("review_calibrationvote", "review_goldturn", "review_qualityrules")


def trigger(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"CREATE TRIGGER {table}_immutable BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION loupe_refuse_change()",
        f"DROP TRIGGER {table}_immutable ON {table}",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0011_lead_scope"),
        ("review", "0007_held"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CalibrationSession",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("title", models.CharField(max_length=120)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "led_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CalibrationItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveSmallIntegerField()),
                ("note", models.TextField(blank=True, default="", help_text="What came of talking about it.")),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="calibrations",
                        to="moderation.submission",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="review.calibrationsession",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CalibrationVote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("approve", "Approve"),
                            ("block", "Block"),
                            ("escalate", "Escalate to a senior"),
                            ("quarantine", "Quarantine: legal hold"),
                            ("skip", "Skip: somebody else decides"),
                        ],
                        max_length=12,
                    ),
                ),
                ("labels", models.JSONField(default=list)),
                ("words", models.TextField(blank=True, default="")),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="votes", to="review.calibrationitem"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="GoldItem",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("approve", "Approve"),
                            ("block", "Block"),
                            ("escalate", "Escalate to a senior"),
                            ("quarantine", "Quarantine: legal hold"),
                            ("skip", "Skip: somebody else decides"),
                        ],
                        max_length=12,
                    ),
                ),
                ("labels", models.JSONField(default=list, help_text="[{category, severity}, …] of what violates.")),
                (
                    "category",
                    models.CharField(
                        help_text="Which category it tests: named by it, or easily mistaken.", max_length=40
                    ),
                ),
                ("why", models.TextField(help_text="Told to whoever asks why this is the right answer.")),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("retired_at", models.DateTimeField(null=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "retired_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="gold", to="moderation.submission"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="GoldTurn",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="turns", to="review.golditem"
                    ),
                ),
                (
                    "request",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="gold_turn",
                        to="moderation.reviewrequest",
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="QualityRollup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                (
                    "measure",
                    models.CharField(
                        choices=[
                            ("votes", "What people said of the same image"),
                            ("gold", "Answers to gold items"),
                            ("reference", "Votes beside what settled the image"),
                            ("overturned", "Settled decisions that others looked at again"),
                            ("adjudicated", "Disagreements that seniors settled"),
                            ("automation", "Audit samples of what machines settled"),
                            ("skill", "Dawid and Skene's estimate"),
                        ],
                        max_length=12,
                    ),
                ),
                ("category", models.CharField(blank=True, default="", max_length=40)),
                ("counts", models.JSONField()),
                ("examples", models.JSONField(default=list, help_text="Submissions to look at, the latest few.")),
                ("made_at", models.DateTimeField(auto_now=True)),
                (
                    "person",
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
            name="QualityRules",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "gold_share",
                    models.FloatField(help_text="Of the requests a person is given, the share that are gold items."),
                ),
                (
                    "unaided_share",
                    models.FloatField(help_text="Of uncertain images, the share shown without scores; 1: all."),
                ),
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
            name="CalibrationSeat",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="calibration_seats",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="seats",
                        to="review.calibrationsession",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("session", "person"), name="calibration_seat_once")],
            },
        ),
        migrations.AddConstraint(
            model_name="calibrationitem",
            constraint=models.UniqueConstraint(fields=("session", "submission"), name="calibration_item_once"),
        ),
        migrations.AddConstraint(
            model_name="calibrationitem",
            constraint=models.UniqueConstraint(fields=("session", "position"), name="calibration_item_in_order"),
        ),
        migrations.AddConstraint(
            model_name="calibrationvote",
            constraint=models.CheckConstraint(
                condition=models.Q(("verdict__in", ["approve", "block"])), name="calibration_verdict_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="calibrationvote",
            constraint=models.UniqueConstraint(fields=("item", "person"), name="calibration_vote_once"),
        ),
        migrations.AddIndex(
            model_name="golditem",
            index=models.Index(
                condition=models.Q(("retired_at__isnull", True)), fields=["category"], name="gold_in_use"
            ),
        ),
        migrations.AddConstraint(
            model_name="golditem",
            constraint=models.CheckConstraint(
                condition=models.Q(("verdict__in", ["approve", "block"])), name="gold_verdict_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="golditem",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retired_at__isnull", True)), fields=("submission",), name="gold_once_per_image"
            ),
        ),
        migrations.AddIndex(
            model_name="goldturn",
            index=models.Index(fields=["at"], name="gold_turn_by_time"),
        ),
        migrations.AddConstraint(
            model_name="goldturn",
            constraint=models.UniqueConstraint(fields=("item", "reviewer"), name="gold_turn_once"),
        ),
        migrations.AddIndex(
            model_name="qualityrollup",
            index=models.Index(fields=["person", "day"], name="rollup_by_person"),
        ),
        migrations.AddConstraint(
            model_name="qualityrollup",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("measure__in", ["votes", "gold", "reference", "overturned", "adjudicated", "automation", "skill"])
                ),
                name="rollup_measure_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="qualityrollup",
            constraint=models.UniqueConstraint(
                fields=("measure", "day", "category", "person"), name="rollup_once", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="qualityrules",
            constraint=models.CheckConstraint(
                condition=models.Q(("gold_share__range", (0, 0.25)), ("unaided_share__range", (0, 1))),
                name="quality_rules_fit",
            ),
        ),
        *(trigger(table) for table in IMMUTABLE),
    ]
