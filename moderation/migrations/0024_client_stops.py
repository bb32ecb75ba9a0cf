"""Automation may be stopped for one client."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0023_learning_reason"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="automationstop", name="automation_stopped_once"),
        migrations.AddField(
            model_name="automationstop",
            name="client",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="moderation.client"
            ),
        ),
        migrations.AddConstraint(
            model_name="automationstop",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lifted_at__isnull", True)),
                fields=("category", "action", "client"),
                name="automation_stopped_once",
                nulls_distinct=False,
            ),
        ),
    ]
