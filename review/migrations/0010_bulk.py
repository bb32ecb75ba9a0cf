import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0013_search_indexes"),
        ("review", "0009_search"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BulkAction",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("asked_at", models.DateTimeField(auto_now_add=True)),
                ("query", models.TextField(help_text="The search, as in its address.")),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("approve", "Approve"),
                            ("block", "Block"),
                            ("review", "Send to review"),
                            ("second_opinion", "Ask for a second opinion"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "category",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("CSAE", "Child safety"),
                            ("NCII", "Intimate, non-consensual"),
                            ("SEX_EXPLICIT", "Sexual, explicit"),
                            ("NUDITY", "Nudity"),
                            ("VIOLENCE_GORE", "Violence, gore"),
                            ("WEAPONS_DANGEROUS", "Weapons"),
                            ("TERROR_EXTREMISM", "Terror, extremism"),
                            ("HATE", "Hate"),
                            ("HARASSMENT", "Harassment"),
                            ("SELF_HARM", "Self-harm"),
                            ("REGULATED", "Regulated goods"),
                            ("ANIMAL_CRUELTY", "Animal cruelty"),
                            ("IMPERSONATION_FRAUD", "Impersonation, fraud"),
                            ("CIVIC_DECEPTION", "Civic deception"),
                            ("IP_LIKENESS", "Likeness, IP"),
                            ("PRIVACY", "Privacy"),
                            ("CULTURAL", "Culture"),
                            ("OTHER", "Other"),
                        ],
                        default="",
                        max_length=40,
                    ),
                ),
                (
                    "severity",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "S0: no harm"),
                            (1, "S1: label or limit"),
                            (2, "S2: restrict by age"),
                            (3, "S3: block"),
                            (4, "S4: block, lock, legal route"),
                        ],
                        null=True,
                    ),
                ),
                ("reason", models.TextField(help_text="Why.")),
                ("total", models.PositiveIntegerField(help_text="Items; fixed when it was asked for.")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("held", "Waits for a second person"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("refused", "Sent back by the second person"),
                            ("undoing", "Being undone"),
                            ("undone", "Undone"),
                        ],
                        max_length=8,
                    ),
                ),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "words",
                    models.TextField(blank=True, default="", help_text="Why it is held, or why it was sent back."),
                ),
                (
                    "answered_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bulk_actions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "undone_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="BulkItem",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waits"),
                            ("moved", "Done"),
                            ("skipped", "Left as it was"),
                            ("undone", "Moved back"),
                            ("kept", "Touched since: stays"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("came_from", models.CharField(blank=True, default="", help_text="Its status before.", max_length=12)),
                ("moved_at", models.DateTimeField(null=True)),
                (
                    "action",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="items", to="review.bulkaction"
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bulk_items",
                        to="moderation.submission",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="bulkaction",
            index=models.Index(
                condition=models.Q(("state__in", ["held", "running", "undoing"])), fields=["id"], name="bulk_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkaction",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["held", "running", "done", "refused", "undoing", "undone"])),
                name="bulk_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkaction",
            constraint=models.CheckConstraint(
                condition=models.Q(("verdict__in", ["approve", "block", "review", "second_opinion"])),
                name="bulk_verdict_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("answered_by__isnull", True),
                    models.Q(("answered_by", models.F("asked_by")), _negated=True),
                    _connector="OR",
                ),
                name="bulk_by_two_people",
            ),
        ),
        migrations.AddIndex(
            model_name="bulkitem",
            index=models.Index(fields=["action", "state", "id"], name="bulk_item_state"),
        ),
        migrations.AddConstraint(
            model_name="bulkitem",
            constraint=models.UniqueConstraint(fields=("action", "submission"), name="bulk_item_once"),
        ),
        migrations.AddConstraint(
            model_name="bulkitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["waiting", "moved", "skipped", "undone", "kept"])),
                name="bulk_item_state_known",
            ),
        ),
    ]
