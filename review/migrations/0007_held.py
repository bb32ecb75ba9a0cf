import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0010_request_severity"),
        ("review", "0006_handovers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="effect",
            name="told_at",
            field=models.DateTimeField(help_text="When those who may answer were written to.", null=True),
        ),
        migrations.CreateModel(
            name="Release",
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
                            ("asked", "Waits for the other role"),
                            ("agreed", "Released"),
                            ("refused", "Stays under hold"),
                        ],
                        default="asked",
                        max_length=8,
                    ),
                ),
                ("reason", models.TextField(help_text="Why it should be released.")),
                (
                    "asked_as",
                    models.CharField(
                        help_text="The scope that the asker acted by; the other role answers.", max_length=20
                    ),
                ),
                ("asked_at", models.DateTimeField(auto_now_add=True)),
                ("answered_at", models.DateTimeField(null=True)),
                ("words", models.TextField(blank=True, default="", help_text="Why it stays under hold.")),
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="releases", to="moderation.submission"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["asked", "agreed", "refused"])), name="release_state_known"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "asked")), fields=("submission",), name="release_asked_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("answered_by__isnull", True),
                            models.Q(("answered_by", models.F("asked_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="release_by_two_people",
                    ),
                ],
            },
        ),
    ]
