"""Changing the gates of the plan in force: a draft of the same plan with other gates, as any draft of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from moderation import policies, proposals
from moderation.models import Proposal, TriagePlan, User
from moderation.plans import PlanError


@transaction.atomic
def propose(gates: Mapping[str, Any], person: User, *, based_on: int, note: str = "") -> Proposal:
    """Waits for a second person, or is in force where the house works without one; {} takes all gates away. Raises
    PlanError, Outdated or UnfitProposal.
    """
    policies.hold_publishing()
    plan = TriagePlan.objects.in_force()
    if plan is None:
        raise PlanError(_("No plan is published yet: gates are part of one."))
    if plan.number != based_on:
        raise policies.Outdated(f"Plan {plan.number} is in force; your draft was based on plan {based_on}.")
    body = {**plan.body, "gates": dict(gates)}
    if not gates:
        del body["gates"]
    title = _("Gates of promotion") if gates else _("No gates of promotion")
    return proposals.put_forward(person, body, note=note or title, based_on=plan.number)
