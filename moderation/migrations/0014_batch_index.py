import django.db.models.fields.json
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0013_search_indexes"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(
                models.F("client"),
                django.db.models.fields.json.KeyTextTransform("batch_id", "context"),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("context__has_key", "batch_id")),
                name="submission_batch",
            ),
        ),
    ]
