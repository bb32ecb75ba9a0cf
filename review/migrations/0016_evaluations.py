"""What versions are measured by: orders, and evaluations, which nobody changes."""

import django.contrib.postgres.fields
import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("classifiers", "0002_weightless_kinds"),
        ("moderation", "0021_certificates"),
        ("review", "0015_trainings"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="EvaluationOrder",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "split",
                    models.CharField(
                        choices=[
                            ("train", "Training split"),
                            ("validation", "Validation split"),
                            ("test", "Test split"),
                            ("gold", "Gold items"),
                        ],
                        max_length=10,
                    ),
                ),
                ("alpha", models.FloatField(help_text="The FOR at which reviewer load is compared.")),
                ("delta", models.FloatField(help_text="The doubt that is left.")),
                (
                    "by",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60),
                        help_text="Attributes that slices and groups go by.",
                        size=None,
                    ),
                ),
                ("asked_at", models.DateTimeField(auto_now_add=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waits for a worker"),
                            ("running", "Being measured"),
                            ("done", "Done"),
                            ("failed", "Could not be measured"),
                        ],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                ("started_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("why", models.TextField(blank=True, default="", help_text="Why it could not be measured.")),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="classifiers.classifierversion",
                    ),
                ),
                (
                    "dataset",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="review.dataset"
                    ),
                ),
                (
                    "incumbent",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="classifiers.classifierversion",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Evaluation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "split",
                    models.CharField(
                        choices=[
                            ("train", "Training split"),
                            ("validation", "Validation split"),
                            ("test", "Test split"),
                            ("gold", "Gold items"),
                        ],
                        max_length=10,
                    ),
                ),
                ("figures", models.JSONField(help_text="As review.evaluations.measuring makes them.")),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="evaluations",
                        to="classifiers.classifierversion",
                    ),
                ),
                (
                    "dataset",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="evaluations",
                        to="review.dataset",
                    ),
                ),
                (
                    "incumbent",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="classifiers.classifierversion",
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
                (
                    "plan",
                    models.ForeignKey(
                        help_text="Whose cuts.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="moderation.triageplan",
                    ),
                ),
                (
                    "order",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="evaluation",
                        to="review.evaluationorder",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddIndex(
            model_name="evaluationorder",
            index=models.Index(
                condition=models.Q(("state__in", ["waiting", "running"])), fields=["id"], name="evaluationorder_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="evaluationorder",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["waiting", "running", "done", "failed"])),
                name="evaluationorder_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="evaluationorder",
            constraint=models.CheckConstraint(
                condition=models.Q(("alpha__gt", 0), ("alpha__lt", 1), ("delta__gt", 0), ("delta__lt", 1)),
                name="evaluationorder_limits",
            ),
        ),
        migrations.AddConstraint(
            model_name="evaluationorder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("dataset__isnull", True), ("split", "gold")),
                    models.Q(("dataset__isnull", False), ("split__in", ["train", "validation", "test"])),
                    _connector="OR",
                ),
                name="evaluationorder_of_a_sample",
            ),
        ),
        migrations.AddIndex(
            model_name="evaluation",
            index=models.Index(fields=["candidate", "-id"], name="evaluation_of_candidate"),
        ),
        migrations.AddConstraint(
            model_name="evaluation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("dataset__isnull", True), ("split", "gold")),
                    models.Q(("dataset__isnull", False), ("split__in", ["train", "validation", "test"])),
                    _connector="OR",
                ),
                name="evaluation_of_a_sample",
            ),
        ),
        migrations.RunSQL(
            "CREATE TRIGGER review_evaluation_immutable BEFORE UPDATE OR DELETE ON review_evaluation "
            "FOR EACH ROW EXECUTE FUNCTION loupe_refuse_change()",
            "DROP TRIGGER review_evaluation_immutable ON review_evaluation",
        ),
    ]
