"""People looking and deciding: who holds what, who decided what, what came of it, and the data sets made of it."""

from review.models.claims import Claim, Outcome
from review.models.datasets import Dataset
from review.models.decisions import Decision, Verdict
from review.models.effects import Effect, EffectState
from review.models.releases import Release, ReleaseState
from review.models.wellness import Exposure, Look, OrganisationSettings, Place, ReviewerSettings

__all__ = [
    "Claim",
    "Dataset",
    "Decision",
    "Effect",
    "EffectState",
    "Exposure",
    "Look",
    "OrganisationSettings",
    "Outcome",
    "Place",
    "Release",
    "ReleaseState",
    "ReviewerSettings",
    "Verdict",
]
