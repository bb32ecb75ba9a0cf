import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """What the worker read of drift, and alarms of it."""

    dependencies = [
        ("moderation", "0024_client_stops"),
    ]

    operations = [
        migrations.CreateModel(
            name="Reading",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day",
                        "measure",
                        "subject",
                        "key",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                (
                    "measure",
                    models.CharField(
                        choices=[
                            ("block", "Blocked by machine"),
                            ("approve", "Approved by machine"),
                            ("cap", "Cap on blocks a day"),
                            ("psi", "Scores, by stability index"),
                            ("ks", "Scores, by Kolmogorov and Smirnov"),
                            ("mmd", "Images, by mean discrepancy"),
                            ("c2st", "Images, told apart by a classifier"),
                            ("shares", "Shares of the generators"),
                            ("prior", "Mean score of a generator"),
                            ("unseen", "A generator not seen before"),
                            ("overturn", "Overturned decisions"),
                            ("precision", "Precision of blocks"),
                            ("miss_rate", "Miss rate of approvals"),
                            ("recall", "Recall"),
                            ("prevalence", "Prevalence"),
                        ],
                        max_length=10,
                    ),
                ),
                ("subject", models.CharField(blank=True, max_length=151)),
                ("key", models.CharField(blank=True, max_length=200)),
                ("value", models.FloatField(null=True)),
                ("low", models.FloatField(help_text="Of its 95 % interval, where it has one.", null=True)),
                ("high", models.FloatField(null=True)),
                (
                    "level",
                    models.CharField(
                        blank=True,
                        choices=[("usual", "as usual"), ("watch", "watch"), ("act", "act")],
                        default="",
                        max_length=5,
                    ),
                ),
                ("figures", models.JSONField(default=dict)),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="alarm",
            name="alarm_scope_known",
        ),
        migrations.RemoveConstraint(
            model_name="alarm",
            name="alarm_measure_known",
        ),
        migrations.RemoveConstraint(
            model_name="alarm",
            name="alarm_chart_known",
        ),
        migrations.AlterField(
            model_name="alarm",
            name="chart",
            field=models.CharField(
                choices=[
                    ("leap", "one hour (p-chart)"),
                    ("creep", "the last hours together (EWMA)"),
                    ("count", "the day’s count"),
                    ("line", "a line that was set"),
                ],
                max_length=5,
            ),
        ),
        migrations.AlterField(
            model_name="alarm",
            name="key",
            field=models.CharField(
                help_text="A plan's number, a client's key, a classifier, a category; of drift, of what.",
                max_length=200,
            ),
        ),
        migrations.AlterField(
            model_name="alarm",
            name="measure",
            field=models.CharField(
                choices=[
                    ("block", "Blocked by machine"),
                    ("approve", "Approved by machine"),
                    ("cap", "Cap on blocks a day"),
                    ("psi", "Scores, by stability index"),
                    ("ks", "Scores, by Kolmogorov and Smirnov"),
                    ("mmd", "Images, by mean discrepancy"),
                    ("c2st", "Images, told apart by a classifier"),
                    ("shares", "Shares of the generators"),
                    ("prior", "Mean score of a generator"),
                    ("unseen", "A generator not seen before"),
                    ("overturn", "Overturned decisions"),
                    ("precision", "Precision of blocks"),
                    ("miss_rate", "Miss rate of approvals"),
                    ("recall", "Recall"),
                    ("prevalence", "Prevalence"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="alarm",
            name="scope",
            field=models.CharField(
                choices=[
                    ("plan", "Plan"),
                    ("client", "Client"),
                    ("classifier", "Classifier"),
                    ("category", "Category"),
                    ("drift", "Drift"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="blocktally",
            name="scope",
            field=models.CharField(
                choices=[
                    ("plan", "Plan"),
                    ("client", "Client"),
                    ("classifier", "Classifier"),
                    ("category", "Category"),
                    ("drift", "Drift"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="alarm",
            constraint=models.CheckConstraint(
                condition=models.Q(("scope__in", ["plan", "client", "classifier", "category", "drift"])),
                name="alarm_scope_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="alarm",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "measure__in",
                        [
                            "block",
                            "approve",
                            "cap",
                            "psi",
                            "ks",
                            "mmd",
                            "c2st",
                            "shares",
                            "prior",
                            "unseen",
                            "overturn",
                            "precision",
                            "miss_rate",
                            "recall",
                            "prevalence",
                        ],
                    )
                ),
                name="alarm_measure_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="alarm",
            constraint=models.CheckConstraint(
                condition=models.Q(("chart__in", ["leap", "creep", "count", "line"])), name="alarm_chart_known"
            ),
        ),
        migrations.AddIndex(
            model_name="reading",
            index=models.Index(fields=["measure", "subject", "key", "-day"], name="reading_course"),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "measure__in",
                        [
                            "block",
                            "approve",
                            "cap",
                            "psi",
                            "ks",
                            "mmd",
                            "c2st",
                            "shares",
                            "prior",
                            "unseen",
                            "overturn",
                            "precision",
                            "miss_rate",
                            "recall",
                            "prevalence",
                        ],
                    )
                ),
                name="reading_measure_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.CheckConstraint(
                condition=models.Q(("level__in", ["", "usual", "watch", "act"])), name="reading_level_known"
            ),
        ),
    ]
