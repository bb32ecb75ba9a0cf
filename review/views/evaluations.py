"""Evaluations: those there are, a new one, and what one found, as a page and as files."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from classifiers.models import ClassifierVersion
from moderation import policies
from moderation.models import Scope, Status, Submission, TriagePlan, User
from moderation.views.access import PersonRequest, requires
from review import images
from review.evaluation_forms import SERVICE, EvaluationForm
from review.evaluations import orders, tables
from review.models import Dataset, Evaluation, EvaluationOrder, Sample
from review.tasks import nudge_evaluations

PAGE: Final = 50
SHOWN: Final = 48
SIDES: Final = ("candidate", "incumbent")
ZONES: Final[Mapping[str, Promise]] = {
    "approve": gettext_lazy("approved by machine"),
    "review": gettext_lazy("to people"),
    "block": gettext_lazy("blocked by machine"),
}
DEFAULTS: Final = {"against": SERVICE, "split": Sample.TEST, "limit": 1, "confidence": 95}


@dataclass(frozen=True, slots=True)
class Moved:
    """An image that changes sides. Without a picture where there must not be one."""

    row: Mapping[str, Any]
    old: Promise
    new: Promise
    submission: Submission
    glimpse: str


@require_safe
@requires(Scope.ML, Scope.POLICY_READ)
def index(request: PersonRequest) -> HttpResponse:
    """Newest first, and what still waits or failed."""
    kept = Evaluation.objects.select_related("candidate", "incumbent", "dataset", "made_by").order_by("-id")
    kept = kept.defer("candidate__card", "candidate__metrics", "incumbent__card", "incumbent__metrics")
    if key := uuid(request.GET.get("before", "")):
        kept = kept.filter(pk__lt=key)
    if ref := request.GET.get("version", ""):
        kept = kept.filter(candidate__in=ClassifierVersion.objects.with_refs([ref]))
    rows = list(kept[: PAGE + 1])
    unfinished = EvaluationOrder.objects.filter(evaluation__isnull=True).select_related("candidate", "asked_by")
    context = {
        "rows": [(row, headline(row.figures)) for row in rows[:PAGE]],
        "older": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "unfinished": unfinished.order_by("-id")[:10],
        "version": ref,
        "plan": TriagePlan.objects.in_force(),
        "may_ask": request.user.has_scope(Scope.ML),
    }
    return render(request, "review/evaluations/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Scope.ML)
def new(request: PersonRequest) -> HttpResponse:
    plan = TriagePlan.objects.in_force()
    form = EvaluationForm(request.POST or None, initial={**DEFAULTS, **suggested(request.GET, plan)})
    if form.is_valid():
        try:
            order = form.ask(request.user)
        except orders.CannotEvaluate as refusal:
            form.add_error(None, str(refusal))
        else:
            nudge_evaluations()
            return redirect("evaluation_order", pk=order.pk)
    return render(request, "review/evaluations/new.html", {"form": form, "plan": plan})


def suggested(asked: Mapping[str, str], plan: TriagePlan | None) -> dict[str, Any]:
    """The version named in the address, the newest data set, and the terms of the plan's gates where it has any."""
    from review.evaluations.measuring import BY

    said: dict[str, Any] = {"by": list(BY), "dataset": Dataset.objects.exclude(folder="").order_by("-id").first()}
    if ref := asked.get("version"):
        said["candidate"] = ClassifierVersion.objects.with_refs([ref]).first()
    gates = policies.parsed(plan).gates if plan else None
    if gates:
        said["by"] = list(dict.fromkeys([*said["by"], *gates.slices, *gates.groups]))
        if gates.alpha:
            said |= {"limit": round(100 * gates.alpha, 6), "confidence": round(100 * (1 - gates.delta), 6)}
    return said


@require_safe
@requires(Scope.ML, Scope.POLICY_READ)
def order(request: PersonRequest, pk: UUID) -> HttpResponse:
    """How far it is; once it is measured, the evaluation itself."""
    row = get_object_or_404(EvaluationOrder.objects.select_related("candidate", "incumbent", "dataset"), pk=pk)
    if (found := orders.evaluation_of(row.pk)) is not None:
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": found_at(found)})
        return redirect("evaluation", pk=found.pk)
    return render(request, "review/evaluations/order.html", {"order": row, "open": row.state in EvaluationOrder.OPEN})


def found_at(row: Evaluation) -> str:
    from django.urls import reverse

    return reverse("evaluation", kwargs={"pk": row.pk})


@require_safe
@requires(Scope.ML, Scope.POLICY_READ)
def detail(request: PersonRequest, pk: UUID) -> HttpResponse:
    """What it found: over all categories, and of the `category` asked for."""
    row = evaluation_or_404(pk)
    figures, categories = row.figures, row.figures["categories"]
    chosen = request.GET.get("category", "")
    if chosen not in categories:
        chosen = max(categories, key=lambda code: categories[code]["compared"]["n"])
    one = categories[chosen]
    moved = seen(one["moved"], request.user)
    context = {
        "row": row,
        "figures": figures,
        "head": headline(figures),
        "chosen": chosen,
        "one": one,
        "lines": [line(code, part) for code, part in categories.items()],
        "refs": {"candidate": figures["candidate"], "incumbent": figures["incumbent"]},
        "at_cuts": at_cuts(one),
        "slices": sliced(one["slices"]),
        "fairness": one["fairness"]["candidate"],
        "live": [(figures[side], found) for side, found in (figures.get("live") or {}).items()],
        "moved": moved[:SHOWN],
        "more": max(0, len(moved) - SHOWN),
        "hidden": len(one["moved"]) - len(moved),
        "right": sum(bool(each.row["right"]) for each in moved),
        "plan": TriagePlan.objects.in_force(),
        "sides": [side for side in SIDES if side in one["compared"]["sides"]],
    }
    return render(request, "review/evaluations/detail.html", context)


@require_safe
@requires(Scope.ML, Scope.POLICY_READ)
def table(request: PersonRequest, pk: UUID, name: str) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """figures, slices, fairness, curves or moved, of all categories, as CSV."""
    row = evaluation_or_404(pk)
    if name == "moved":
        everyone = [one for part in row.figures["categories"].values() for one in part["moved"]]
        return as_csv(row, name, tables.moved(row.figures, set(free(everyone))))
    if name not in tables.TABLES:
        raise Http404
    return as_csv(row, name, tables.TABLES[name](row.figures))


def evaluation_or_404(pk: UUID) -> Evaluation:
    related = ("candidate", "incumbent", "dataset", "plan", "made_by")
    return get_object_or_404(Evaluation.objects.select_related(*related), pk=pk)


def headline(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The means over categories, side by side, and the candidate's load less the incumbent's."""
    sides = figures["summary"]["sides"]
    new, old = sides.get("candidate"), sides.get("incumbent")
    return {"new": new, "old": old, "load": new["load"] - old["load"] if new and old else None, **figures["summary"]}


def line(code: str, one: Mapping[str, Any]) -> dict[str, Any]:
    """A category's row in the table at the top."""
    found = one["compared"]
    return {
        "code": code,
        "n": found["n"],
        "positives": found["positives"],
        "load": one["load"],
        "load_difference": one["load_difference"],
        "sides": found["sides"],
        "differences": found["differences"],
    }


def at_cuts(one: Mapping[str, Any]) -> list[dict[str, Any]]:
    """At each of the plan's cuts, what either side does."""
    return [
        {
            "name": ZONES["approve"] if name == "approve" else ZONES["block"],
            "cut": cut,
            "key": name,
            "sides": {
                side: {
                    key.removeprefix(f"{name}."): value for key, value in values.items() if key.startswith(f"{name}.")
                }
                for side, values in one["compared"]["sides"].items()
            },
        }
        for name, cut in one["cuts"].items()
    ]


def sliced(parts: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """By attribute, in the order in which they were measured."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for part in parts:
        found.setdefault(part["by"], []).append(part)
    return [(by, values) for by, values in found.items() if any(one["value"] for one in values)]


def free(rows: Sequence[Mapping[str, Any]]) -> dict[str, Submission]:
    """Those of these images that are still here and not under legal hold. One query."""
    keys = [key for one in rows if (key := uuid(one["submission"]))]
    kept = Submission.objects.filter(pk__in=keys).exclude(status=Status.QUARANTINED)
    return {str(row.pk): row for row in kept.only("pk", "status", "created_at")}


def seen(rows: Sequence[Mapping[str, Any]], person: User) -> list[Moved]:
    there = free(rows)
    return [
        Moved(
            one,
            ZONES[one["from"]],
            ZONES[one["to"]],
            submission := there[one["submission"]],
            images.glimpse(submission, person),
        )
        for one in rows
        if one["submission"] in there
    ]


def as_csv(row: Evaluation, name: str, rows: Iterable[Sequence[Any]]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    ref = row.candidate.ref.replace("@", "-")
    response["Content-Disposition"] = f'attachment; filename="{ref}-{name}.csv"'
    csv.writer(response).writerows(rows)
    return response


def uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
