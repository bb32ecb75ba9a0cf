"""The band editor: a histogram of each category's scores, cuts to move, and what would come of it, at once."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from django.core.cache import cache
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from moderation.models import Scope, Submission, TriagePlan
from moderation.plans import Plan
from moderation.simulation import history
from moderation.simulation.sketch import BINS, Sketch, sketch
from moderation.taxonomy import Category, Severity
from moderation.views.access import PersonRequest, requires
from review.service_times import service_times
from review.views.simulations import drafted

KEPT_SECONDS: Final = 3600
TABLE_BINS: Final = 20


@dataclass(frozen=True, slots=True)
class Choice:
    """A category of the editor, and the fields of the draft that hold its cuts."""

    category: Category
    severity: Severity
    approve: float
    block: float | None
    people_only: bool
    approve_field: str
    block_field: str
    automatic_field: str
    scored: int


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Scope.POLICY)
def edit(request: PersonRequest) -> HttpResponse:
    """The cuts of the draft that was sent, else of the plan in force, over a histogram of what was scored lately."""
    form, plan, _current = drafted(request)
    context: dict[str, Any] = {"form": form, "in_force": TriagePlan.objects.in_force(), "plan": plan}
    if plan is None:
        return render(request, "review/bands.html", context)
    key, found = kept(plan)
    choices = [
        Choice(
            row.category,
            row.severity,
            row.band.approve,
            row.band.block,
            row.people_only,
            row.approve.html_name,
            row.block.html_name,
            row.automatic.html_name,
            found.scored(row.category),
        )
        for row in form.rows()
        if row.category in found.categories
    ]
    asked = request.GET.get("category", "")
    most_scored = max(choices, key=lambda one: one.scored, default=None)  # of equals the gravest
    chosen = next((one for one in choices if one.category == asked), most_scored)
    context |= {"key": key, "found": found, "choices": choices, "chosen": chosen, "bins": BINS}
    context["seconds"] = service_times().seconds
    return render(request, "review/bands.html", context)


@require_safe
@requires(Scope.POLICY)
def counts(request: PersonRequest, key: str, category: str) -> HttpResponse:
    """One category of a sketch that a page was given, as JSON or with `format=csv`. 404 once it is forgotten."""
    found: Sketch | None = cache.get(name(key))
    if found is None or category not in found.categories:
        raise Http404
    said = found.as_json(category)
    if request.GET.get("format") != "csv":
        return JsonResponse(said)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="scores-{category}.csv"'
    rows = csv.writer(response)
    rows.writerow(["from", *(f"others_{rest}" for rest in said["table"])])
    rows.writerows([index / BINS, *columns] for index, columns in enumerate(zip(*said["table"].values(), strict=True)))
    return response


def kept(plan: Plan) -> tuple[str, Sketch]:
    """The plan's sketch over the newest stored images, and the name it is kept under for an hour."""
    newest = Submission.objects.order_by("-pk").values_list("pk", flat=True).first()
    cuts = {code: (band.approve, band.block) for code, band in sorted(plan.bands.items())}
    rules = sorted((one.when, one.above, one.category, one.by) for one in plan.tightening)
    said = json.dumps([str(newest), cuts, list(plan.classifiers), rules])
    key = hashlib.sha256(said.encode()).hexdigest()[:32]
    found: Sketch | None = cache.get(name(key))
    if found is None:
        found = sketch(history.newest(list(plan.classifiers)), plan)
        cache.set(name(key), found, KEPT_SECONDS)
    return key, found


def name(key: str) -> str:
    return f"loupe.sketch.{key}"
