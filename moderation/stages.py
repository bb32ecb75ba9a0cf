"""Where a version stands on its way: told by the plans and the rollout alone, kept nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _

from classifiers.models import ClassifierVersion
from moderation import rollouts, shadows
from moderation.models import Rollout, TriagePlan


class Stage(models.TextChoices):
    CANDIDATE = "candidate", _("Candidate")
    SHADOW = "shadow", _("In the shadow")
    CANARY = "canary", _("Canary")
    IN_SERVICE = "in_service", _("In service")
    RETIRED = "retired", _("Retired")


@dataclass(frozen=True, slots=True)
class Standing:
    """The plan in force and the rollout that runs, by which every version's stage is told."""

    plan: TriagePlan | None
    rollout: Rollout | None

    @classmethod
    def now(cls) -> Standing:
        """Two queries."""
        return cls(TriagePlan.objects.in_force(), rollouts.running())

    def stage_of(self, version: ClassifierVersion) -> Stage:
        """At most one query: of versions that no plan in force names, whether an earlier one did."""
        ref = version.ref
        if self.plan is not None and ref in self.plan.body["classifiers"]:
            return Stage.IN_SERVICE
        if self.rollout is not None and ref in self.rollout.candidate.body["classifiers"]:
            return Stage.CANARY
        if ref in shadows.standing(self.plan):
            return Stage.SHADOW
        return Stage.RETIRED if served(ref).exists() else Stage.CANDIDATE


def served(ref: str) -> models.QuerySet[TriagePlan]:
    """The plans that were in force and pinned this version."""
    return TriagePlan.objects.filter(candidate=False, body__classifiers__contains=[ref])


def before(version: ClassifierVersion) -> TriagePlan | None:
    """The last plan before the one in force that did not pin this version: what going back from it publishes again.
    None where it does not serve, or no such plan is among the last hundred.
    """
    plan = TriagePlan.objects.in_force()
    if plan is None or version.ref not in plan.body["classifiers"]:
        return None
    earlier = TriagePlan.objects.filter(candidate=False, number__lt=plan.number).order_by("-number")
    return next((one for one in earlier[:100] if version.ref not in one.body["classifiers"]), None)
