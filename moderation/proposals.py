"""From a draft to what is in force, by two people: one writes, another approves, and what was approved is what is
published.

A proposal is changed as often as needed; each wording is kept with its author. Whoever wrote any of it cannot approve
it, unless the house works without a second person (`LOUPE_SECOND_APPROVER=0`). Every writer locks the proposal's row
first.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from moderation import admission, audit, policies, rollouts
from moderation.actors import HOUSE, Actor
from moderation.admission import Past
from moderation.guidelines import bodies
from moderation.guidelines.faults import UnfitWording, UnknownSubject
from moderation.guidelines.subjects import Subject
from moderation.models import Proposal, ProposalKind, ProposalState, Remark, Scope, TriagePlan, User, Wording
from moderation.plans import Plan, PlanError

log = logging.getLogger(__name__)

LONGEST_REMARK: Final = 10_000
OPEN: Final = Proposal.OPEN


class NotOpen(Exception):
    """Somebody answered it or took it back meanwhile, or its wording is another by now; nothing was changed. Reload the
    page.
    """


class OwnWork(Exception):
    """Who wrote any of it cannot approve it; nothing was changed. Ask a colleague."""


class UnfitProposal(ValueError):
    """It cannot be proposed like that; the message says what to mend. Nothing was changed."""


def needs_second() -> bool:
    """Whether what one person wrote needs another to come into force."""
    return bool(settings.SECOND_APPROVER)


def may_approve(person: User, proposal: Proposal) -> bool:
    """One query."""
    if not person.has_scope(Scope.POLICY):
        return False
    return not needs_second() or not proposal.wordings.filter(person=person).exists()


def open_proposals(kind: ProposalKind | None = None, subject: str | None = None) -> QuerySet[Proposal]:
    """Newest first."""
    found = Proposal.objects.filter(state__in=OPEN).select_related("made_by", "changed_by", "answered_by")
    if kind is not None:
        found = found.filter(kind=kind)
    return found if subject is None else found.filter(subject=subject)


def waiting_for(person: User) -> QuerySet[Proposal]:
    """What this person may approve now."""
    if not person.has_scope(Scope.POLICY):
        return Proposal.objects.none()
    asked = Proposal.objects.filter(state=ProposalState.ASKED)
    return asked.exclude(wordings__person=person) if needs_second() else asked


@transaction.atomic
def draft(
    person: User,
    kind: ProposalKind,
    subject: str,
    body: Mapping[str, Any],
    *,
    title: str,
    based_on: int,
    note: str = "",
    effective_at: datetime | None = None,
    share: float | None = None,
    past_gates: str = "",
) -> Proposal:
    """A new draft; of a plan, `share` has only this part of the traffic follow it at first, and `past_gates` says why
    gates that are closed are gone past. Raises UnfitProposal or PlanError.
    """
    now = timezone.now()
    proposal = Proposal(
        kind=kind,
        subject=subject,
        title=fit(title, 200, _("title")),
        body=dict(body),
        note=note,
        based_on=based_on,
        effective_at=effective_at,
        share=share,
        past_gates=past_gates.strip(),
        made_by=person,
        changed_by=person,
        changed_at=now,
    )
    check(proposal)
    proposal.save(force_insert=True)
    Wording.objects.create(proposal=proposal, revision=1, body=proposal.body, person=person, at=now)
    record("proposal.drafted", proposal, Actor.person(person))
    return proposal


@transaction.atomic
def revise(
    key: UUID,
    person: User,
    body: Mapping[str, Any],
    *,
    revision: int,
    based_on: int | None = None,
    title: str | None = None,
    note: str | None = None,
    effective_at: datetime | None = None,
    share: float | None = None,
    past_gates: str = "",
) -> Proposal:
    """Another wording over the one the person read; a proposal that waited for an answer is a draft again. Raises
    NotOpen, UnfitProposal, PlanError.
    """
    proposal = locked(key, revision)
    proposal.body, proposal.effective_at, proposal.share = dict(body), effective_at, share
    proposal.past_gates, proposal.closed_gates = past_gates.strip(), {}
    if based_on is not None:
        proposal.based_on = based_on
    if title is not None:
        proposal.title = fit(title, 200, _("title"))
    if note is not None:
        proposal.note = note
    proposal.revision += 1
    proposal.state = ProposalState.DRAFT
    proposal.changed_by, proposal.changed_at = person, timezone.now()
    proposal.answered_by = proposal.answered_at = None
    check(proposal)
    proposal.save()
    Wording.objects.create(
        proposal=proposal, revision=proposal.revision, body=proposal.body, person=person, at=proposal.changed_at
    )
    record("proposal.revised", proposal, Actor.person(person))
    return proposal


@transaction.atomic
def ask(key: UUID, person: User, *, revision: int) -> Proposal:
    """Afterwards it waits for a second person; where the house works without one, it is published at once. Raises
    NotOpen, UnfitProposal, PlanError, GateClosed (and no words say why to go past it) or Outdated.
    """
    proposal = locked(key, revision, ProposalState.DRAFT)
    check(proposal)
    if proposal.kind == ProposalKind.PLAN:
        in_force = TriagePlan.objects.in_force()
        proposal.closed_gates = admission.ask(proposal.body, in_force, why=proposal.past_gates)
    past = {"past_gates": proposal.past_gates, "closed": proposal.closed_gates} if proposal.closed_gates else {}
    proposal.state = ProposalState.ASKED
    proposal.save(update_fields=["state", "closed_gates"])
    record("proposal.asked", proposal, Actor.person(person), **past)
    return proposal if needs_second() else answered(proposal, person)


@transaction.atomic
def approve(key: UUID, person: User, *, revision: int, text: str = "") -> Proposal:
    """Afterwards it is in force, or will be at its date. Gates are asked again at this moment. Raises NotOpen, OwnWork,
    Outdated (somebody published in the meantime), GateClosed, UnfitProposal or PlanError.
    """
    proposal = locked(key, revision, ProposalState.ASKED)
    if not may_approve(person, proposal):
        raise OwnWork(_("Who wrote any of it cannot approve it. Ask a colleague."))
    if text.strip():
        say(proposal, person, text)
    return answered(proposal, person)


@transaction.atomic
def put_forward(person: User, body: Mapping[str, Any], *, note: str, based_on: int) -> Proposal:
    """A plan that another page made, as a draft that waits for a second person; published where the house works without
    one. Raises UnfitProposal, PlanError or Outdated.
    """
    title = (note.strip().splitlines() or [_("A change of the plan")])[0][:200]
    made = draft(person, ProposalKind.PLAN, "", body, title=title, note=note, based_on=based_on)
    return ask(made.pk, person, revision=1)


def answered(proposal: Proposal, person: User) -> Proposal:
    now = timezone.now()
    reserve(proposal)
    check(proposal)
    if proposal.closed_gates and not person.has_scope(Scope.POLICY):
        raise UnfitProposal(_("Only who may publish plans goes past closed gates. Ask a policy lead."))
    proposal.answered_by, proposal.answered_at = person, now
    proposal.state = ProposalState.APPROVED
    proposal.save(update_fields=["answered_by", "answered_at", "state"])
    record("proposal.approved", proposal, Actor.person(person))
    if proposal.effective_at is None or proposal.effective_at <= now:
        publish(proposal, Actor.person(person))
    elif proposal.kind == ProposalKind.PLAN:
        admission.admit(proposal.body, TriagePlan.objects.in_force(), past=past_of(proposal))
    return proposal


@transaction.atomic
def go_back(person: User, subject: Subject, to: int, *, note: str = "") -> Proposal:
    """An earlier version of a guideline as a draft that waits for a second person: to go back is to add a version.
    Raises PolicyVersion.DoesNotExist or UnfitProposal (by now it cannot say that).
    """
    earlier = subject.versions().get(number=to)
    body = bodies.body_of(earlier) | {"archived": False}
    latest = subject.versions().order_by("-number").values_list("number", flat=True)[0]
    title = _("Back to version %(number)d") % {"number": to}
    drafted = draft(person, ProposalKind.POLICY, str(subject), body, title=title, note=note, based_on=latest)
    return ask(drafted.pk, person, revision=1)


@transaction.atomic
def send_back(key: UUID, person: User, *, revision: int, text: str) -> Proposal:
    """A draft again, with the reason as a remark. Raises NotOpen or UnfitProposal."""
    proposal = locked(key, revision, ProposalState.ASKED)
    say(proposal, person, text)
    proposal.state = ProposalState.DRAFT
    proposal.save(update_fields=["state"])
    record("proposal.sent_back", proposal, Actor.person(person))
    return proposal


@transaction.atomic
def withdraw(key: UUID, person: User, *, revision: int) -> Proposal:
    """Nothing comes of it; one that waits for its date is stopped, too. Raises NotOpen."""
    proposal = locked(key, revision)
    proposal.state = ProposalState.WITHDRAWN
    proposal.save(update_fields=["state"])
    record("proposal.withdrawn", proposal, Actor.person(person))
    return proposal


@transaction.atomic
def remark(key: UUID, person: User, text: str, *, part: str = "") -> Remark:
    """A comment, at any time. Raises Proposal.DoesNotExist or UnfitProposal."""
    proposal = Proposal.objects.select_for_update(no_key=True).get(pk=key)
    said = say(proposal, person, text, part=part)
    record("proposal.remarked", proposal, Actor.person(person), part=part)
    return said


def say(proposal: Proposal, person: User, text: str, *, part: str = "") -> Remark:
    words = fit(text, LONGEST_REMARK, _("comment"))
    return Remark.objects.create(
        proposal=proposal, revision=proposal.revision, part=part[:60], text=words, person=person, at=timezone.now()
    )


def fit(text: str, most: int, what: str) -> str:
    words = text.replace("\x00", "").strip()
    if not words:
        raise UnfitProposal(_("The %(what)s is missing.") % {"what": what})
    if len(words) > most:
        raise UnfitProposal(_("The %(what)s has at most %(most)d characters.") % {"what": what, "most": most})
    return words


def check(proposal: Proposal) -> None:
    """Whether it could be published as it is. Raises PlanError or UnfitProposal."""
    if proposal.share is not None and not (proposal.kind == ProposalKind.PLAN and 0 < proposal.share < 1):
        raise UnfitProposal(_("A plan may be tried on a share of the traffic, of more than nothing and less than all."))
    if proposal.kind == ProposalKind.PLAN:
        policies.check(Plan.from_body(proposal.body, number=0))
    else:
        wording_of(proposal)


def publish_plan(proposal: Proposal, actor: Actor) -> int:
    note, person, based_on = proposal.note or proposal.title, proposal.made_by, proposal.based_on
    body, past = proposal.body, past_of(proposal)
    if proposal.share is not None:
        try:
            begun = rollouts.begin(
                body, proposal.share, note=note, actor=actor, person=person, based_on=based_on, past=past
            )
        except rollouts.CannotRollOut as error:
            raise UnfitProposal(str(error)) from error
        return begun.candidate.number
    row = policies.publish_plan(body, note=note, actor=actor, person=person, based_on=based_on, past=past)
    return row.number


def past_of(proposal: Proposal) -> Past | None:
    """Its words on closed gates: they speak of those that were closed when it was asked for."""
    if not proposal.past_gates:
        return None
    approved = str(proposal.answered_by) if proposal.answered_by else ""
    return Past(proposal.past_gates, str(proposal.changed_by), approved, proposal.closed_gates)


def publish_policy(proposal: Proposal, actor: Actor) -> int:
    subject, words = wording_of(proposal)
    row = policies.publish_policy(
        subject,
        **words,
        actor=actor,
        person=proposal.made_by,
        approver=proposal.answered_by,
        note=proposal.note or proposal.title,
        based_on=proposal.based_on,
    )
    return row.number


def wording_of(proposal: Proposal) -> tuple[Subject, policies.Words]:
    """What a guideline's draft would publish. Raises UnfitProposal."""
    try:
        subject = Subject.parse(proposal.subject)
        return subject, cast("policies.Words", bodies.columns(bodies.checked(subject, proposal.body)))
    except (UnknownSubject, UnfitWording) as error:
        raise UnfitProposal(str(error)) from error


def publish(proposal: Proposal, actor: Actor) -> None:
    """It is in force from now on; the caller has locked it."""
    publishing = publish_plan if proposal.kind == ProposalKind.PLAN else publish_policy
    proposal.published = publishing(proposal, actor)
    proposal.state = ProposalState.PUBLISHED
    proposal.save(update_fields=["published", "state"])
    record("proposal.published", proposal, actor, number=proposal.published)


def publish_due() -> int:
    """What was approved for a date that has come is in force; returns how many. One whose ground has shifted since is
    a draft again, with a remark that says so.
    """
    due = Proposal.objects.filter(state=ProposalState.APPROVED, effective_at__lte=timezone.now())
    return sum(publish_one(key) for key in due.order_by("effective_at").values_list("pk", flat=True))


def publish_one(key: UUID) -> bool:
    with transaction.atomic():
        proposal = (
            Proposal.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
            .filter(pk=key, state=ProposalState.APPROVED)
            .first()
        )
        if proposal is None:
            return False
        try:
            with transaction.atomic():
                reserve(proposal)
                check(proposal)
                publish(proposal, HOUSE)
        except (policies.Outdated, PlanError, UnfitProposal) as error:
            log.warning("proposal %s could not be published: %s", key, error)
            said = _("Not published at its date: %(why)s") % {"why": error}
            assert proposal.answered_by is not None
            proposal.refresh_from_db()
            say(proposal, proposal.answered_by, said)
            proposal.state = ProposalState.DRAFT
            proposal.save(update_fields=["state"])
            record("proposal.failed", proposal, HOUSE, why=str(error))
            return False
        return True


def locked(key: UUID, revision: int, *states: ProposalState) -> Proposal:
    """Raises Proposal.DoesNotExist or NotOpen."""
    proposal = Proposal.objects.select_for_update(no_key=True).get(pk=key)
    if proposal.state not in (states or OPEN):
        raise NotOpen(_("This proposal is “%(state)s” by now.") % {"state": proposal.get_state_display()})
    if proposal.revision != revision:
        raise NotOpen(_("Its wording was changed meanwhile: this is revision %(now)d.") % {"now": proposal.revision})
    return proposal


def reserve(proposal: Proposal) -> None:
    """The chains that publishing writes to, locked in their order: nobody waits in a circle."""
    if proposal.kind == ProposalKind.PLAN:
        policies.hold_publishing()
    number = policies.next_number()
    audit.reserve([f"proposal:{proposal.pk}", f"plan:{number}", f"policy:{proposal.subject}"])


def record(action: str, proposal: Proposal, actor: Actor, **more: Any) -> None:
    said = {
        "kind": proposal.kind,
        "title": proposal.title,
        "revision": proposal.revision,
        "based_on": proposal.based_on,
    }
    audit.record(audit.Entry(actor, action, f"proposal:{proposal.pk}", {**said, "subject": proposal.subject, **more}))
