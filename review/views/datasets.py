"""Data sets of what people decided: built, watched, fetched, compared."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from classifiers.models import ClassifierVersion
from moderation.actors import Actor
from moderation.models import Scope
from moderation.views.access import PersonRequest, requires
from review import datasets, downloads
from review.dataset_forms import DatasetForm
from review.exports import asking, keeping
from review.labels.queries import Refusal
from review.models import Dataset, Export, ExportState
from review.tasks import nudge_exports

RECENT: Final = 50
FEW_FILES: Final = 40
FEW_IMAGES: Final = 6
COUNTED: Final = ("source", "licence", "consent_basis", "generator", "definition", "policy_version", "split")


@require_safe
@requires(Scope.EXPORTS)
def index(request: PersonRequest) -> HttpResponse:
    made = Export.objects.select_related("asked_by", "dataset").order_by("-id")[:RECENT]
    elsewhere = Dataset.objects.filter(exports__isnull=True).select_related("created_by").order_by("-id")[:RECENT]
    context = {"made": made, "elsewhere": elsewhere, "at_work": any(one.state in Export.OPEN for one in made)}
    return render(request, "review/datasets/index.html", context)


@require_http_methods(["GET", "POST"])
@requires(Scope.EXPORTS)
def create(request: PersonRequest) -> HttpResponse:
    form = DatasetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            with transaction.atomic():
                row = asking.ask(request.user, query=said["query"], kind=said["kind"], format=said["format"])
                nudge_exports()
        except asking.TooMany as error:
            form.add_error(None, ValidationError(str(error)))
        else:
            messages.success(request, _("It is being made. You may leave this page."))
            return redirect("dataset", row.pk)
    return render(request, "review/datasets/new.html", {"form": form}, status=200 if not form.errors else 422)


@require_POST
@requires(Scope.EXPORTS)
def preview(request: PersonRequest) -> HttpResponse:
    """What the form as it stands would give. Changes nothing; a POST because the form is long."""
    form = DatasetForm(request.POST)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        from review.exports.previewing import preview as looked  # pyarrow: 40 MiB, for those who build data sets

        found = looked(form.cleaned_data["query"])
        context |= {"found": found, "refused": worded(found.refused)}
    return render(request, "review/datasets/preview.html", context)


@require_safe
@requires(Scope.EXPORTS)
def detail(request: PersonRequest, pk: UUID) -> HttpResponse:
    row = get_object_or_404(Export.objects.select_related("asked_by", "dataset", "pinned_by"), pk=pk)
    card, files = datasets.card_of(row), files_of(row)
    if request.GET.get("csv") == "categories" and card:
        return as_csv(card)
    context: dict[str, Any] = {
        "row": row,
        "at_work": row.state in Export.OPEN,
        "card": card,
        "due": keeping.due(row),
        "files": files[:FEW_FILES],
        "more_files": max(0, len(files) - FEW_FILES),
        "refused": worded(row.refused),
        "query": json.dumps(row.query, indent=2, ensure_ascii=False),
        "counted": [(name, list(card.get(name, {}).items())) for name in COUNTED] if card else [],
    }
    if row.dataset:
        trained = ClassifierVersion.objects.filter(manifest_fingerprint=row.dataset.fingerprint)
        others = Dataset.objects.exclude(pk=row.dataset.pk).order_by("-id")[:RECENT]
        context["some"] = datasets.some_of(row, FEW_IMAGES)
        context |= {"trained": trained.defer("card", "metrics").order_by("-created_at")[:RECENT], "others": others}
    response = render(request, "review/datasets/detail.html", context)
    if request.headers.get("HX-Request") and not context["at_work"]:
        response["HX-Refresh"] = "true"  # what was watched is over: the whole page has more to show
    return response


@require_POST
@requires(Scope.EXPORTS)
def cancel(request: PersonRequest, pk: UUID) -> HttpResponse:
    row = get_object_or_404(Export, pk=pk)
    try:
        asking.cancel(row.pk, request.user)
    except asking.NotOpen as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Cancelled. What was written goes."))
    return redirect("dataset", row.pk)


@require_GET
@requires(Scope.EXPORTS)
def fetch(request: PersonRequest, pk: UUID, name: str) -> FileResponse | HttpResponse:
    row = get_object_or_404(Export.objects.select_related("dataset"), pk=pk)
    try:
        return downloads.served(row, name, actor=Actor.person(request.user))
    except datasets.FilesGone as error:
        raise Http404(str(error)) from error
    except datasets.Withdrawn as error:
        messages.error(request, str(error))
        return redirect("dataset", row.pk)


@require_GET
@requires(Scope.EXPORTS)
def archive(request: PersonRequest, pk: UUID) -> StreamingHttpResponse | HttpResponse:
    """All files in one."""
    row = get_object_or_404(Export.objects.select_related("dataset"), pk=pk)
    try:
        return downloads.archived(row, actor=Actor.person(request.user))
    except datasets.FilesGone as error:
        raise Http404(str(error)) from error
    except datasets.Withdrawn as error:
        messages.error(request, str(error))
        return redirect("dataset", row.pk)


@require_POST
@requires(Scope.EXPORTS)
def again(request: PersonRequest, pk: UUID) -> HttpResponse:
    row = get_object_or_404(Export, pk=pk)
    try:
        with transaction.atomic():
            new = asking.ask_again(row.pk, request.user)
            nudge_exports()
    except (asking.TooMany, asking.NotOver) as error:
        messages.error(request, str(error))
        return redirect("dataset", row.pk)
    messages.success(request, _("It is being made again. You may leave this page."))
    return redirect("dataset", new.pk)


@require_POST
@requires(Scope.EXPORTS)
def keep(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Its files stay, however old; or, where the form says “no”, go in their time."""
    row = get_object_or_404(Export, pk=pk)
    act = keeping.unpin if request.POST.get("keep") == "no" else keeping.pin
    try:
        act(row.pk, request.user)
    except keeping.NotDone as error:
        messages.error(request, str(error))
    return redirect("dataset", row.pk)


@require_safe
@requires(Scope.EXPORTS)
def compare(request: PersonRequest) -> HttpResponse:
    """The two that were asked for, by fingerprint."""
    first, second = (
        Dataset.objects.filter(fingerprint=request.GET.get(name, "")[:64]).first() for name in ("first", "second")
    )
    context: dict[str, Any] = {
        "first": first,
        "second": second,
        "choices": Dataset.objects.order_by("-id")[:RECENT],
    }
    if first is None and second is None:  # the newest, beside the one before
        context |= dict(zip(("first", "second"), context["choices"], strict=False))
        return render(request, "review/datasets/compare.html", context)
    if first and second and first != second:
        from review.exports.comparing import compare as held_against

        try:
            context["found"] = held_against(first, second)
        except (datasets.FilesGone, OSError):
            context["gone"] = True
    return render(request, "review/datasets/compare.html", context)


def files_of(row: Export) -> list[datasets.FileOf]:
    try:
        return datasets.listed(datasets.folder_of_export(row)) if row.state == ExportState.DONE else []
    except datasets.FilesGone:
        return []


def worded(refused: Mapping[str, int]) -> list[tuple[Any, int]]:
    """The most first."""
    known = set(Refusal.values)
    found = [(Refusal(reason).label if reason in known else reason, count) for reason, count in refused.items()]
    return sorted(found, key=lambda one: -one[1])


def as_csv(card: Mapping[str, Any]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="dataset-{card["fingerprint"][:12]}.csv"'
    table = csv.writer(response)
    columns = ["category", "positive", "negative", "prevalence", "agreement", "tested"]
    table.writerow(columns)
    table.writerows([one[name] for name in columns] for one in card["categories"])
    return response
