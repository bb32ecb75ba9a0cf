import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0012_queues"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="reviewrequest",
            index=models.Index(fields=["reason", "-submission"], name="request_reason"),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(fields=["status", "-id"], name="submission_status_recent"),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(fields=["sha256"], name="submission_sha256"),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(condition=models.Q(("pdq__isnull", False)), fields=["pdq"], name="submission_pdq"),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.search.SearchVector("prompt", config="simple"), name="submission_prompt_words"
            ),
        ),
    ]
