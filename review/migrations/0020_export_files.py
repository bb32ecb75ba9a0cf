from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("review", "0019_label_audits"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.AddField(
            model_name="export",
            name="files_removed_at",
            field=models.DateTimeField(help_text="The card stays.", null=True),
        ),
        migrations.AddField(
            model_name="export",
            name="pinned_by",
            field=models.ForeignKey(
                help_text="Keeps its files, however old.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("files_removed_at__isnull", True),
                    models.Q(("pinned_by__isnull", True), ("state", "done")),
                    _connector="OR",
                ),
                name="export_removed_was_done",
            ),
        ),
    ]
