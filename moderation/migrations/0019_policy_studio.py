"""What a guideline says beyond its words, its parts and its translations."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0018_guardrails"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="policyversion",
            name="policy_category_number_unique",
        ),
        migrations.AddField(
            model_name="policyversion",
            name="actions",
            field=models.JSONField(default=dict, help_text="{audience: default action}"),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="approved_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="archived",
            field=models.BooleanField(default=False, help_text="Not in force any more, but kept."),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="examples",
            field=models.JSONField(
                default=list, help_text="[{submission, allowed, words}]: decided images, shown blurred."
            ),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="exempt",
            field=models.JSONField(default=dict, help_text="{kind of exception: when it holds}"),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="ladder",
            field=models.JSONField(default=dict, help_text="{severity: what it takes}"),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="locale",
            field=models.CharField(
                blank=True, default="", help_text="Of a translation; empty: the original.", max_length=20
            ),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="note",
            field=models.TextField(blank=True, default="", help_text="Why it was changed."),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="owner",
            field=models.CharField(blank=True, default="", help_text="A person or a team to ask.", max_length=150),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="part",
            field=models.SlugField(
                blank=True, default="", help_text="A sub-policy's name; empty: the whole.", max_length=40
            ),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="report_duty",
            field=models.TextField(blank=True, default="", help_text="Whom the law wants told, and when."),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="review_by",
            field=models.DateField(help_text="To be read again by then.", null=True),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="translates",
            field=models.PositiveIntegerField(help_text="The version of the original that was translated.", null=True),
        ),
        migrations.AlterField(
            model_name="proposal",
            name="subject",
            field=models.CharField(blank=True, max_length=90),
        ),
        migrations.AddConstraint(
            model_name="policyversion",
            constraint=models.UniqueConstraint(
                fields=("category", "part", "locale", "number"), name="policy_number_unique"
            ),
        ),
    ]
