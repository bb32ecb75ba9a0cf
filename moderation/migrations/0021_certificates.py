"""Certificates of bands, the watch over them, and a quick way to what nobody could have audited."""

import django.contrib.postgres.fields
import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

IMMUTABLE = "moderation_bandcertificate"


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0020_overlays_and_rollouts"),
    ]

    operations = [
        migrations.CreateModel(
            name="BandCertificate",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "category",
                    models.CharField(
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
                        max_length=40,
                    ),
                ),
                (
                    "risk",
                    models.CharField(
                        choices=[
                            ("FOR", "Approved, though it violates"),
                            ("FDR", "Blocked, though it does not violate"),
                        ],
                        max_length=3,
                    ),
                ),
                ("alpha", models.FloatField(help_text="The limit: a share.")),
                ("delta", models.FloatField(help_text="The doubt that is left.")),
                ("threshold", models.FloatField()),
                ("n", models.PositiveIntegerField(help_text="Audits on the safe side.")),
                ("k", models.PositiveIntegerField(help_text="Of these, wrong.")),
                ("p_value", models.FloatField()),
                ("share", models.FloatField(help_text="Of the traffic, on the safe side.")),
                ("rate", models.FloatField(help_text="Of these, wrong by the audits; weighted.")),
                ("audits", models.PositiveIntegerField(help_text="In all.")),
                ("method", models.CharField(max_length=10)),
                (
                    "corrected",
                    models.JSONField(help_text="{share, low, high} with readers' errors reckoned in.", null=True),
                ),
                (
                    "scores",
                    models.JSONField(
                        help_text="Shares of the traffic by score, as moderation.guarantees.drifting bins it."
                    ),
                ),
                ("sampled_from", models.DateTimeField()),
                ("sampled_until", models.DateTimeField()),
                (
                    "classifiers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=151),
                        help_text="Those that score the category.",
                        size=None,
                    ),
                ),
                ("taxonomy", models.CharField(help_text="SHA-256 of the categories and severities.", max_length=64)),
                ("falls_back", models.BooleanField(help_text="On alarm people decide in this category.")),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
            ],
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(
                condition=models.Q(("inclusion_probability", 0)), fields=["-id"], name="submission_never_audited"
            ),
        ),
        migrations.AddField(
            model_name="bandcertificate",
            name="made_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="bandcertificate",
            name="plan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="certificates", to="moderation.triageplan"
            ),
        ),
        migrations.AddField(
            model_name="bandcertificate",
            name="policy",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="moderation.policyversion"
            ),
        ),
        migrations.CreateModel(
            name="CertificateWatch",
            fields=[
                (
                    "certificate",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="watch",
                        serialize=False,
                        to="moderation.bandcertificate",
                    ),
                ),
                (
                    "logs",
                    models.JSONField(
                        default=list, help_text="ln of each stake's wealth in bets that the limit is broken."
                    ),
                ),
                ("seen", models.PositiveIntegerField(default=0, help_text="Live audits on the safe side.")),
                ("wrong", models.PositiveIntegerField(default=0)),
                ("read_until", models.DateTimeField(help_text="Decisions that took effect up to then are in it.")),
                ("drift", models.FloatField(help_text="Population stability index of the scores.", null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "ended_because",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("alarm", "Live audits say that the limit is broken."),
                            ("drift", "What comes in scores otherwise than the audits did."),
                            ("withdrawn", "A policy lead withdrew it."),
                        ],
                        default="",
                        max_length=9,
                    ),
                ),
                ("told_at", models.DateTimeField(help_text="When policy leads were written to.", null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True)), fields=["ended_at"], name="certificate_watched"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("ended_because", "")),
                            models.Q(
                                ("ended_at__isnull", False), ("ended_because__in", ["alarm", "drift", "withdrawn"])
                            ),
                            _connector="OR",
                        ),
                        name="certificate_ends_for_a_reason",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="bandcertificate",
            index=models.Index(fields=["category", "risk", "-id"], name="certificate_of_category"),
        ),
        migrations.AddConstraint(
            model_name="bandcertificate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "category__in",
                        [
                            "CSAE",
                            "NCII",
                            "SEX_EXPLICIT",
                            "NUDITY",
                            "VIOLENCE_GORE",
                            "WEAPONS_DANGEROUS",
                            "TERROR_EXTREMISM",
                            "HATE",
                            "HARASSMENT",
                            "SELF_HARM",
                            "REGULATED",
                            "ANIMAL_CRUELTY",
                            "IMPERSONATION_FRAUD",
                            "CIVIC_DECEPTION",
                            "IP_LIKENESS",
                            "PRIVACY",
                            "CULTURAL",
                            "OTHER",
                        ],
                    )
                ),
                name="certificate_category_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="bandcertificate",
            constraint=models.CheckConstraint(
                condition=models.Q(("risk__in", ["FOR", "FDR"])), name="certificate_risk_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="bandcertificate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("alpha__gt", 0),
                    ("alpha__lt", 1),
                    ("delta__gt", 0),
                    ("delta__lt", 1),
                    ("p_value__lte", models.F("delta")),
                ),
                name="certificate_proves",
            ),
        ),
        migrations.RunSQL(
            f"CREATE TRIGGER {IMMUTABLE}_immutable BEFORE UPDATE OR DELETE ON {IMMUTABLE} "
            "FOR EACH ROW EXECUTE FUNCTION loupe_refuse_change()",
            f"DROP TRIGGER {IMMUTABLE}_immutable ON {IMMUTABLE}",
        ),
    ]
