"""Writing a guideline: the editor with its live preview, for a new draft and for one that is open."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from moderation import proposals
from moderation.guidelines import bodies, differences
from moderation.guidelines.faults import UnknownSubject
from moderation.guidelines.readings import Reading
from moderation.guidelines.subjects import Subject
from moderation.models import PolicyVersion, Proposal, ProposalKind, Scope
from moderation.policies import Outdated
from moderation.policy_forms import PolicyForm, filled
from moderation.taxonomy import DEFAULT_SEVERITY
from moderation.views.access import PersonRequest, requires


def subject_or_404(said: str) -> Subject:
    try:
        return Subject.parse(said)
    except UnknownSubject:
        raise Http404 from None


@require_safe
@requires(Scope.POLICY)
def fresh(request: PersonRequest) -> HttpResponse:
    """From a category and the name of a new part, or a language, to the editor."""
    category, part, locale = (request.GET.get(name, "").strip() for name in ("category", "part", "locale"))
    part, locale = "-".join(part.lower().split()), locale.lower().replace("_", "-")
    said = f"{category}{'.' if part else ''}{part}{'@' if locale else ''}{locale}"
    try:
        subject = Subject.parse(said)
    except UnknownSubject as error:
        messages.error(request, str(error))
        return redirect("policies")
    return redirect("policy_edit", category=str(subject))


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Scope.POLICY)
def edit(request: PersonRequest, category: str) -> HttpResponse:
    """A new draft over the version in force, or over an earlier one that is asked for."""
    subject = subject_or_404(category)
    latest = subject.latest()
    original = subject.original.latest() if subject.locale else None
    if subject.locale and original is None:
        raise Http404
    if request.method != "POST":
        form = PolicyForm(subject=subject, initial=begun(subject, request.GET.get("from"), latest, original))
        return page(request, subject, form, latest)
    form = PolicyForm(request.POST, subject=subject)
    if not form.is_valid():
        return page(request, subject, form, latest)
    if form.cleaned_data["based_on"] != (latest.number if latest else 0):
        return page(request, subject, rebased(request, subject, latest), latest, theirs=latest, status=409)
    said = form.cleaned_data
    proposal = proposals.draft(
        request.user,
        ProposalKind.POLICY,
        str(subject),
        form.body,
        title=said["title"],
        note=said["note"],
        based_on=said["based_on"],
        effective_at=said["effective_at"],
    )
    return settled(request, proposal)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Scope.POLICY)
def revise(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Another wording of an open draft."""
    proposal = get_object_or_404(Proposal, pk=pk, kind=ProposalKind.POLICY)
    subject = subject_or_404(proposal.subject)
    latest = subject.latest()
    if proposal.state not in Proposal.OPEN:
        messages.error(request, _("This draft is “%(state)s” by now.") % {"state": proposal.get_state_display()})
        return redirect("policy_proposal", pk=pk)
    if request.method != "POST":
        shown = filled(proposal.body, based_on=proposal.based_on) | {
            name: getattr(proposal, name) for name in ("revision", "title", "note", "effective_at")
        }
        return page(request, subject, PolicyForm(subject=subject, initial=shown), latest, proposal=proposal)
    form = PolicyForm(request.POST, subject=subject)
    if not form.is_valid():
        return page(request, subject, form, latest, proposal=proposal)
    if form.cleaned_data["based_on"] != (latest.number if latest else 0):
        form = rebased(request, subject, latest)
        return page(request, subject, form, latest, proposal=proposal, theirs=latest, status=409)
    said = form.cleaned_data
    try:
        proposal = proposals.revise(
            pk,
            request.user,
            form.body,
            revision=said["revision"] or 0,
            based_on=said["based_on"],
            title=said["title"],
            note=said["note"],
            effective_at=said["effective_at"],
        )
    except proposals.NotOpen as error:
        # Their wording is on the draft's page; this one stays in the form, over it.
        data = request.POST.copy()
        data["revision"] = str(proposal.revision)
        form = PolicyForm(data, subject=subject)
        return page(request, subject, form, latest, proposal=proposal, trouble=str(error), status=409)
    return settled(request, proposal)


def settled(request: PersonRequest, proposal: Proposal) -> HttpResponseRedirect:
    """Saved; and a second person asked, where that was the button."""
    if request.POST.get("action") == "ask":
        try:
            proposal = proposals.ask(proposal.pk, request.user, revision=proposal.revision)
        except (Outdated, proposals.NotOpen, proposals.UnfitProposal) as error:
            messages.error(request, _("The draft is saved. %(why)s") % {"why": error})
        else:
            messages.success(request, _("Saved. A second person is asked to approve it."))
    else:
        messages.success(request, _("The draft is saved."))
    return HttpResponseRedirect(reverse("policy_proposal", kwargs={"pk": proposal.pk}))


@require_POST
@requires(Scope.POLICY)
def preview(request: PersonRequest, category: str) -> HttpResponse:
    """How what stands in the form would read, and what it changes; nothing is kept."""
    subject = subject_or_404(category)
    form = PolicyForm(request.POST, subject=subject)
    form.is_valid()
    body = form.body or form.said(form.cleaned_data)
    latest = subject.latest()
    context = {
        "reading": Reading.of_body(body),
        "changes": differences.changes(bodies.body_of(latest) if latest else {}, body),
        "latest": latest,
        "troubles": form.errors.get("__all__", []),
    }
    return render(request, "moderation/policy_preview.html", context)


def begun(
    subject: Subject, number: str | None, latest: PolicyVersion | None, original: PolicyVersion | None
) -> dict[str, Any]:
    """What a fresh draft holds: the version asked for, else the one in force, else what it would translate."""
    based_on = latest.number if latest else 0
    if number is not None:
        earlier = subject.versions().filter(number=number).first() if number.isascii() and number.isdigit() else None
        if earlier is None:
            raise Http404
        return filled(bodies.body_of(earlier) | {"archived": False}, based_on=based_on)
    start = latest or original
    if start is None:
        return {"based_on": 0, "severity": DEFAULT_SEVERITY[subject.category]}
    shown = filled(bodies.body_of(start), based_on=based_on)
    return shown | ({"translates": original.number} if original else {})


def rebased(request: PersonRequest, subject: Subject, latest: PolicyVersion | None) -> PolicyForm:
    """The draft that was sent, over another version: saving it again is then a choice made with open eyes."""
    data = request.POST.copy()
    data["based_on"] = str(latest.number if latest else 0)
    return PolicyForm(data, subject=subject)


def page(
    request: PersonRequest,
    subject: Subject,
    form: PolicyForm,
    latest: PolicyVersion | None,
    *,
    proposal: Proposal | None = None,
    theirs: PolicyVersion | None = None,
    trouble: str = "",
    status: int = 200,
) -> HttpResponse:
    others = proposals.open_proposals(ProposalKind.POLICY, str(subject))
    if theirs is None and proposal is not None and latest is not None and proposal.based_on != latest.number:
        theirs = latest
    read = theirs or latest
    context = {
        "subject": subject,
        "form": form,
        "latest": latest,
        "original": subject.original.latest() if subject.locale else None,
        "proposal": proposal,
        "theirs": theirs,
        "trouble": trouble,
        "others": [one for one in others[:5] if proposal is None or one.pk != proposal.pk],
        "reading": Reading.of(read) if read else None,
        "needs_second": proposals.needs_second(),
    }
    return render(request, "moderation/policy_edit.html", context, status=status)
