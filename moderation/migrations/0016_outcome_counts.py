import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """How many images automation sent where, an hour at a time."""

    dependencies = [
        ("moderation", "0015_proposals"),
    ]

    operations = [
        migrations.CreateModel(
            name="OutcomeCount",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "hour",
                        "plan",
                        "client",
                        "category",
                        "classifier",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("hour", models.DateTimeField(help_text="Its beginning, UTC.")),
                ("plan", models.PositiveIntegerField(help_text="The plan's number; 0: none was published.")),
                ("category", models.CharField(max_length=40)),
                ("classifier", models.CharField(help_text="name@version", max_length=151)),
                ("approved", models.PositiveIntegerField(default=0)),
                ("reviewed", models.PositiveIntegerField(default=0, help_text="Sent to people.")),
                ("blocked", models.PositiveIntegerField(default=0)),
                ("quarantined", models.PositiveIntegerField(default=0)),
                (
                    "afterwards",
                    models.BooleanField(default=False, help_text="Counted from stored submissions, by count_outcomes."),
                ),
                (
                    "client",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="moderation.client",
                    ),
                ),
            ],
        ),
    ]
