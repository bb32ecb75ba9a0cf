"""Active learning: the budget, what was drawn, and what came of it.

For ML engineers and policy leads alone: whoever reviews must not know which images were drawn.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from moderation.actors import Actor
from moderation.models import Scope, Status
from moderation.views.access import PersonRequest, requires
from review import images
from review.learning_forms import BudgetForm, DrawForm
from review.models import Selection, SelectionItem
from review.selection import choosing, drawing, figures
from review.tasks import nudge_selection
from review.views.search import key

SEERS: Final = (Scope.ML, Scope.POLICY)
LISTED: Final = 30
PAGE: Final = 60


@require_safe
@requires(*SEERS)
def index(request: PersonRequest) -> HttpResponse:
    before = key(request.GET.get("before", ""))
    found = Selection.objects.select_related("outcome", "made_by").order_by("-id")
    rows = list((found.filter(pk__lt=before) if before else found)[: LISTED + 1])
    strategies = figures.by_strategy()
    if request.GET.get("csv") == "strategies":
        return as_csv("selection-strategies", strategy_rows(strategies))
    came = figures.by_selection(rows[:LISTED])
    context = {
        "lines": [(row, getattr(row, "outcome", None), came.get(row.pk, figures.Came())) for row in rows[:LISTED]],
        "older": rows[LISTED - 1].pk if len(rows) > LISTED else None,
        "newest": before is None,
        "strategies": strategies,
        "open": drawing.standing().count(),
        "budget": choosing.in_force(),
        "may_draw": request.user.has_scope(Scope.ML),
        "form": DrawForm(),
    }
    return render(request, "review/learning/selection.html", context)


@require_safe
@requires(*SEERS)
def detail(request: PersonRequest, pk: UUID) -> HttpResponse:
    row = get_object_or_404(Selection.objects.select_related("outcome", "made_by"), pk=pk)
    items = SelectionItem.objects.filter(selection=row).exclude(submission__status=Status.QUARANTINED)
    items = items.select_related("submission", "request").order_by("place")
    if "csv" in request.GET:
        return as_csv(f"selection-{row.pk}", item_rows(items))
    page = whole(request.GET.get("page", ""))
    shown = list(items[(page - 1) * PAGE : page * PAGE + 1])
    said = figures.answers([one.request_id for one in shown])
    context = {
        "row": row,
        "outcome": getattr(row, "outcome", None),
        "came": figures.by_selection([row]).get(row.pk, figures.Came()),
        "lines": [
            (one, said.get(one.request_id, ""), images.glimpse(one.submission, request.user)) for one in shown[:PAGE]
        ],
        "page": page,
        "more": len(shown) > PAGE,
    }
    return render(request, "review/learning/draw.html", context)


@require_POST
@requires(Scope.ML)
def draw(request: PersonRequest) -> HttpResponse:
    """Asks for a draw; a worker does it."""
    form = DrawForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Nothing was drawn: %(why)s") % {"why": first_error(form)})
        return redirect("selection")
    said = form.cleaned_data
    row = drawing.ask(
        said["strategy"],
        said["budget"],
        actor=Actor.person(request.user),
        person=request.user,
        mix=choosing.in_force().mix,
        category=said["category"],
        waiting=said["waiting"],
    )
    nudge_selection()
    messages.success(request, _("A worker draws them now. Load this page again to see what came of it."))
    return redirect("selection-draw", pk=row.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Scope.ML)
def settings(request: PersonRequest) -> HttpResponse:
    form = BudgetForm(request.POST or None, budget=choosing.in_force())
    if form.is_valid():
        made = choosing.choose(form.edition(), person=request.user)
        messages.success(request, _("Saved. The next draw keeps to it.") if made else _("Nothing was changed."))
        return redirect("selection-settings")
    context = {"form": form}
    return render(request, "review/learning/selection_settings.html", context, status=422 if form.is_bound else 200)


def first_error(form: Any) -> str:
    return str(next(iter(form.errors.values()))[0])


def whole(text: str) -> int:
    """A page's number from 1 on."""
    return max(1, int(text[:6])) if text.isascii() and text.isdigit() else 1


def as_csv(name: str, rows: Iterable[Sequence[Any]]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    csv.writer(response).writerows(rows)
    return response


def strategy_rows(found: Sequence[tuple[Any, figures.Came]]) -> Iterable[Sequence[Any]]:
    yield ["strategy", "asked", "answered", "violating", "machine_was_wrong"]
    yield from ([one.value, came.asked, came.answered, came.violating, came.wrong] for one, came in found)


def item_rows(items: Iterable[SelectionItem]) -> Iterable[Sequence[Any]]:
    rows = list(items)
    said = figures.answers([one.request_id for one in rows])
    yield ["place", "submission_id", "request_id", "strategy", "score", "probability", "answer"]
    for one in rows:
        answer = said.get(one.request_id, "")
        yield [one.place, one.submission_id, one.request_id, one.strategy, one.score, one.probability, answer]
