"""Moving a version to another stage. Each move is a plan or a rollout, published through the doors that there are."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from classifiers.models import ClassifierVersion
from moderation import adoption, policies, proposals, rollouts, stages
from moderation.actors import Actor
from moderation.models import Proposal, ProposalKind, Scope, TriagePlan, User
from moderation.stages import Stage, Standing

CANARY_SHARE: Final = 0.05


class CannotMove(Exception):
    """It does not go there from where it stands; the message says what to do. Nothing was changed."""


@transaction.atomic
def to_canary(
    version: ClassifierVersion, person: User, *, share: float = CANARY_SHARE, note: str = "", past_gates: str = ""
) -> Proposal:
    """Afterwards this share of new images follows a plan that pins it, or will once a second person approves;
    `past_gates` says why, although gates are closed. Raises GateClosed, CannotMove, AlreadyPinned, UnfitProposal,
    PlanError or Outdated.
    """
    policies.hold_publishing()
    standing = Standing.now()
    if standing.rollout is not None:
        raise CannotMove(_("Another rollout runs. Adopt or drop it first."))
    return proposed(version, person, note=note, share=share, past_gates=past_gates)


@transaction.atomic
def to_service(version: ClassifierVersion, person: User, *, note: str = "", past_gates: str = "") -> Proposal:
    """Afterwards all images follow a plan that pins it, or will once a second person approves. Raises as `to_canary`.

    From a canary it is the rollout that is adopted: see `end_canary`.
    """
    policies.hold_publishing()
    standing = Standing.now()
    if standing.stage_of(version) == Stage.CANARY:
        raise CannotMove(_("It is tried on a share of the traffic: adopt or drop that rollout."))
    return proposed(version, person, note=note, share=None, past_gates=past_gates)


def proposed(version: ClassifierVersion, person: User, *, note: str, share: float | None, past_gates: str) -> Proposal:
    """Asked for, past open gates or with words; in force at once where the house works without a second person."""
    planned = adoption.prepare(version.ref)
    for one in proposals.open_proposals(ProposalKind.PLAN, ""):
        if one.body.get("classifiers") == planned.body["classifiers"] and one.based_on == planned.based_on:
            raise CannotMove(_("This is proposed already and waits for a second person."))
    title = planned.words
    if share is not None:
        told = {"ref": version.ref, "share": f"{100 * share:g}"}
        title = _("Tries %(ref)s on %(share)s %% of the traffic.") % told
    drafted = proposals.draft(
        person,
        ProposalKind.PLAN,
        "",
        planned.body,
        title=title[:200],
        note=note,
        based_on=planned.based_on,
        share=share,
        past_gates=past_gates,
    )
    return proposals.ask(drafted.pk, person, revision=drafted.revision)


@transaction.atomic
def end_canary(key: UUID, person: User, *, adopt: bool, why: str = "") -> TriagePlan | None:
    """The rollout's candidate is followed by all, or by nobody. Adopting takes who may publish plans, and open gates
    for every version that it pins anew: who would go past them proposes a plan that says why. Raises CannotRollOut,
    GateClosed, CannotMove or PlanError.
    """
    actor = Actor.person(person)
    if not adopt:
        rollouts.drop(key, actor=actor, why=why)
        return None
    if not person.has_scope(Scope.POLICY) and proposals.needs_second():
        raise CannotMove(_("A policy lead adopts what was tried on a share of the traffic."))
    policies.hold_publishing()
    return rollouts.adopt(key, actor=actor, person=person, why=why)


@transaction.atomic
def back(version: ClassifierVersion, person: User, *, note: str = "") -> TriagePlan:
    """The plan from before this version came into service, again. One person may: going back is never held up. Raises
    CannotMove or PlanError.
    """
    policies.hold_publishing()
    earlier = stages.before(version)
    if earlier is None:
        raise CannotMove(_("There is no plan without %(ref)s to go back to.") % {"ref": version.ref})
    note = note or _("Back from %(ref)s, to plan %(number)d.") % {"ref": version.ref, "number": earlier.number}
    return policies.roll_back(earlier.number, actor=Actor.person(person), person=person, note=note)
