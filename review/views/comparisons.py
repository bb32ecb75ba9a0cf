"""Where images would go if a version took over: as a page, as JSON, and the images that move as CSV."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import Promise
from django.views.decorators.http import require_safe

from classifiers.models import ClassifierVersion
from moderation import adoption, shadows
from moderation.models import Scope, Status, TriagePlan, User
from moderation.routing import PlanError
from moderation.shadows import Compared, Comparison
from moderation.views.access import PersonRequest, requires
from moderation.views.plans import OUTCOMES, Share
from review import agreement, images
from review.models import Verdict

SIZES: Final = (500, shadows.RECENT, shadows.MOST)
SHOWN: Final = 60

Verdicts = Mapping[UUID, Verdict]


@dataclass(frozen=True, slots=True)
class Move:
    """One kind of move: how many images make it, and what people said of those they have decided."""

    kind: str
    old: Promise
    new: Promise
    images: int
    approved: int
    blocked: int


@dataclass(frozen=True, slots=True)
class Line:
    """An image that would move. Without a picture where there must not be one."""

    image: Compared
    old: Promise
    new: Promise
    verdict: Verdict | None
    glimpse: str


@require_safe
@requires(Scope.ML, Scope.POLICY_READ)
def shadow(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Compares the version with what it would replace. `n`: images looked back on; `move`: the kind that is listed."""
    version = get_object_or_404(ClassifierVersion.objects.select_related("backbone"), pk=pk)
    asked = request.GET.get("n", "")
    size = int(asked) if asked in {str(one) for one in SIZES} else shadows.RECENT
    wanted = request.GET.get("format", "")
    plan = TriagePlan.objects.in_force()
    context: dict[str, Any] = {"version": version, "plan": plan, "in_shadow": version.ref in shadows.standing(plan)}
    try:
        found = shadows.compare(version, limit=size)
    except (adoption.AlreadyPinned, PlanError) as error:
        if wanted:
            return JsonResponse({"version": version.ref, "detail": str(error)}, status=409)
        return render(request, "review/shadow.html", {**context, "refused": str(error)})
    verdicts = agreement.verdicts_on([one.submission.pk for one in found.images])
    if wanted == "json":
        return JsonResponse(as_json(found, verdicts))
    if wanted == "csv":
        return as_csv(found, verdicts)
    context |= told(found, verdicts, request.user, chosen=request.GET.get("move", ""))
    return render(request, "review/shadow.html", {**context, "size": size, "sizes": SIZES})


def told(found: Comparison, verdicts: Verdicts, person: User, *, chosen: str) -> dict[str, Any]:
    """The page's figures, and those images of the move `chosen` (else of all) that may be listed."""
    moved, total = listed(found), len(found.images)
    of_kind = [one for one in moved if chosen in {"", kind(one)}]
    return {
        "found": found,
        "adoption": found.adoption,
        "shares": [
            Share(action, found.before[action], found.after[action], total)
            for action in OUTCOMES
            if action != "quarantine" or found.before[action] or found.after[action]
        ],
        "agreed": agreement.Share(found.agreed, total),
        "moves": moves(found, verdicts),
        "people": agreement.agreement(found.images, verdicts),
        "people_moved": agreement.agreement(found.moved, verdicts),
        "chosen": chosen,
        "lines": [line(one, verdicts, person) for one in of_kind[:SHOWN]],
        "more": max(0, len(of_kind) - SHOWN),
        "hidden": len(found.moved) - len(moved),
    }


def listed(found: Comparison) -> list[Compared]:
    """What moves and is not under legal hold: of that, only the number is told."""
    return [one for one in found.moved if one.submission.status != Status.QUARANTINED]


def kind(one: Compared) -> str:
    return f"{one.before.action}-{one.after.action}"


def moves(found: Comparison, verdicts: Verdicts) -> list[Move]:
    said = Counter((kind(one), verdicts.get(one.submission.pk)) for one in found.moved)
    return [
        Move(
            name := f"{old}-{new}",
            OUTCOMES[old],
            OUTCOMES[new],
            count,
            said[name, Verdict.APPROVE],
            said[name, Verdict.BLOCK] + said[name, Verdict.QUARANTINE],
        )
        for (old, new), count in found.moves.most_common()
    ]


def line(one: Compared, verdicts: Verdicts, person: User) -> Line:
    glimpse = images.glimpse(one.submission, person)
    return Line(one, OUTCOMES[one.before.action], OUTCOMES[one.after.action], verdicts.get(one.submission.pk), glimpse)


def as_json(found: Comparison, verdicts: Verdicts) -> dict[str, Any]:
    """All the page's figures, without the images."""
    return {
        **shadows.as_json(found),
        "people": {
            "all": people_json(found.images, verdicts),
            "moved": people_json(found.moved, verdicts),
        },
    }


def people_json(images_: Sequence[Compared], verdicts: Verdicts) -> dict[str, Any]:
    said = agreement.agreement(images_, verdicts)
    sides = {"before": said.before, "after": said.after}
    return {
        "decided": said.decided,
        **{
            side: {"settled": one.of, "agreed": one.part, "share": one.value, "low": one.low, "high": one.high}
            for side, one in sides.items()
        },
    }


def as_csv(found: Comparison, verdicts: Verdicts) -> HttpResponse:
    """Every image that would move, newest first, but for what is under legal hold."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    name = found.adoption.version.ref.replace("@", "-")
    response["Content-Disposition"] = f'attachment; filename="moves-{name}.csv"'
    rows = csv.writer(response)
    rows.writerow(["submission_id", "created_at", "before", "category_before", "after", "category_after", "person"])
    for one in listed(found):
        before, after, row = one.before, one.after, one.submission
        said = str(verdicts.get(row.pk, ""))
        rows.writerow(
            [row.pk, row.created_at.isoformat(), before.action, before.category, after.action, after.category, said]
        )
    return response
