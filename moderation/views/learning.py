"""Learning: the registered classifier versions, what each is and how good it was. The page of one is `review`'s."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import tomli_w
from django.core.files.storage import storages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from classifiers.models import ClassifierVersion
from moderation import adoption, shadows
from moderation.forms import NoteForm
from moderation.models import Embedding, Finding, Scope, TriagePlan, User
from moderation.routing import PlanError
from moderation.views.access import PersonRequest, requires
from moderation.views.versions import newest

LISTED: Final = 20
COUNTED: Final = 10_000
BIN: Final = ("low", "high", "n", "count", "mean_probability", "share_violating", "share_low", "share_high")


@dataclass(frozen=True, slots=True)
class Measured:
    """How good one head was on its test split; None where the card does not say."""

    category: str
    figures: Mapping[str, Any]


@require_safe
@requires(Scope.ML, Scope.POLICY_READ)
def index(request: PersonRequest) -> HttpResponse:
    plan = TriagePlan.objects.in_force()
    pinned = pinned_by(plan)
    versions = (
        newest(each=LISTED, keeping=[*pinned, *shadows.standing(plan)])
        .select_related("backbone")
        .defer("card", "backbone__card")
    )
    lines = [(version, weakest(version)) for version in versions]
    families = [(name, list(group)) for name, group in groupby(lines, key=lambda line: line[0].name)]
    context = {"families": families, "plan": plan, "pinned": pinned, "shadows": shadows.standing(plan)}
    return render(request, "moderation/learning.html", context)


def told(version: ClassifierVersion, person: User) -> dict[str, Any]:
    """What the page of a version says of the version itself, and what adopting it would do."""
    plan = TriagePlan.objects.in_force()
    return {
        "version": version,
        "plan": plan,
        "pinned": version.ref in pinned_by(plan),
        "in_shadow": version.ref in shadows.standing(plan),
        "measured": measured(version),
        "spoken": spoken_on(version),
        "siblings": ClassifierVersion.objects.filter(name=version.name)
        .order_by("-created_at", "-pk")
        .defer("card", "metrics")[:LISTED],
        "note_form": NoteForm(),
        **what_adopting_does(version, may_adopt=person.has_scope(Scope.ML)),
    }


@require_safe
@requires(Scope.ML)
def file(request: PersonRequest, pk: UUID, what: str) -> FileResponse:  # noqa: ARG001 - Django's signature
    """Its card, its weights, or their ONNX twin, where it has one. Weights that are a folder come as a tar."""
    version = get_object_or_404(ClassifierVersion, pk=pk)
    name = f"{version.name}-{version.version}"
    if what == "card":
        content = tomli_w.dumps(version.card).encode()
        return FileResponse(io.BytesIO(content), as_attachment=True, filename=f"{name}.toml")
    twin = version.card.get("onnx") or {}
    stored = version.weights if what == "weights" else f"{twin['sha256']}.onnx" if twin else ""
    if not stored or not storages["models"].exists(stored):
        raise Http404
    return FileResponse(storages["models"].open(stored), as_attachment=True, filename=name + Path(stored).suffix)


@require_safe
@requires(Scope.ML, Scope.POLICY_READ)
def reliability(request: PersonRequest, pk: UUID) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """The bins of every category as CSV."""
    version = get_object_or_404(ClassifierVersion, pk=pk)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{version.name}-{version.version}-reliability.csv"'
    table = csv.writer(response)
    table.writerow(["category", *BIN])
    for one in measured(version):
        table.writerows(
            [one.category, *(bin_.get(name, "") for name in BIN)] for bin_ in one.figures.get("reliability", ())
        )
    return response


def spoken_on(version: ClassifierVersion) -> dict[str, Any]:
    """On how many images its word is stored, of how many whose embedding is. Counted up to COUNTED, never further."""
    found = Finding.objects.filter(classifier=version)[: COUNTED + 1].count()
    stored = Embedding.objects.filter(backbone=version.backbone_id or version)[: COUNTED + 1].count()
    return {"findings": min(found, COUNTED), "embeddings": min(stored, COUNTED), "more": max(found, stored) > COUNTED}


def what_adopting_does(version: ClassifierVersion, *, may_adopt: bool) -> dict[str, Any]:
    if not may_adopt or not version.categories:
        return {}
    try:
        return {"adoption": adoption.prepare(version.ref)}
    except adoption.AlreadyPinned:
        return {}
    except PlanError as error:
        return {"adoption_refused": str(error)}


def pinned_by(plan: TriagePlan | None) -> frozenset[str]:
    return frozenset(plan.body["classifiers"]) if plan else frozenset()


def weakest(version: ClassifierVersion) -> float | None:
    """The lowest AUC of its heads, as far as they were measured."""
    return min((one.figures["auc"] for one in measured(version) if one.figures.get("auc") is not None), default=None)


def measured(version: ClassifierVersion) -> list[Measured]:
    """Each category's figures, in the order of the version's categories; a card need not have any."""
    figures = {code: found for code, found in version.metrics.items() if isinstance(found, dict)}
    return [Measured(code, figures[code]) for code in version.categories if code in figures]
