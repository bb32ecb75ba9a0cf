"""Drafts of guidelines: the list, one with what it changes and what was said, and the answers to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from moderation import policies, proposals
from moderation.guidelines import bodies, differences
from moderation.guidelines.readings import Reading
from moderation.guidelines.subjects import Subject
from moderation.models import Proposal, ProposalKind, ProposalState, Scope, User
from moderation.views.access import PersonRequest, requires
from moderation.views.policy_drafts import subject_or_404

LISTED: Final = 50
Act = Callable[[UUID, User, int, str], object]
ACTS: Final[dict[str, Act]] = {
    "ask": lambda key, person, revision, _text: proposals.ask(key, person, revision=revision),
    "approve": lambda key, person, revision, text: proposals.approve(key, person, revision=revision, text=text),
    "send-back": lambda key, person, revision, text: proposals.send_back(key, person, revision=revision, text=text),
    "withdraw": lambda key, person, revision, _text: proposals.withdraw(key, person, revision=revision),
    "remark": lambda key, person, _revision, text: proposals.remark(key, person, text),
}


@require_safe
@requires(Scope.POLICY)
def index(request: PersonRequest) -> HttpResponse:
    """Open drafts, those that wait for this person first; below them the last ones that were answered."""
    mine = set(proposals.waiting_for(request.user).values_list("pk", flat=True))
    open_ones = list(proposals.open_proposals(ProposalKind.POLICY)[:LISTED])
    done = Proposal.objects.filter(kind=ProposalKind.POLICY).exclude(state__in=Proposal.OPEN)
    context = {
        "waiting": [line(one) for one in open_ones if one.pk in mine],
        "open": [line(one) for one in open_ones if one.pk not in mine],
        "done": [line(one) for one in done.select_related("made_by", "changed_by", "answered_by")[:LISTED]],
    }
    return render(request, "moderation/policy_proposals.html", context)


def line(proposal: Proposal) -> tuple[Proposal, str]:
    return proposal, Subject.parse(proposal.subject).title


@require_safe
@requires(Scope.POLICY)
def detail(request: PersonRequest, pk: UUID) -> HttpResponse:
    return show(request, found(pk))


def found(pk: UUID) -> Proposal:
    people = Proposal.objects.select_related("made_by", "changed_by", "answered_by")
    return get_object_or_404(people, pk=pk, kind=ProposalKind.POLICY)


@require_POST
@requires(Scope.POLICY)
def act(request: PersonRequest, pk: UUID, verb: str) -> HttpResponse:
    """One answer, or a remark; what was written is kept when it cannot be given."""
    proposal, text = found(pk), request.POST.get("text", "")
    said = request.POST.get("revision", "")
    revision = int(said[:9]) if said.isascii() and said.isdigit() else 0
    try:
        ACTS[verb](pk, request.user, revision, text)
    except (proposals.NotOpen, proposals.OwnWork, proposals.UnfitProposal, policies.Outdated) as error:
        return show(request, found(pk), trouble=str(error), kept=text, status=409)
    proposal = found(pk)
    if proposal.state == ProposalState.PUBLISHED:
        subject = Subject.parse(proposal.subject)
        words = {"number": proposal.published, "what": subject.title}
        messages.success(request, _("Version %(number)d of %(what)s is in force.") % words)
        return redirect("policy", category=str(subject))
    messages.success(request, done(verb))
    return redirect("policy_proposal", pk=pk)


def done(verb: str) -> str:
    said = {
        "ask": _("A second person is asked to approve it."),
        "approve": _("Approved: in force from its date on."),
        "send-back": _("Sent back as a draft, with your reason."),
        "withdraw": _("Withdrawn. Nothing comes of it; every wording stays readable."),
        "remark": _("Your comment is kept."),
    }
    return said[verb]


def show(
    request: PersonRequest, proposal: Proposal, *, trouble: str = "", kept: str = "", status: int = 200
) -> HttpResponse:
    subject = subject_or_404(proposal.subject)
    versions = {row.number: row for row in subject.versions()}
    latest = max(versions, default=0)
    base = versions.get(proposal.based_on)
    before = bodies.body_of(base) if base else {}
    outdated = proposal.state in Proposal.OPEN and latest != proposal.based_on
    context: dict[str, Any] = {
        "proposal": proposal,
        "subject": subject,
        "base": base,
        "changes": differences.changes(before, proposal.body),
        "reading": Reading.of_body(proposal.body),
        "latest": latest,
        "theirs": differences.changes(before, bodies.body_of(versions[latest])) if outdated and latest else [],
        "outdated": outdated,
        "remarks": proposal.remarks.select_related("person"),
        "wordings": proposal.wordings.select_related("person").defer("body"),
        "inline": request.GET.get("view") == "inline",
        "may_approve": proposal.state == ProposalState.ASKED and proposals.may_approve(request.user, proposal),
        "is_open": proposal.state in Proposal.OPEN,
        "trouble": trouble,
        "kept": kept,
    }
    return render(request, "moderation/policy_proposal.html", context, status=status)
