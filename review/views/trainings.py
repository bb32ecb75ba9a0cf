"""Trainings: what runs and what ran, a new one, and one while it runs."""

from __future__ import annotations

import csv
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from moderation.models import Scope
from moderation.views.access import PersonRequest, requires
from review.models import Training, TrainingKind
from review.tasks import nudge_trainings
from review.training_forms import TrainingForm
from review.trainings import asking

RECENT: Final = 50
COLUMNS: Final = ("step", "loss", "validation", "auc")


@require_safe
@requires(Scope.ML)
def index(request: PersonRequest) -> HttpResponse:
    rows = Training.objects.select_related("asked_by", "dataset", "version").defer("points")[:RECENT]
    return render(request, "review/trainings.html", {"trainings": rows, "live": any(row.open for row in rows)})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Scope.ML)
def create(request: PersonRequest) -> HttpResponse:
    """The form; what was typed stays when it is refused."""
    initial = {"kind": TrainingKind.HEADS, "heads": "linear", "dataset": request.GET.get("dataset")}
    form = TrainingForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            row = asking.ask(
                request.user, dataset=said["dataset"].pk, kind=said["kind"], recipe=form.recipe(), name=said["name"]
            )
        except asking.UnfitTraining as error:
            form.add_error("dataset" if error.pointer == "#/dataset" else None, str(error))
        else:
            nudge_trainings()
            return redirect("training", row.pk)
    return render(request, "review/training_new.html", {"form": form})


@require_safe
@requires(Scope.ML)
def detail(request: PersonRequest, pk: UUID) -> HttpResponse:
    related = ("asked_by", "cancelled_by", "dataset", "version")
    row = get_object_or_404(Training.objects.select_related(*related), pk=pk)
    context: dict[str, Any] = {
        "training": row,
        "columns": [name for name in COLUMNS if any(point.get(name) is not None for point in row.points)],
        "points": [[point.get(name) for name in COLUMNS] for point in row.points],
        "measured": row.version.metrics.items() if row.version else (),
    }
    return render(request, "review/training.html", context)


@require_safe
@requires(Scope.ML)
def curve(request: PersonRequest, pk: UUID) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Every point that is kept, as CSV."""
    row = get_object_or_404(Training, pk=pk)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="training-{row.pk}.csv"'
    table = csv.writer(response)
    table.writerow(COLUMNS)
    table.writerows([point.get(name, "") for name in COLUMNS] for point in row.points)
    return response


@require_POST
@requires(Scope.ML)
def cancel(request: PersonRequest, pk: UUID) -> HttpResponse:
    get_object_or_404(Training.objects.only("pk"), pk=pk)
    try:
        row = asking.cancel(pk, request.user)
    except asking.TooLate as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("It stops at its next step.") if row.open else _("Cancelled."))
    return redirect("training", pk)
