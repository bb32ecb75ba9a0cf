"""A proposed plan: what it changes, what was said of it, and its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from moderation import admission, policies, proposals, simulation
from moderation.models import Proposal, ProposalKind, ProposalState, Scope, TriagePlan
from moderation.plan_forms import AnswerForm
from moderation.plans import Plan, PlanError
from moderation.views.access import PersonRequest, requires
from moderation.views.pinned import pinned

DONE = {
    "approve": lambda: _("Approved."),
    "send-back": lambda: _("Sent back; its author sees why."),
    "withdraw": lambda: _("Withdrawn: nothing comes of it."),
    "remark": lambda: _("Said."),
}


@require_safe
@requires(Scope.POLICY_READ, Scope.POLICY)
def detail(request: PersonRequest, pk: UUID) -> HttpResponse:
    proposal = plan_proposal(pk)
    base = TriagePlan.objects.filter(number=proposal.based_on).first()
    in_force = TriagePlan.objects.in_force()
    open_now = proposal.state in Proposal.OPEN
    asked = admission.asked(proposal.body, in_force) if open_now else []
    closed = admission.closed_in(asked)
    old, new = policies.parsed(base) if base else None, Plan.from_body(proposal.body, number=0)
    context: dict[str, Any] = {
        "proposal": proposal,
        "in_force": in_force,
        "outdated": open_now and proposal.based_on != (in_force.number if in_force else 0),
        "changes": simulation.differences(old, new),
        "pinned": pinned(old, new),
        "remarks": proposal.remarks.select_related("person"),
        "authors": sorted({str(one.person) for one in proposal.wordings.select_related("person")}),
        "may_edit": request.user.has_scope(Scope.POLICY),
        "may_approve": proposal.state == ProposalState.ASKED and proposals.may_approve(request.user, proposal),
        "open": open_now,
        "admissions": [one.as_json() for one in asked],
        "closed": closed,
        "stopped": stopped(proposal, closed),
        "asked": proposal.state == ProposalState.ASKED,
        "form": AnswerForm(initial={"revision": proposal.revision}),
    }
    return render(request, "moderation/plan_proposal.html", context)


def stopped(proposal: Proposal, closed: Mapping[str, Sequence[str]]) -> bool:
    """Whether gates are closed of which its words, if it has any, do not speak."""
    spoken = proposal.closed_gates if proposal.past_gates else {}
    return any(name not in spoken.get(ref, ()) for ref, names in closed.items() for name in names)


@require_POST
@requires(Scope.POLICY)
def answer(request: PersonRequest, pk: UUID, act: str) -> HttpResponse:
    """Approve, send back, withdraw, or say something."""
    plan_proposal(pk)
    form, person = AnswerForm(request.POST), request.user
    if act not in DONE:
        raise Http404
    if not form.is_valid():
        messages.error(request, _("Nothing was changed: the form was not complete."))
        return redirect("plan_proposal", pk=pk)
    revision, text = form.cleaned_data["revision"], form.cleaned_data["text"]
    acts: dict[str, Callable[[], object]] = {
        "approve": lambda: proposals.approve(pk, person, revision=revision, text=text),
        "send-back": lambda: proposals.send_back(pk, person, revision=revision, text=text),
        "withdraw": lambda: proposals.withdraw(pk, person, revision=revision),
        "remark": lambda: proposals.remark(pk, person, text),
    }
    try:
        acts[act]()
    except (proposals.NotOpen, proposals.OwnWork, proposals.UnfitProposal, policies.Outdated, PlanError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, DONE[act]())
    return redirect("plan_proposal", pk=pk)


def plan_proposal(pk: UUID) -> Proposal:
    rows = Proposal.objects.filter(kind=ProposalKind.PLAN).select_related("made_by", "changed_by", "answered_by")
    return get_object_or_404(rows, pk=pk)
