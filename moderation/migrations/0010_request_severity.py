from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0009_bank_size"),
    ]

    operations = [
        migrations.AddField(
            model_name="reviewrequest",
            name="severity",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, help_text="Of the likely category, 0–4."),
        ),
        # Until now the priority was the severity of the likely category.
        migrations.RunSQL(
            "UPDATE moderation_reviewrequest SET severity = priority WHERE closed_at IS NULL", migrations.RunSQL.noop
        ),
    ]
