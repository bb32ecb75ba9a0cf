"""Certificates of several categories that hold at once."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0021_certificates"),
    ]

    operations = [
        migrations.AddField(
            model_name="bandcertificate",
            name="family",
            field=models.UUIDField(help_text="Common to those certified at once.", null=True),
        ),
        migrations.AddField(
            model_name="bandcertificate",
            name="family_delta",
            field=models.FloatField(help_text="The doubt that any of them is broken.", null=True),
        ),
        migrations.AddField(
            model_name="bandcertificate",
            name="family_of",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40),
                default=list,
                help_text="The categories tested, certified or not.",
                size=None,
            ),
        ),
        migrations.AddConstraint(
            model_name="bandcertificate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("family__isnull", True), ("family_delta__isnull", True)),
                    models.Q(
                        ("family__isnull", False),
                        ("family_delta__gte", models.F("delta")),
                        ("family_delta__lt", 1),
                    ),
                    _connector="OR",
                ),
                name="certificate_shares_the_doubt",
            ),
        ),
    ]
