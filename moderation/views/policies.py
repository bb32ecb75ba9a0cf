"""Guidelines: the list, one guideline's page with its versions, parts and translations, and going back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from moderation import policies, proposals
from moderation.forms import BY_SEVERITY
from moderation.guidelines.readings import Reading
from moderation.models import PolicyVersion, ProposalKind, Scope, TriagePlan
from moderation.routing import Band
from moderation.taxonomy import DEFAULT_SEVERITY, UNTRAINABLE, Category, Severity
from moderation.views.access import PersonRequest, requires
from moderation.views.policy_drafts import subject_or_404

DRAFTS: Final = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One category in the list; None where nothing is published for it yet."""

    category: Category
    severity: Severity
    policy: PolicyVersion | None
    band: Band | None
    parts: Sequence[PolicyVersion] = ()

    def matches(self, query: str) -> bool:
        words = [self.category.value, str(self.category.label)]
        if self.policy:
            words += said(self.policy)
        words += [word for part in self.parts for word in (part.part, *said(part))]
        return all(part in " ".join(words).casefold() for part in query.casefold().split())


def said(policy: PolicyVersion) -> list[str]:
    return [policy.headline, policy.definition, *policy.allowed, *policy.not_allowed]


@require_safe
@requires(Scope.POLICY_READ, Scope.POLICY)
def index(request: PersonRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()
    lines = [line for line in all_lines() if line.matches(query)]
    groups = [(severity, list(group)) for severity, group in groupby(lines, key=lambda line: line.severity)]
    context = {
        "query": query,
        "groups": groups,
        "found": len(lines),
        "plan": TriagePlan.objects.in_force(),
        "waiting": proposals.waiting_for(request.user).filter(kind=ProposalKind.POLICY).count(),
    }
    return render(request, "moderation/policies.html", context)


@require_safe
@requires(Scope.POLICY_READ, Scope.POLICY)
def detail(request: PersonRequest, category: str) -> HttpResponse:
    subject = subject_or_404(category)
    code = subject.category
    versions = list(subject.versions().order_by("-number").select_related("published_by", "approved_by"))
    if not versions and not subject.is_category:
        raise Http404
    shown = chosen(versions, request.GET.get("version"))
    family = list(PolicyVersion.objects.filter(category=code).latest_of_each())
    plan = TriagePlan.objects.in_force()
    context = {
        "subject": subject,
        "category": code,
        "categories": all_lines(),
        "reading": Reading.of(shown) if shown else None,
        "parts": [one for one in family if one.part and not one.locale],
        "translations": [one for one in family if one.part == subject.part and one.locale],
        "original": next((one for one in family if one.part == subject.part and not one.locale), None),
        "drafts": list(proposals.open_proposals(ProposalKind.POLICY, str(subject))[:DRAFTS]),
        "today": timezone.now().date(),
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


@require_POST
@requires(Scope.POLICY)
def roll_back(request: PersonRequest, category: str) -> HttpResponse:
    """An earlier version as a draft that waits for a second person: to go back is to add a version."""
    subject = subject_or_404(category)
    number = request.POST.get("to", "")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise Http404
    note = request.POST.get("note", "").strip()[:2000]
    try:
        proposal = proposals.go_back(request.user, subject, int(number), note=note)
    except PolicyVersion.DoesNotExist:
        raise Http404 from None
    except (proposals.UnfitProposal, policies.Outdated) as error:
        words = {"number": number, "why": error}
        messages.error(request, _("Version %(number)s cannot come back as it is: %(why)s") % words)
        return redirect("policy", category=str(subject))
    if proposal.published:
        messages.success(request, _("Version %(number)d is in force.") % {"number": proposal.published})
        return redirect("policy", category=str(subject))
    messages.success(request, _("A second person is asked to approve going back."))
    return redirect("policy_proposal", pk=proposal.pk)


def all_lines() -> list[Line]:
    """Every category, gravest first, with its parts. Two queries."""
    written: dict[str, PolicyVersion] = {}
    parts: dict[str, list[PolicyVersion]] = defaultdict(list)
    for one in PolicyVersion.objects.filter(locale="").latest_of_each():
        if not one.part:
            written[one.category] = one
        elif not one.archived:
            parts[one.category].append(one)
    bands = bands_of(TriagePlan.objects.in_force())
    lines = [
        Line(code, severity_of(code, written), written.get(code), bands.get(code), parts[code]) for code in BY_SEVERITY
    ]
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
