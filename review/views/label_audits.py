"""Audits of labels: run on a data set, what is doubted, and asking somebody else about it.

For ML engineers and policy leads alone: whoever is asked again must not know that a label is doubted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from moderation.actors import Actor
from moderation.models import Scope, Status, User
from moderation.taxonomy import Category
from moderation.views.access import PersonRequest, requires
from review import images
from review.agreement import Share
from review.label_audits import asking, running
from review.label_audits.asking import Answer
from review.learning_forms import AuditForm, SendForm
from review.models import LabelAudit, LabelSuspicion
from review.tasks import nudge_audits
from review.views.search import key
from review.views.selection import SEERS, as_csv, first_error, whole

LISTED: Final = 30
PAGE: Final = 40
GROUPS: Final = 30
FEW: Final = 20  # labels of a person, below which no share is shown


@require_safe
@requires(*SEERS)
def index(request: PersonRequest) -> HttpResponse:
    before = key(request.GET.get("before", ""))
    found = LabelAudit.objects.select_related("outcome", "dataset", "made_by").order_by("-id")
    found = found.annotate(asked=Count("suspicions__ask"))
    rows = list((found.filter(pk__lt=before) if before else found)[: LISTED + 1])
    form = AuditForm()
    context = {
        "lines": [(row, getattr(row, "outcome", None)) for row in rows[:LISTED]],
        "older": rows[LISTED - 1].pk if len(rows) > LISTED else None,
        "newest": before is None,
        "form": form,
        "has_datasets": form.fields["dataset"].queryset.exists(),  # type: ignore[attr-defined]
        "may_audit": request.user.has_scope(Scope.ML),
    }
    return render(request, "review/learning/label_audits.html", context)


@require_POST
@requires(Scope.ML)
def audit(request: PersonRequest) -> HttpResponse:
    """Asks for an audit; a worker does it."""
    form = AuditForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Nothing is audited: %(why)s") % {"why": first_error(form)})
        return redirect("label-audits")
    said = form.cleaned_data
    actor = Actor.person(request.user)
    row = running.ask(said["dataset"], actor=actor, person=request.user, version=said["version"])
    nudge_audits()
    messages.success(request, _("A worker audits it now, in about a minute for 100,000 labels. Load this page again."))
    return redirect("label-audit", pk=row.pk)


@require_safe
@requires(*SEERS)
def detail(request: PersonRequest, pk: UUID) -> HttpResponse:
    row = get_object_or_404(LabelAudit.objects.select_related("outcome", "dataset", "made_by"), pk=pk)
    outcome = getattr(row, "outcome", None)
    figures = outcome.figures if outcome else {}
    doubts = LabelSuspicion.objects.filter(audit=row).exclude(submission__status=Status.QUARANTINED)
    doubts = doubts.select_related("submission").order_by("place")
    category = request.GET.get("category", "")
    if category in Category.values:
        doubts = doubts.filter(category=category)
    if table := request.GET.get("csv", ""):
        return table_of(table, row, figures, doubts)
    page = whole(request.GET.get("page", ""))
    shown = list(doubts[(page - 1) * PAGE : page * PAGE + 1])
    came = asking.answers(shown)
    context = {
        "row": row,
        "outcome": outcome,
        "figures": figures,
        "lines": [(one, came[one.pk], images.glimpse(one.submission, request.user)) for one in shown[:PAGE]],
        "page": page,
        "more": len(shown) > PAGE,
        "category": category,
        "tally": {one.value: count for one, count in asking.tally(row).items()},
        "people": people(figures),
        "groups": groups(figures, request.user),
        "few": FEW,
        "may_send": request.user.has_scope(Scope.ML) and bool(figures),
        "form": SendForm(initial={"category": category}),
    }
    return render(request, "review/learning/label_audit.html", context)


@require_POST
@requires(Scope.ML)
def send(request: PersonRequest, pk: UUID) -> HttpResponse:
    row = get_object_or_404(LabelAudit, pk=pk)
    form = SendForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Nobody is asked: %(why)s") % {"why": first_error(form)})
        return redirect("label-audit", pk=pk)
    said = form.cleaned_data
    sent = asking.send(
        row,
        said["count"],
        actor=Actor.person(request.user),
        person=request.user,
        category=said["category"],
        flagged=said["flagged"],
    )
    words = ngettext(
        "%(n)d image waits for somebody else’s look.", "%(n)d images wait for somebody else’s look.", sent.opened
    )
    known = _("%(n)d were asked about already; that answer serves.") % {"n": sent.open_before}
    more = known if sent.open_before else ""
    messages.success(request, f"{words % {'n': sent.opened}} {more}".strip())
    return redirect("label-audit", pk=pk)


def people(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each reviewer's labels against what is estimated to be true, by name: no order of merit."""
    told = {one["reviewer"]: one["counts"] for one in figures.get("reviewers", ())}
    known = User.objects.in_bulk([UUID(one) for one in told if running.is_key(one)])
    rows = [(known[UUID(one)].username, counts) for one, counts in told.items() if running.is_key(one)
            and UUID(one) in known]  # fmt: skip
    return [
        {
            "name": name,
            "n": sum(map(sum, counts)),
            "harmless": Share(counts[0][1], sum(counts[0])),
            "violating": Share(counts[1][0], sum(counts[1])),
        }
        for name, counts in sorted(rows)
    ]


def groups(figures: Mapping[str, Any], person: User) -> dict[str, list[Any]]:
    """Leaks and contradictions with the glimpses of their images, the first GROUPS of each."""
    leaks = figures.get("leaks", {}).get("listed", [])[:GROUPS]
    contrary = figures.get("contradictions", {}).get("listed", [])[:GROUPS]
    named = {text for one in leaks for text in one["pictures"][:4]}
    named |= {text for one in contrary for text in (*one["violating"][:2], *one["harmless"][:2])}
    found = running.shown([UUID(one) for one in named if running.is_key(one)])
    links = {str(one.pk): images.glimpse(one, person) for one in found}

    def pictures(names: Sequence[str]) -> list[tuple[str, str]]:
        return [(name, links.get(name, "")) for name in names]

    return {
        "leaks": [(one, pictures(one["pictures"][:4])) for one in leaks],
        "contradictions": [(one, pictures(one["violating"][:2]), pictures(one["harmless"][:2])) for one in contrary],
    }


def table_of(table: str, row: LabelAudit, figures: Mapping[str, Any], doubts: Any) -> HttpResponse:
    tables = {
        "suspects": lambda: suspect_rows(list(doubts)),
        "noise": lambda: noise_rows(figures),
        "reviewers": lambda: reviewer_rows(figures),
        "leaks": lambda: leak_rows(figures),
        "contradictions": lambda: contrary_rows(figures),
        "balance": lambda: balance_rows(figures),
    }
    if table not in tables:
        return HttpResponse(_("There is no such table."), status=404, content_type="text/plain; charset=utf-8")
    return as_csv(f"label-audit-{row.dataset}-{table}", tables[table]())


def suspect_rows(doubts: Sequence[LabelSuspicion]) -> Iterable[Sequence[Any]]:
    came = asking.answers(doubts)
    yield ["place", "submission_id", "category", "label", "probability", "agreement", "suspicion", "flagged", "came"]
    for one in doubts:
        figures = [one.label, one.probability, one.agreement, one.suspicion, int(one.flagged)]
        yield [one.place, one.submission_id, one.category, *figures, came.get(one.pk, Answer.UNASKED).value]


def noise_rows(figures: Mapping[str, Any]) -> Iterable[Sequence[Any]]:
    yield ["category", "labels", "violating", "auc", "suspected", "errors_at_most", "wrongful", "missed"]
    for one in figures.get("noise", ()):
        known = [one["auc"], one["flagged"], one["errors"], one["wrongful"], one["missed"]]
        yield [one["category"], one["n"], one["positives"], *(known if one["audited"] else [""] * 5)]


def reviewer_rows(figures: Mapping[str, Any]) -> Iterable[Sequence[Any]]:
    yield ["person", "labels", "given_harmless", "of_them_doubted", "given_violating", "of_them_doubted"]
    for one in people(figures):
        yield [
            one["name"],
            one["n"],
            one["harmless"].of,
            one["harmless"].part,
            one["violating"].of,
            one["violating"].part,
        ]


def leak_rows(figures: Mapping[str, Any]) -> Iterable[Sequence[Any]]:
    yield ["by", "splits", "pictures"]
    for one in figures.get("leaks", {}).get("listed", ()):
        yield [one["by"], " ".join(one["splits"]), " ".join(one["pictures"])]


def contrary_rows(figures: Mapping[str, Any]) -> Iterable[Sequence[Any]]:
    yield ["category", "violating", "harmless"]
    for one in figures.get("contradictions", {}).get("listed", ()):
        yield [one["category"], " ".join(one["violating"]), " ".join(one["harmless"])]


def balance_rows(figures: Mapping[str, Any]) -> Iterable[Sequence[Any]]:
    yield ["category", "split", "labels", "violating"]
    for one in figures.get("balance", ()):
        yield from ([one["category"], name, n, positives] for name, (n, positives) in one["splits"].items())
