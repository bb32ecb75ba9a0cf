"""A version's page, with its stage and its gates; and the steps from one stage to the next, and back."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from classifiers.models import ClassifierVersion
from moderation import adoption, guarantees, policies, proposals, rollouts, shadows, simulation, stages
from moderation.actors import Actor
from moderation.admission import GateClosed
from moderation.forms import NoteForm, PastForm
from moderation.models import BandCertificate, Proposal, ProposalState, Scope, TriagePlan
from moderation.plans import PlanError
from moderation.stages import Stage, Standing
from moderation.views import learning
from moderation.views.access import PersonRequest, requires
from review.evaluations import orders
from review.gate_forms import GatesForm, initial_of
from review.promotion import gates as gating
from review.promotion import moving, setting

REFUSALS: Final = (
    adoption.AlreadyPinned,
    shadows.AlreadyInShadow,
    GateClosed,
    moving.CannotMove,
    policies.Outdated,
    proposals.UnfitProposal,
    rollouts.CannotRollOut,
    PlanError,
)
LISTED: Final = 10


@require_safe
@requires(Scope.ML, Scope.POLICY_READ)
def detail(request: PersonRequest, pk: UUID) -> HttpResponse:
    version = get_object_or_404(ClassifierVersion.objects.select_related("backbone"), pk=pk)
    standing = Standing.now()
    found = gating.standing(version, standing.plan)
    stage = standing.stage_of(version)
    context = {
        **learning.told(version, request.user),
        "stage": stage,
        "way": [Stage.CANDIDATE, Stage.SHADOW, Stage.CANARY, Stage.IN_SERVICE, Stage.RETIRED],
        "admission": found,
        "gates": found.gates if found else [],
        "closed": found.closed if found else [],
        "rollout": standing.rollout if stage == Stage.CANARY else None,
        "other_rollout": standing.rollout is not None and stage != Stage.CANARY,
        "needs_second": proposals.needs_second(),
        "past_form": PastForm(),
        "canary_percent": round(100 * moving.CANARY_SHARE, 3),
        "evaluations": version.evaluations.select_related("incumbent").order_by("-id")[:LISTED],
        "evaluation": orders.latest(version),
        "waiting": waiting_for(version),
        "outgrown": outgrown_by(version) if stage == Stage.IN_SERVICE else [],
        **going_back(version, standing.plan, stage),
    }
    return render(request, "moderation/classifier.html", context)


def waiting_for(version: ClassifierVersion) -> Proposal | None:
    """The newest proposal that would pin it."""
    found = proposals.open_proposals(subject="")
    return next((one for one in found[:LISTED] if version.ref in one.body.get("classifiers", ())), None)


def outgrown_by(version: ClassifierVersion) -> list[BandCertificate]:
    """Certificates of its categories that ended when it, or another, came into service."""
    found = guarantees.outgrown(timezone.now())
    return [one for one in found if one.category in version.categories and version.ref not in one.classifiers]


def going_back(version: ClassifierVersion, plan: TriagePlan | None, stage: Stage) -> dict[str, Any]:
    """Where one step back leads, and all that it would change."""
    earlier = stages.before(version) if stage == Stage.IN_SERVICE else None
    if earlier is None or plan is None:
        return {}
    return {"earlier": earlier, "back_changes": simulation.differences(policies.parsed(plan), policies.parsed(earlier))}


@require_POST
@requires(Scope.ML)
def adopt(request: PersonRequest, pk: UUID) -> HttpResponse:
    version = get_object_or_404(ClassifierVersion, pk=pk)
    try:
        proposal = moving.to_service(version, request.user, note=note_of(request), past_gates=past_of(request))
    except REFUSALS as error:
        messages.error(request, str(error))
        return redirect("classifier", pk=version.pk)
    return told(request, version, proposal)


@require_POST
@requires(Scope.ML)
def canary(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Try it on a share of the traffic; with `end`, no longer."""
    version = get_object_or_404(ClassifierVersion, pk=pk)
    if "end" in request.POST:
        return dropped(request, version)
    try:
        share = float(request.POST.get("percent", "").replace(",", ".")) / 100
        note, past = note_of(request), past_of(request)
        proposal = moving.to_canary(version, request.user, share=share, note=note, past_gates=past)
    except ValueError as error:  # PlanError is one, too, and says what is wrong
        words = str(error) if isinstance(error, REFUSALS) else _("The share is a number of per cent.")
        messages.error(request, words)
        return redirect("classifier", pk=version.pk)
    except REFUSALS as error:
        messages.error(request, str(error))
        return redirect("classifier", pk=version.pk)
    return told(request, version, proposal)


def dropped(request: PersonRequest, version: ClassifierVersion) -> HttpResponse:
    standing = Standing.now()
    if standing.rollout is not None and standing.stage_of(version) == Stage.CANARY:
        moving.end_canary(standing.rollout.pk, request.user, adopt=False, why=note_of(request))
        messages.success(request, _("Dropped: everything follows the plan in force."))
    else:
        messages.error(request, _("It is not tried on the traffic now."))
    return redirect("classifier", pk=version.pk)


def told(request: PersonRequest, version: ClassifierVersion, proposal: Proposal) -> HttpResponse:
    if proposal.state != ProposalState.PUBLISHED or proposal.published is None:
        messages.success(request, _("A colleague must approve it before it is in force."))
        return redirect("classifier", pk=version.pk)
    words = _("Candidate %(number)d is tried.") if proposal.share else _("Plan %(number)d pins %(ref)s.")
    messages.success(request, words % {"number": proposal.published, "ref": version.ref})
    return redirect("plan", number=proposal.published)


@require_POST
@requires(Scope.ML, Scope.POLICY)
def back(request: PersonRequest, pk: UUID) -> HttpResponse:
    """The plan from before this version came in, again."""
    version = get_object_or_404(ClassifierVersion, pk=pk)
    try:
        plan = moving.back(version, request.user, note=note_of(request))
    except REFUSALS as error:
        messages.error(request, str(error))
        return redirect("classifier", pk=version.pk)
    messages.success(request, _("Plan %(number)d is in force. %(note)s") % {"number": plan.number, "note": plan.note})
    return redirect("plan", number=plan.number)


@require_POST
@requires(Scope.ML)
def shadow(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Let a version look on beside those in service; with `end`, no longer."""
    version = get_object_or_404(ClassifierVersion, pk=pk)
    act = shadows.end if "end" in request.POST else shadows.start
    try:
        plan = act(version.ref, actor=Actor.person(request.user), person=request.user)
    except REFUSALS as error:
        messages.error(request, str(error))
    else:
        if plan is not None:
            words = {"number": plan.number, "note": plan.note}
            messages.success(request, _("Plan %(number)d is in force. %(note)s") % words)
    return redirect("classifier", pk=version.pk)


@require_POST
@requires(Scope.POLICY)
def end_rollout(request: PersonRequest, pk: UUID, act: str) -> HttpResponse:
    """Adopt the candidate, or drop it."""
    try:
        plan = moving.end_canary(pk, request.user, adopt=act == "adopt", why=note_of(request))
    except REFUSALS as error:
        messages.error(request, str(error))
    else:
        words = _("Plan %(number)d is in force.") % {"number": plan.number} if plan else ""
        messages.success(request, words or _("Dropped: everything follows the plan in force."))
    return redirect("plans")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Scope.POLICY)
def gates(request: PersonRequest) -> HttpResponse:
    """What a version must show before it is promoted, as a draft of the plan in force."""
    plan = TriagePlan.objects.in_force()
    now = policies.parsed(plan).gates if plan else None
    initial = {**initial_of(now), "based_on": plan.number if plan else 0}
    form = GatesForm(request.POST or None, initial=initial)
    if form.is_valid():
        said = form.cleaned_data
        try:
            proposal = setting.propose(form.body(), request.user, based_on=said["based_on"], note=said["note"])
        except (PlanError, policies.Outdated, proposals.UnfitProposal) as error:
            form.add_error(None, str(error))
        else:
            if proposal.state == ProposalState.PUBLISHED and proposal.published:
                messages.success(request, _("Plan %(number)d is in force.") % {"number": proposal.published})
                return redirect("plan", number=proposal.published)
            messages.success(request, _("A colleague must approve it before it is in force."))
            return redirect("plan_proposal", pk=proposal.pk)
    context = {"form": form, "plan": plan, "needs_second": proposals.needs_second()}
    return render(request, "review/gates.html", context)


def note_of(request: PersonRequest) -> str:
    form = NoteForm(request.POST)
    return str(form.cleaned_data["note"]) if form.is_valid() else ""


def past_of(request: PersonRequest) -> str:
    """Why closed gates are gone past, as far as somebody says so."""
    form = PastForm(request.POST)
    return str(form.cleaned_data["past_gates"]) if form.is_valid() else ""
