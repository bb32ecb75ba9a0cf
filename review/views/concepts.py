"""Concepts: those there are, a new one from examples, how good each is, and switching it on and off."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from classifiers.models import ClassifierVersion
from moderation import proposals
from moderation.actors import Actor
from moderation.adoption import AlreadyPinned
from moderation.models import Scope, Submission, TriagePlan, User
from moderation.policies import Outdated, unmeasured
from moderation.routing import PlanError
from moderation.views.access import PersonRequest, requires
from moderation.views.forwarding import forwarded
from review import concepts, feedback, images
from review.concepts.learning import PREFIX
from review.forms import ConceptForm

LISTED: Final = 50
ORIGINS: Final[dict[tuple[str, int], Promise]] = {
    ("example", 1): gettext_lazy("Its examples, each left out in turn"),
    ("labelled", 1): gettext_lazy("People said: violates the category"),
    ("labelled", 0): gettext_lazy("People approved"),
    ("presumed", 0): gettext_lazy("Nobody decided; presumed harmless"),
}


def all_concepts() -> QuerySet[ClassifierVersion]:
    return ClassifierVersion.objects.filter(kind="heads", name__startswith=PREFIX, card__has_key="concept")


@require_safe
@requires(Scope.POLICY)
def index(request: PersonRequest) -> HttpResponse:
    """The latest version of each concept, and whatever is in service."""
    plan = TriagePlan.objects.in_force()
    found = all_concepts().order_by("name", "-created_at", "-pk").distinct("name")[: LISTED + 1]
    lines = [summary(version, plan) for version in found]
    context = {"lines": lines[:LISTED], "more": len(lines) > LISTED, "plan": plan}
    return render(request, "review/concepts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Scope.POLICY)
def create(request: PersonRequest) -> HttpResponse:
    """From ids of submissions; they may stand in the address as ?example=…, for links."""
    plan = TriagePlan.objects.in_force()
    eyes = ClassifierVersion.objects.with_refs([feedback.default_backbone()]).first()
    given = {"examples": "\n".join(request.GET.getlist("example")), "name": request.GET.get("name", "")}
    form = ConceptForm(request.POST or None, initial=given)
    if form.is_valid():
        try:
            version = concepts.learn(form.draft(), actor=Actor.person(request.user))
        except concepts.CannotLearn as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("%(ref)s is measured. It is not in service yet.") % {"ref": version.ref})
            return redirect("concept", pk=version.pk)
    return render(request, "review/concept_new.html", {"form": form, "plan": plan, "eyes": eyes})


@require_safe
@requires(Scope.POLICY)
def detail(request: PersonRequest, pk: UUID) -> HttpResponse:
    version = concept_or_404(pk)
    plan = TriagePlan.objects.in_force()
    category = version.card["concept"]["category"]
    context = {
        **summary(version, plan),
        "needs_second": proposals.needs_second(),
        "plan": plan,
        "sources": [
            {**row, "words": ORIGINS.get((row["source"], row["label"]), row["source"]), "share": row["hits"] / row["n"]}
            for row in version.metrics[category].get("sources", ())
        ],
        "band": (plan.body["bands"] if plan else {}).get(category),
        "examples": glimpsed(version.card["concept"]["examples"], request.user),
        "nearest": glimpsed(version.card["concept"]["nearest"], request.user),
        "siblings": all_concepts().filter(name=version.name).order_by("-created_at", "-pk").defer("card")[:20],
    }
    return render(request, "review/concept.html", context)


@require_POST
@requires(Scope.POLICY)
def switch(request: PersonRequest, pk: UUID) -> HttpResponse:
    """On or off, as a plan that a colleague approves."""
    version = concept_or_404(pk)
    act = concepts.switch_on if request.POST.get("to") == "on" else concepts.switch_off
    try:
        made = act(version)
        proposal = proposals.put_forward(request.user, made.body, note=made.note, based_on=made.based_on)
    except (AlreadyPinned, PlanError, Outdated, proposals.UnfitProposal) as refusal:
        messages.error(request, str(refusal))
        return redirect("concept", pk=version.pk)
    return forwarded(request, proposal, done=_("Plan %(number)d is in force."), back="concept", pk=version.pk)


def concept_or_404(pk: UUID) -> ClassifierVersion:
    version = get_object_or_404(all_concepts(), pk=pk)
    if version.card["concept"]["category"] not in version.metrics:
        raise Http404
    return version


def summary(version: ClassifierVersion, plan: TriagePlan | None) -> dict[str, Any]:
    concept = version.card["concept"]
    return {
        "version": version,
        "concept": concept,
        "figures": version.metrics[concept["category"]],
        "picked": version.metrics[concept["category"]].get("picked") or {},
        "on": plan is not None and version.ref in plan.body["classifiers"],
        "unmeasured": unmeasured(version),
    }


def glimpsed(keys: list[str], person: User) -> list[dict[str, Any]]:
    """Those still there and not under legal hold, blurred, in the order given. One query."""
    rows = {str(row.pk): row for row in Submission.objects.filter(pk__in=keys).only("pk", "status", "created_at")}
    seen = [(rows[key], images.glimpse(rows[key], person)) for key in keys if key in rows]
    return [{"submission": row, "glimpse": link} for row, link in seen if link]
