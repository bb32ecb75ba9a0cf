import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# What was decided before there was a window to undo it took effect at once.
BACKFILL = """
INSERT INTO review_effect (decision_id, submission_id, state, due_at, queue, ended_at, words)
SELECT d.id, d.submission_id, 'applied', d.decided_at, r.queue, d.decided_at, ''
FROM review_decision d JOIN review_claim c ON c.id = d.claim_id JOIN moderation_reviewrequest r ON r.id = c.request_id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0010_request_severity"),
        ("review", "0002_immutable_rows"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Effect",
            fields=[
                (
                    "decision",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="effect",
                        serialize=False,
                        to="review.decision",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "May still be undone"),
                            ("held", "Waits for a second person"),
                            ("applied", "In effect"),
                            ("undone", "Taken back by who decided"),
                            ("refused", "Sent back by the second person"),
                        ],
                        default="pending",
                        max_length=8,
                    ),
                ),
                ("due_at", models.DateTimeField(help_text="Until then it may be undone.")),
                ("queue", models.SlugField(help_text="Where its request was: undone, it goes back there.")),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "words",
                    models.TextField(blank=True, default="", help_text="Why it is held, or why it was sent back."),
                ),
                (
                    "bank",
                    models.ForeignKey(
                        help_text="Learns the copies.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="moderation.bank",
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="effects", to="moderation.submission"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("state", "pending")), fields=["due_at"], name="effect_pending"),
                    models.Index(condition=models.Q(("state", "held")), fields=["due_at"], name="effect_held"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["pending", "held", "applied", "undone", "refused"])),
                        name="effect_state_known",
                    )
                ],
            },
        ),
        migrations.RunSQL(BACKFILL, migrations.RunSQL.noop),
    ]
