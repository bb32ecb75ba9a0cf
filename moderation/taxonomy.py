"""The eighteen categories of harm, their severities, and the words people read for them."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _


class Severity(models.IntegerChoices):
    S0 = 0, _("S0: no harm")
    S1 = 1, _("S1: label or limit")
    S2 = 2, _("S2: restrict by age")
    S3 = 3, _("S3: block")
    S4 = 4, _("S4: block, lock, legal route")


class Category(models.TextChoices):
    CSAE = "CSAE", _("Child safety")
    NCII = "NCII", _("Intimate, non-consensual")
    SEX_EXPLICIT = "SEX_EXPLICIT", _("Sexual, explicit")
    NUDITY = "NUDITY", _("Nudity")
    VIOLENCE_GORE = "VIOLENCE_GORE", _("Violence, gore")
    WEAPONS_DANGEROUS = "WEAPONS_DANGEROUS", _("Weapons")
    TERROR_EXTREMISM = "TERROR_EXTREMISM", _("Terror, extremism")
    HATE = "HATE", _("Hate")
    HARASSMENT = "HARASSMENT", _("Harassment")
    SELF_HARM = "SELF_HARM", _("Self-harm")
    REGULATED = "REGULATED", _("Regulated goods")
    ANIMAL_CRUELTY = "ANIMAL_CRUELTY", _("Animal cruelty")
    IMPERSONATION_FRAUD = "IMPERSONATION_FRAUD", _("Impersonation, fraud")
    CIVIC_DECEPTION = "CIVIC_DECEPTION", _("Civic deception")
    IP_LIKENESS = "IP_LIKENESS", _("Likeness, IP")
    PRIVACY = "PRIVACY", _("Privacy")
    CULTURAL = "CULTURAL", _("Culture")
    OTHER = "OTHER", _("Other")


# The severity a violation has when nobody says otherwise (the upper end of the taxonomy's range, so that doubt errs
# to care).
DEFAULT_SEVERITY: Final[dict[Category, Severity]] = {
    Category.CSAE: Severity.S4,
    Category.NCII: Severity.S4,
    Category.SEX_EXPLICIT: Severity.S3,
    Category.NUDITY: Severity.S2,
    Category.VIOLENCE_GORE: Severity.S3,
    Category.WEAPONS_DANGEROUS: Severity.S2,
    Category.TERROR_EXTREMISM: Severity.S4,
    Category.HATE: Severity.S3,
    Category.HARASSMENT: Severity.S2,
    Category.SELF_HARM: Severity.S3,
    Category.REGULATED: Severity.S1,
    Category.ANIMAL_CRUELTY: Severity.S3,
    Category.IMPERSONATION_FRAUD: Severity.S2,
    Category.CIVIC_DECEPTION: Severity.S2,
    Category.IP_LIKENESS: Severity.S1,
    Category.PRIVACY: Severity.S2,
    Category.CULTURAL: Severity.S1,
    Category.OTHER: Severity.S1,
}

# Never exported, never trained on: possessing the material to do so is itself the harm.
UNTRAINABLE: Final[frozenset[Category]] = frozenset({Category.CSAE})

# A harm of the highest severity has a legal route of its own: only people block there, whatever a plan would like.
PEOPLE_ONLY: Final[frozenset[Category]] = frozenset(
    category for category, severity in DEFAULT_SEVERITY.items() if severity == Severity.S4
)
