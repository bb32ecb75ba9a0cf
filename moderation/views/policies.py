"""Guidelines: the list, one category's page, and the form that publishes its next version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from moderation import policies
from moderation.actors import Actor
from moderation.forms import BY_SEVERITY, PolicyForm, draft_of
from moderation.models import PolicyVersion, Scope, TriagePlan
from moderation.routing import Band
from moderation.taxonomy import DEFAULT_SEVERITY, UNTRAINABLE, Category, Severity
from moderation.views.access import PersonRequest, requires


@dataclass(frozen=True, slots=True)
class Line:
    """One category in the list; None where nothing is published for it yet."""

    category: Category
    severity: Severity
    policy: PolicyVersion | None
    band: Band | None

    def matches(self, query: str) -> bool:
        words = [self.category.value, str(self.category.label)]
        if self.policy:
            words += [self.policy.headline, self.policy.definition, *self.policy.allowed, *self.policy.not_allowed]
        return all(part in " ".join(words).casefold() for part in query.casefold().split())


@require_safe
@requires(Scope.POLICY_READ, Scope.POLICY)
def index(request: PersonRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()
    lines = [line for line in all_lines() if line.matches(query)]
    groups = [(severity, list(group)) for severity, group in groupby(lines, key=lambda line: line.severity)]
    context = {"query": query, "groups": groups, "found": len(lines), "plan": TriagePlan.objects.in_force()}
    return render(request, "moderation/policies.html", context)


@require_safe
@requires(Scope.POLICY_READ, Scope.POLICY)
def detail(request: PersonRequest, category: str) -> HttpResponse:
    code = category_or_404(category)
    versions = list(PolicyVersion.objects.filter(category=code).order_by("-number").select_related("published_by"))
    shown = chosen(versions, request.GET.get("version"))
    plan = TriagePlan.objects.in_force()
    context = {
        "category": code,
        "categories": all_lines(),
        "severity": shown.severity if shown else DEFAULT_SEVERITY[code],
        "policy": shown,
        "latest": versions[0] if versions else None,
        "versions": versions,
        "plan": plan,
        "band": bands_of(plan).get(code),
        "audit_rate": policies.parsed(plan).audit_rate if plan else None,
        "trainable": code not in UNTRAINABLE,
        "may_edit": request.user.has_scope(Scope.POLICY),
    }
    return render(request, "moderation/policy.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Scope.POLICY)
def edit(request: PersonRequest, category: str) -> HttpResponse:
    code = category_or_404(category)
    latest = latest_of(code)
    form = PolicyForm(
        request.POST or None,
        initial=draft_of(latest) if latest else {"based_on": 0, "severity": DEFAULT_SEVERITY[code]},
    )
    theirs = None
    if form.is_valid():
        try:
            policy = policies.publish_policy(
                code, **form.cleaned_data, actor=Actor.person(request.user), person=request.user
            )
        except policies.Outdated:
            # Show what the other published beside the draft; publishing again is then a choice made with open eyes.
            theirs = latest_of(code)
            form = rebased(request, theirs.number if theirs else 0)
        else:
            messages.success(
                request,
                _("Version %(number)d of %(category)s is in force.")
                % {"number": policy.number, "category": code.label},
            )
            return redirect("policy", category=code.value)
    context = {"category": code, "form": form, "latest": latest, "theirs": theirs}
    return render(request, "moderation/policy_edit.html", context, status=409 if theirs else 200)


def rebased(request: PersonRequest, number: int) -> PolicyForm:
    """The draft that was sent, over another version."""
    data = request.POST.copy()
    data["based_on"] = str(number)
    return PolicyForm(data)


def latest_of(code: Category) -> PolicyVersion | None:
    return PolicyVersion.objects.filter(category=code).order_by("-number").select_related("published_by").first()


def all_lines() -> list[Line]:
    """Every category, gravest first. Two queries."""
    written = policies.in_force()
    bands = bands_of(TriagePlan.objects.in_force())
    lines = [Line(code, severity_of(code, written), written.get(code), bands.get(code)) for code in BY_SEVERITY]
    return sorted(lines, key=lambda line: -line.severity)


def severity_of(code: Category, written: Mapping[str, PolicyVersion]) -> Severity:
    return Severity(written[code].severity) if code in written else DEFAULT_SEVERITY[code]


def bands_of(plan: TriagePlan | None) -> Mapping[str, Band]:
    return policies.parsed(plan).bands if plan else {}


def chosen(versions: list[PolicyVersion], number: str | None) -> PolicyVersion | None:
    """The version asked for, else the latest. Raises Http404 when there is no such version."""
    if number is None:
        return versions[0] if versions else None
    found = next((version for version in versions if str(version.number) == number), None)
    if found is None:
        raise Http404
    return found


def category_or_404(value: str) -> Category:
    try:
        return Category(value)
    except ValueError:
        raise Http404 from None
