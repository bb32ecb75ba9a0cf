"""Two plans side by side on the same traffic."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from moderation.experiments.comparing import ALPHA, SAME, Name
from moderation.models import Rollout, Scope, TriagePlan
from moderation.views.access import PersonRequest, requires
from review import experiments
from review.experiments import Comparison

NEWEST: Final = 50
WORDS: Final[dict[Name, Any]] = {
    "block": _("Blocked by machine"),
    "approve": _("Approved by machine"),
    "review": _("Sent to people"),
    "wrong_approval": _("Wrong, of audited approvals"),
    "wrong_block": _("Wrong, of audited blocks"),
}


@require_safe
@requires(Scope.POLICY_READ, Scope.POLICY)
def index(request: PersonRequest) -> HttpResponse:
    """The two plans that were asked for; else the candidate of the latest rollout beside the plan in force."""
    plans = list(TriagePlan.objects.order_by("-number")[:NEWEST])
    tried = Rollout.objects.select_related("candidate").order_by("-id").first()
    first = chosen(request.GET.get("first", "")) or TriagePlan.objects.in_force()
    second = chosen(request.GET.get("second", "")) or (tried.candidate if tried else None)
    found = experiments.compare(first, second) if first and second and first != second else None
    if found and "csv" in request.GET:
        return as_csv(found)
    context = {
        "plans": plans,
        "first": first,
        "second": second,
        "found": found,
        "measured": [(WORDS[one.name], one) for one in found.measured] if found else [],
        "sure": round(100 * (1 - ALPHA)),
        "same": round(100 * SAME),
    }
    return render(request, "review/experiments.html", context)


def chosen(asked: str) -> TriagePlan | None:
    if asked.isascii() and asked.isdigit():
        return TriagePlan.objects.filter(number=int(asked[:9])).first()
    return None


def as_csv(found: Comparison) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"plans-{found.first.number}-{found.second.number}"
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    csv.writer(response).writerows(rows_of(found))
    return response


def rows_of(found: Comparison) -> Iterable[Sequence[Any]]:
    yield ["measure", "images_first", "of_them_first", "images_second", "of_them_second", "difference", "low", "high"]
    for one in found.measured:
        arms = [one.first.images, one.first.hits, one.second.images, one.second.hits]
        yield [one.name, *arms, one.difference.estimate, one.difference.low, one.difference.high]
