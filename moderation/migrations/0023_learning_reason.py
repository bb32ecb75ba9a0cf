"""A reason of its own for images that people are asked about so that heads learn."""

from django.db import migrations, models

REASONS = [
    ("uncertain", "Uncertain"),
    ("policy", "The plan asks for a person"),
    ("hash_match", "Known image"),
    ("classifier_error", "A classifier failed"),
    ("report", "Reported by a user"),
    ("appeal", "Appeal"),
    ("audit_sample", "Audit sample"),
    ("gold", "Gold item"),
    ("second_opinion", "Second opinion"),
    ("learning", "To learn from"),
]


class Migration(migrations.Migration):
    dependencies = [("moderation", "0022_certificate_families")]

    operations = [
        migrations.AlterField(
            model_name="reviewrequest",
            name="reason",
            field=models.CharField(choices=REASONS, max_length=20),
        ),
        migrations.RemoveConstraint(model_name="reviewrequest", name="request_reason_known"),
        migrations.AddConstraint(
            model_name="reviewrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason__in", [code for code, _words in REASONS])), name="request_reason_known"
            ),
        ),
    ]
