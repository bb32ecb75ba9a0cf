"""Concepts in and out of service: each switch is a plan."""

from __future__ import annotations

from django.utils.translation import gettext as _

from classifiers.models import ClassifierVersion
from moderation import adoption, policies
from moderation.actors import Actor
from moderation.models import TriagePlan, User
from moderation.routing import PlanError


def switch_on(version: ClassifierVersion, *, actor: Actor, person: User | None = None) -> TriagePlan:
    """Afterwards a plan pins the concept, and a hit sends an image to a person.

    Raises PlanError, AlreadyPinned or Outdated.
    """
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
    return policies.publish_plan(
        {**planned.body, "bands": bands},
        note=_("Switches on %(ref)s.") % {"ref": version.ref},
        actor=actor,
        person=person,
        based_on=planned.based_on,
    )


def switch_off(version: ClassifierVersion, *, actor: Actor, person: User | None = None) -> TriagePlan:
    """Afterwards a plan without it is in force. Raises PlanError when it is not pinned, Outdated."""
    plan = TriagePlan.objects.in_force()
    if plan is None or version.ref not in plan.body["classifiers"]:
        raise PlanError(_("%(ref)s is not in service.") % {"ref": version.ref})
    rest = [ref for ref in plan.body["classifiers"] if ref != version.ref]
    note = _("Switches off %(ref)s.") % {"ref": version.ref}
    body = {**plan.body, "classifiers": rest}
    return policies.publish_plan(body, note=note, actor=actor, person=person, based_on=plan.number)
