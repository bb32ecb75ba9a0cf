"""Rules: those in force with how often they held, and a draft that is tried on recent images before it is published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from classifiers.models import ClassifierVersion
from moderation import policies, proposals
from moderation.models import Proposal, Scope, TriagePlan
from moderation.policies import Outdated
from moderation.routing import PlanError
from moderation.rule_forms import PREFIX, DraftForm, RuleForms, fresh, troubles, with_one_more
from moderation.rules import publishing
from moderation.rules.facts import FIELDS
from moderation.rules.faults import RuleError
from moderation.rules.hits import DAYS, Tally, tallies
from moderation.rules.sets import NAME, Rule, RuleSet, from_card
from moderation.rules.trials import TRIED, Trial, try_out
from moderation.rules.wording import about, effect, told
from moderation.views.access import PersonRequest, requires
from moderation.views.forwarding import forwarded
from moderation.views.plans import OUTCOMES

LISTED: Final = 20
GROUPS: Final[tuple[tuple[Promise, str], ...]] = (
    (gettext_lazy("Declared"), ""),
    (gettext_lazy("The file"), "image."),
    (gettext_lazy("The author"), "author."),
    (gettext_lazy("Scores"), "scores."),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One rule in the list."""

    rule: Rule
    tally: Tally

    @property
    def words(self) -> str:
        return effect(self.rule)


@dataclass(frozen=True, slots=True)
class FieldLine:
    """One field that rules may read."""

    name: str
    kind: str
    words: str
    example: str


@require_safe
@requires(Scope.POLICY_READ, Scope.POLICY)
def index(request: PersonRequest) -> HttpResponse:
    """The rules in force, or an earlier version of them."""
    in_force = publishing.in_force()
    shown = chosen(request.GET.get("version"), in_force)
    counted = tallies(shown) if shown else {}
    rules = readable(shown) if shown else ()
    context = {
        "shown": shown,
        "in_force": in_force,
        "lines": [Line(rule, counted.get(rule.name, Tally())) for rule in rules],
        "days": DAYS,
        "versions": ClassifierVersion.objects.filter(name=NAME, kind="rules").order_by("-pk").defer("card")[:LISTED],
        "plan": TriagePlan.objects.in_force(),
        "may_edit": request.user.has_scope(Scope.POLICY),
        "needs_second": proposals.needs_second(),
    }
    return render(request, "moderation/rules.html", context)


def chosen(version: str | None, in_force: ClassifierVersion | None) -> ClassifierVersion | None:
    if version is None:
        return in_force
    found = ClassifierVersion.objects.filter(name=NAME, kind="rules", version=version).first()
    if found is None:
        raise Http404
    return found


def readable(version: ClassifierVersion) -> tuple[Rule, ...]:
    """The rules of a version, also of one that an older language wrote."""
    try:
        return from_card(version.card).rules
    except RuleError:
        return tuple(Rule.from_table(table) for table in version.card.get("rules", ()))


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Scope.POLICY)
def draft(request: PersonRequest) -> HttpResponse:
    """Rules as they are written: tried on recent images, then published."""
    in_force = publishing.in_force()
    if request.method != "POST":
        began = chosen(request.GET.get("from"), in_force)
        form = DraftForm(initial={"based_on": in_force.ref if in_force else ""})
        return page(request, form, fresh(readable(began) if began else ()))
    action = request.POST.get("action")
    data = with_one_more(request.POST) if action == "add" else request.POST
    form, forms = DraftForm(data, publishing=action == "publish"), RuleForms(data, prefix=PREFIX)
    if action == "add":
        return page(request, form, forms, added=True)
    if not (forms.is_valid() and form.is_valid()):
        return page(request, form, forms, trouble=troubles(forms) if not forms.is_valid() else "")
    try:
        if action == "publish":
            return published(request, form, forms.rules())
        return page(request, form, forms, trial=tried(forms.rules()))
    except (PlanError, proposals.UnfitProposal) as error:
        return page(request, form, forms, trouble=str(error))
    except Outdated:
        data = request.POST.copy()
        data["based_on"] = in_force.ref if in_force else ""
        return page(request, DraftForm(data, publishing=True), forms, theirs=in_force, status=409)


def published(request: PersonRequest, form: DraftForm, rules: list[Rule]) -> HttpResponse:
    proposal = put_forward(request, rules, note=form.cleaned_data["note"], based_on=form.cleaned_data["based_on"])
    return forwarded(request, proposal, done=_("Plan %(number)d is in force with these rules."), back="rules")


@transaction.atomic
def put_forward(request: PersonRequest, rules: Sequence[Rule], *, note: str, based_on: str) -> Proposal:
    planned = publishing.prepare(rules, based_on=based_on)
    return proposals.put_forward(request.user, planned.body, note=note, based_on=planned.based_on)


def tried(rules: list[Rule]) -> Trial:
    plan = TriagePlan.objects.in_force()
    if plan is None:
        raise PlanError(_("No plan is published yet, so there is nothing to try rules against."))
    return try_out(RuleSet.read(rules), policies.parsed(plan))


def page(
    request: PersonRequest,
    form: DraftForm,
    forms: Any,
    *,
    trial: Trial | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    context = {
        "form": form,
        "forms": forms,
        "fields": fields(),
        "needs_second": proposals.needs_second(),
        "trial": trial,
        "tried": TRIED,
        "moves": [(OUTCOMES[old], OUTCOMES[new], n) for (old, new), n in trial.moves.most_common()] if trial else [],
        "status": status,
        "reads_prompts": request.user.has_scope(Scope.SUBMISSIONS_READ),
        **more,
    }
    return render(request, "moderation/rules_draft.html", context, status=status)


def fields() -> list[tuple[str, list[FieldLine]]]:
    """Every field, in groups, those of other signals last but the scores."""
    groups: dict[str, list[FieldLine]] = {str(words): [] for words, _prefix in GROUPS[:3]}
    groups |= {_("Other signals"): [], str(GROUPS[3][0]): []}
    for name, field in FIELDS.items():
        line = FieldLine(name, field.kind, about(name), field.example)
        prefixed = next((str(words) for words, prefix in GROUPS[1:] if name.startswith(prefix)), "")
        groups[prefixed or (str(GROUPS[0][0]) if field.submission else _("Other signals"))].append(line)
    return list(groups.items())


@require_POST
@requires(Scope.POLICY)
def switch(request: PersonRequest) -> HttpResponse:
    """The rules in force again with one of them switched between live and shadow, as a plan of its own."""
    in_force = publishing.in_force()
    rules = readable(in_force) if in_force else ()
    name = request.POST.get("rule")
    old = next((rule for rule in rules if rule.name == name), None)
    if old is None or in_force is None:
        raise Http404
    new = replace(old, mode="shadow" if old.is_live else "live")
    words = _("“%(rule)s” is live.") if new.is_live else _("“%(rule)s” looks on in the shadow.")
    try:
        proposal = put_forward(
            request,
            [new if rule == old else rule for rule in rules],
            note=words % {"rule": new.name},
            based_on=request.POST.get("based_on", ""),
        )
        return forwarded(request, proposal, done=(words % {"rule": new.name}).replace("%", "%%"), back="rules")
    except RuleError as error:
        messages.error(request, told(error.fault))
    except (Outdated, PlanError, proposals.UnfitProposal) as error:
        messages.error(request, str(error))
    return redirect("rules")
