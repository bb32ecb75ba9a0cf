"""Concepts in and out of service: the plan that each switch comes to; `moderation.proposals` puts it to a colleague."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from classifiers.models import ClassifierVersion
from moderation import adoption
from moderation.models import TriagePlan
from moderation.routing import PlanError


@dataclass(frozen=True, slots=True)
class Switch:
    """The plan that a switch comes to, over plan `based_on`."""

    body: Mapping[str, Any]
    note: str
    based_on: int


def switch_on(version: ClassifierVersion) -> Switch:
    """A plan that pins the concept: a hit sends an image to a person. Raises PlanError or AlreadyPinned."""
    planned = adoption.prepare(version.ref)
    concept = version.card["concept"]
    category, threshold = concept["category"], float(concept["threshold"])
    bands = dict(planned.body["bands"])
    if category in planned.new_categories:
        bands[category] = {"approve": threshold, "block": None}
    elif bands[category]["approve"] > threshold:
        raise PlanError(
            _(
                "The plan approves below %(cut)g, above the concept’s threshold of %(at)g: some hits would be approved "
                "unseen. Lower the cut, or make the concept again."
            )
            % {"cut": bands[category]["approve"], "at": threshold}
        )
    note = _("Switches on %(ref)s.") % {"ref": version.ref}
    return Switch({**planned.body, "bands": bands}, note, planned.based_on)


def switch_off(version: ClassifierVersion) -> Switch:
    """A plan without it. Raises PlanError when it is not pinned."""
    plan = TriagePlan.objects.in_force()
    if plan is None or version.ref not in plan.body["classifiers"]:
        raise PlanError(_("%(ref)s is not in service.") % {"ref": version.ref})
    rest = [ref for ref in plan.body["classifiers"] if ref != version.ref]
    note = _("Switches off %(ref)s.") % {"ref": version.ref}
    return Switch({**plan.body, "classifiers": rest}, note, plan.number)
