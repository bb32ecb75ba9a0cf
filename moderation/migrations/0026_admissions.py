from django.db import migrations, models


class Migration(migrations.Migration):
    """What versions showed at the gates is kept with the plan; why closed ones are gone past, with the proposal."""

    dependencies = [
        ("moderation", "0025_monitoring"),
    ]

    operations = [
        migrations.AddField(
            model_name="triageplan",
            name="admission",
            field=models.JSONField(
                help_text="What the versions it newly pins showed at the gates of the plan before, and why closed ones "
                "were gone past; null: nothing was asked.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="proposal",
            name="past_gates",
            field=models.TextField(
                blank=True, default="", help_text="Of a plan: why gates that are closed are gone past."
            ),
        ),
        migrations.AddField(
            model_name="proposal",
            name="closed_gates",
            field=models.JSONField(
                default=dict,
                help_text="Those that were closed when it was asked for, by version: what the words speak of.",
            ),
        ),
    ]
