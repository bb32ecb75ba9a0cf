"""Plans: the one in force with its history, an earlier one, a draft with what it would change, and going back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from classifiers.models import ClassifierVersion
from moderation import admission, automation, first_edition, guarantees, policies, proposals, rollouts, simulation
from moderation.actors import Actor
from moderation.admission import GateClosed
from moderation.forms import BY_SEVERITY, NoteForm
from moderation.guidelines.actions import at_odds
from moderation.models import Proposal, ProposalKind, ProposalState, Scope, TriagePlan
from moderation.plan_forms import WholePlanForm, whole_draft_of
from moderation.plans import COPIES_ACROSS
from moderation.routing import Action, Band, Plan, PlanError
from moderation.stop_forms import StopForm
from moderation.taxonomy import DEFAULT_SEVERITY, Category, Severity
from moderation.views.access import PersonRequest, requires
from moderation.views.versions import newest

HISTORY: Final = 25
NEWEST_EACH: Final = 5
OUTCOMES: Final[dict[Action, Promise]] = {
    "approve": gettext_lazy("approved by machine"),
    "review": gettext_lazy("to people"),
    "block": gettext_lazy("blocked by machine"),
    "quarantine": gettext_lazy("under legal hold"),
}

FAILING: Final[dict[str, Promise]] = {
    "review": gettext_lazy("an image that a classifier failed on goes to a person"),
    "wait": gettext_lazy("an image that a classifier failed on waits until it answers"),
}
COPYING: Final[dict[str, Promise]] = {
    "off": gettext_lazy("near-duplicates of what people decided are judged like any image"),
    "settle": gettext_lazy("near-duplicates of what people decided follow the decision, within one client"),
    COPIES_ACROSS: gettext_lazy(
        "near-duplicates of what people decided follow the decision, whichever client sent them"
    ),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One category of a plan, with the pinned versions that score it, and the bands that overlays lay over its own."""

    category: Category
    severity: Severity
    band: Band | None
    speakers: Sequence[ClassifierVersion]
    overlaid: Sequence[tuple[str, Band]] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the replayed images one action takes, before and after."""

    action: Action
    before: int
    after: int
    total: int

    @property
    def words(self) -> Promise:
        return OUTCOMES[self.action]

    @property
    def percent(self) -> float:
        return 100 * self.after / self.total if self.total else 0.0

    @property
    def points(self) -> str:
        """The change in percentage points, with its sign."""
        return f"{100 * (self.after - self.before) / (self.total or 1):+.1f}".replace("-", "−")


@require_safe
@requires(Scope.POLICY_READ, Scope.POLICY)
def index(request: PersonRequest) -> HttpResponse:
    """The plan in force."""
    return show(request, TriagePlan.objects.select_related("published_by").in_force())


@require_safe
@requires(Scope.POLICY_READ, Scope.POLICY)
def detail(request: PersonRequest, number: int) -> HttpResponse:
    return show(request, get_object_or_404(TriagePlan.objects.select_related("published_by"), number=number))


def show(request: PersonRequest, shown: TriagePlan | None) -> HttpResponse:
    before = request.GET.get("before", "")
    history = TriagePlan.objects.select_related("published_by").order_by("-number")
    if before.isascii() and before.isdigit():
        history = history.filter(number__lt=int(before[:9]))
    rows = list(history[: HISTORY + 1])
    plan = policies.parsed(shown) if shown else None
    in_force = TriagePlan.objects.in_force()
    context = {
        "shown": shown,
        "plan": plan,
        "in_force": in_force,
        "outgrown": guarantees.outgrown(timezone.now()) if shown is not None and shown == in_force else [],
        "lines": lines_of(plan) if plan else [],
        "tightening": [simulation.told(rule) for rule in plan.tightening] if plan else [],
        "failing": FAILING[plan.on_error] if plan else "",
        "copying": COPYING[plan.copies] if plan else "",
        "history": rows[:HISTORY],
        "older": rows[HISTORY - 1].number if len(rows) > HISTORY else None,
        "note_form": NoteForm(),
        "stops": list(automation.standing()),
        "waiting": list(proposals.open_proposals(ProposalKind.PLAN)[:HISTORY]),
        "rollout": rollouts.running(),
        "overlays": [simulation.overlay_told(one) for one in plan.overlays] if plan else [],
        "care": care_of(plan) if plan else [],
        "at_odds": at_odds(plan, policies.in_force()) if plan else [],
        "gates": simulation.gates_told(plan.gates) if plan and plan.gates else "",
        "stop_form": StopForm(),
        "may_edit": request.user.has_scope(Scope.POLICY),
    }
    return render(request, "moderation/plan.html", context)


def care_of(plan: Plan) -> list[tuple[str, int, float, str]]:
    """The categories that the plan treats apart: people who must agree, audit rate, queue."""
    named = {*plan.consensus, *plan.audit_rates, *plan.queues}
    return [
        (code, plan.consensus.get(code, 1), plan.rate(code), plan.queues.get(code, ""))
        for code in BY_SEVERITY
        if code in named
    ]


def lines_of(plan: Plan) -> list[Line]:
    """Every category in order of severity; one query."""
    pinned = list(ClassifierVersion.objects.with_refs(list(plan.classifiers)))
    return [
        Line(
            code,
            DEFAULT_SEVERITY[code],
            plan.bands.get(code),
            [one for one in pinned if code in one.categories],
            [(one.name, one.bands[code]) for one in plan.overlays if code in one.bands],
        )
        for code in BY_SEVERITY
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Scope.POLICY)
def draft(request: PersonRequest) -> HttpResponse:
    """A draft: preview says what it would change, publish puts it in force."""
    in_force = TriagePlan.objects.in_force()
    current = policies.parsed(in_force) if in_force else None
    versions = selectable(current)
    context: dict[str, Any] = {
        "in_force": in_force,
        "needs_second": proposals.needs_second(),
        "gates_set": current is not None and (current.gates is not None or current.privacy_budget is not None),
    }
    if request.method != "POST":
        form = WholePlanForm(initial=start(request.GET, in_force), versions=versions)
        return render(request, "moderation/plan_draft.html", context | {"form": form})
    publishing = request.POST.get("action") == "publish"
    form = WholePlanForm(request.POST, versions=versions, publishing=publishing)
    context["form"] = form
    if not form.is_valid():
        return render(request, "moderation/plan_draft.html", context)
    try:
        if publishing:
            return proposed(request, form, over=in_force)
        body = form.body(in_force.body if in_force else {})
        after = Plan.from_body(body, number=0)
        policies.check(after)
        if form.cleaned_data["based_on"] != (in_force.number if in_force else 0):
            raise policies.Outdated
        context |= preview(current, after) | {"admissions": admissions_of(body, in_force)}
    except GateClosed as error:
        form.add_error("past_gates", str(error))
        context["admissions"] = admissions_of(form.body(in_force.body if in_force else {}), in_force)
        return render(request, "moderation/plan_draft.html", context)
    except (PlanError, proposals.UnfitProposal) as error:
        form.add_error("classifiers", str(error))
        return render(request, "moderation/plan_draft.html", context)
    except proposals.NotOpen as error:
        form.add_error(None, str(error))
        return render(request, "moderation/plan_draft.html", context, status=409)
    except policies.Outdated:
        context |= conflict(request, form, versions)
        return render(request, "moderation/plan_draft.html", context, status=409)
    return render(request, "moderation/plan_draft.html", context)


def proposed(request: PersonRequest, form: WholePlanForm, *, over: TriagePlan | None) -> HttpResponse:
    """What the form says waits for a second person, or is in force where the house works without one. Raises PlanError,
    UnfitProposal, NotOpen or Outdated.
    """
    said = form.cleaned_data
    if said["based_on"] != (over.number if over else 0):
        raise policies.Outdated
    body, note = form.body(over.body if over else {}), said["note"]
    terms = {
        "title": note.splitlines()[0][:200],
        "note": note,
        "based_on": said["based_on"],
        "effective_at": said["effective_at"],
        "share": round(said["share_percent"] / 100, 6) if said["share_percent"] else None,
        "past_gates": said["past_gates"],
    }
    with transaction.atomic():
        if said["proposal"]:
            key, revision = said["proposal"], said["revision"] or 0
            proposal = proposals.revise(key, request.user, body, revision=revision, **terms)
        else:
            proposal = proposals.draft(request.user, ProposalKind.PLAN, "", body, **terms)
        proposal = proposals.ask(proposal.pk, request.user, revision=proposal.revision)
    if proposal.state == ProposalState.PUBLISHED and proposal.published:
        words = _("Candidate %(number)d is tried.") if proposal.share else _("Plan %(number)d is in force.")
        messages.success(request, words % {"number": proposal.published})
        return redirect("plan", number=proposal.published)
    messages.success(request, _("A colleague must approve it before it is in force."))
    return redirect("plan_proposal", pk=proposal.pk)


def admissions_of(body: Mapping[str, Any], in_force: TriagePlan | None) -> list[dict[str, Any]]:
    """What the versions that it newly pins show at the gates of the plan in force."""
    return [one.as_json() for one in admission.asked(body, in_force)]


def preview(current: Plan | None, after: Plan) -> dict[str, Any]:
    """What would change: cuts, classifiers and audit rate in words; recent images in counts."""
    effect = simulation.effect(current, after)
    pins = current.classifiers if current else ()
    return {
        "previewed": True,
        "changes": simulation.changes(current, after),
        "pinned": [ref for ref in after.classifiers if ref not in pins],
        "unpinned": [ref for ref in pins if ref not in after.classifiers],
        "audit_before": current.audit_rate if current else None,
        "audit_after": after.audit_rate,
        "others": simulation.care_changes(current, after) + simulation.overlay_changes(current, after),
        "tightening": simulation.tightening_changes(current, after),
        "at_odds": at_odds(after, policies.in_force()),
        "failing": FAILING[after.on_error] if current and current.on_error != after.on_error else "",
        "copying": COPYING[after.copies] if after.copies != (current.copies if current else "off") else "",
        "effect": effect,
        "shares": [
            Share(action, effect.before[action], effect.after[action], effect.images)
            for action in ("approve", "review", "block")
        ],
        "moves": [(OUTCOMES[old], OUTCOMES[new], count) for (old, new), count in effect.moves.most_common()],
    }


def conflict(request: PersonRequest, form: WholePlanForm, versions: Sequence[ClassifierVersion]) -> dict[str, Any]:
    """Somebody published meanwhile: their plan and what it changed, with the draft kept and rebased on it."""
    in_force = TriagePlan.objects.select_related("published_by").in_force()
    assert in_force is not None
    data = request.POST.copy()
    base = TriagePlan.objects.filter(number=form.cleaned_data["based_on"]).first()
    data["based_on"] = str(in_force.number)
    return {
        "form": WholePlanForm(data, versions=versions, publishing=True),
        "in_force": in_force,
        "theirs": in_force,
        "their_changes": simulation.changes(policies.parsed(base) if base else None, policies.parsed(in_force)),
        "their_tightening": simulation.tightening_changes(
            policies.parsed(base) if base else None, policies.parsed(in_force)
        ),
    }


def start(asked: Mapping[str, str], in_force: TriagePlan | None) -> dict[str, Any]:
    """What a fresh draft holds: the proposal or plan asked for, the one in force, or the first edition's cuts."""
    based_on, number = in_force.number if in_force else 0, asked.get("from", "")
    if key := asked.get("proposal"):
        proposal = get_object_or_404(
            Proposal.objects.filter(kind=ProposalKind.PLAN, state__in=Proposal.OPEN), pk=uuid(key)
        )
        return {
            **whole_draft_of(Plan.from_body(proposal.body, number=0), based_on=based_on),
            "proposal": proposal.pk,
            "revision": proposal.revision,
            "note": proposal.note,
            "effective_at": proposal.effective_at,
            "share_percent": round(proposal.share * 100, 4) if proposal.share else None,
            "past_gates": proposal.past_gates,
        }
    if number.isascii() and number.isdigit():
        row = get_object_or_404(TriagePlan, number=int(number[:9]))
        return whole_draft_of(policies.parsed(row), based_on=based_on)
    if in_force is not None:
        return whole_draft_of(policies.parsed(in_force), based_on=based_on)
    bands = {code: Band(cuts["approve"] or 0.0, cuts["block"]) for code, cuts in first_edition.bands().items()}
    return whole_draft_of(Plan(0, bands, (), 0.05), based_on=0)


def uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def selectable(current: Plan | None) -> list[ClassifierVersion]:
    """What a plan may pin: what it pins now, and the newest of each name. A bare backbone scores nothing; rules need
    not.
    """
    versions = newest(each=NEWEST_EACH, keeping=current.classifiers if current else ())
    return [version for version in versions if version.categories or version.kind == "rules"]


@require_POST
@requires(Scope.POLICY)
def roll_back(request: PersonRequest, number: int) -> HttpResponse:
    """Publish an earlier plan again, as a new version."""
    get_object_or_404(TriagePlan, number=number)
    form = NoteForm(request.POST)
    note = form.cleaned_data["note"] if form.is_valid() else ""
    try:
        row = policies.roll_back(number, actor=Actor.person(request.user), person=request.user, note=note)
    except PlanError as error:
        messages.error(request, str(error))
        return redirect("plan", number=number)
    messages.success(
        request, _("Plan %(new)d is in force: what plan %(old)d said.") % {"new": row.number, "old": number}
    )
    return redirect("plan", number=row.number)
