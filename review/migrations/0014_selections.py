"""Draws of images to learn from: what was asked for, what came of it, its images, and the budget's editions."""

import django.contrib.postgres.fields
import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

IMMUTABLE = ("review_selection", "review_selectionoutcome", "review_selectionitem", "review_selectionsettings")


def trigger(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"CREATE TRIGGER {table}_immutable BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION loupe_refuse_change()",
        f"DROP TRIGGER {table}_immutable ON {table}",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0023_learning_reason"),
        ("review", "0013_datasets"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Selection",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "strategy",
                    models.CharField(
                        choices=[
                            ("uncertainty", "Uncertain"),
                            ("disagreement", "Versions disagree"),
                            ("diversity", "Unlike what was judged"),
                            ("generators", "Generators seldom judged"),
                            ("random", "At random"),
                            ("mix", "A mix of these"),
                        ],
                        max_length=12,
                    ),
                ),
                ("mix", models.JSONField(default=dict, help_text="{strategy: share} where the strategy is a mix.")),
                ("budget", models.PositiveIntegerField()),
                ("seed", models.PositiveBigIntegerField()),
                (
                    "backbone",
                    models.CharField(
                        blank=True, default="", help_text="name@version; blank: of the plan in force.", max_length=151
                    ),
                ),
                ("category", models.CharField(blank=True, default="", help_text="Blank: any of them.", max_length=40)),
                (
                    "waiting",
                    models.BooleanField(
                        default=False, help_text="Images that wait for a person already are drawn too."
                    ),
                ),
                ("actor", models.CharField(help_text="Who asked, as the audit log has it.", max_length=200)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
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
            name="SelectionOutcome",
            fields=[
                (
                    "selection",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="outcome",
                        serialize=False,
                        to="review.selection",
                    ),
                ),
                ("backbone", models.CharField(blank=True, default="", max_length=151)),
                (
                    "versions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=151),
                        default=list,
                        help_text="Whose word it went by.",
                        size=None,
                    ),
                ),
                ("candidates", models.PositiveIntegerField(default=0, help_text="Images it chose among.")),
                ("opened", models.PositiveIntegerField(default=0, help_text="Images that people are asked about.")),
                (
                    "notes",
                    models.JSONField(
                        default=list, help_text="What a reader must know: a strategy that had nothing to go by."
                    ),
                ),
                ("ended_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="SelectionItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "strategy",
                    models.CharField(
                        choices=[
                            ("uncertainty", "Uncertain"),
                            ("disagreement", "Versions disagree"),
                            ("diversity", "Unlike what was judged"),
                            ("generators", "Generators seldom judged"),
                            ("random", "At random"),
                            ("mix", "A mix of these"),
                        ],
                        max_length=12,
                    ),
                ),
                ("place", models.PositiveIntegerField(help_text="In the order of the draw, from 1.")),
                (
                    "score",
                    models.FloatField(help_text="Bits of entropy or of divergence; none for the others.", null=True),
                ),
                ("probability", models.FloatField(null=True)),
                (
                    "request",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="selected",
                        to="moderation.reviewrequest",
                    ),
                ),
                (
                    "selection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="items", to="review.selection"
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="selected", to="moderation.submission"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SelectionSettings",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("body", models.JSONField(help_text="As review.selection.budgets.Budget.dump writes it.")),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="selection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("strategy__in", ["uncertainty", "disagreement", "diversity", "generators", "random", "mix"])
                ),
                name="selection_strategy_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="selection",
            constraint=models.CheckConstraint(
                condition=models.Q(("budget__range", (1, 10000))), name="selection_budget_fits"
            ),
        ),
        migrations.AddConstraint(
            model_name="selectionitem",
            constraint=models.UniqueConstraint(fields=("selection", "submission"), name="selection_item_once"),
        ),
        migrations.AddConstraint(
            model_name="selectionitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("strategy__in", ["uncertainty", "disagreement", "diversity", "generators", "random"])
                ),
                name="selection_item_strategy_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="selectionitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("probability__gt", 0), ("probability__lte", 1), ("strategy", "random")),
                    models.Q(("probability__isnull", True), models.Q(("strategy", "random"), _negated=True)),
                    _connector="OR",
                ),
                name="selection_item_chance_of_lots_only",
            ),
        ),
        *(trigger(table) for table in IMMUTABLE),
    ]
