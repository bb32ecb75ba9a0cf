"""Many small images of one queue at once. Decisions go through the API, all in one call."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from moderation import policies
from moderation.models import Scope
from moderation.views.access import PersonRequest, requires
from review import cases, grid, images, queue
from review.blinding import is_unaided
from review.models import Claim
from review.views.cards import every_choice
from review.wellness.limits import EnoughForNow, standing_of

FIRST_SIZE: Final = 24


@require_safe
@requires(Scope.REVIEW)
def index(request: PersonRequest, name: str) -> HttpResponse:
    check(request, name)
    context = {
        "queue": name,
        "queue_words": queue.in_words(name),
        "size": size_of(request.GET.get("size", "")),
        "sizes": grid.SIZES,
        "lease_seconds": settings.REVIEW_LEASE_SECONDS,
        "choices": every_choice(policies.in_force()),
        "words": words(),
        "thumbnail": standing_of(request.user).comfort.thumbnail,
    }
    return render(request, "review/grid.html", context)


@require_POST
@requires(Scope.REVIEW)
def claim(request: PersonRequest, name: str) -> HttpResponse:
    """The tiles of what this person holds now, topped up."""
    check(request, name)
    stopped, held = "", list[Claim]()
    try:
        held = grid.claim(request.user, name, size_of(request.POST.get("size", "")))
    except (EnoughForNow, queue.HoldsTooMany) as enough:
        stopped = str(enough)
    return render(request, "review/grid_tiles.html", {"tiles": tiles(held, request), "stopped": stopped})


def tiles(claims: list[Claim], request: PersonRequest) -> list[dict[str, Any]]:
    """Near-duplicates side by side, the first of them leading. What checks the machines leads and follows nobody."""
    kin: dict[UUID, list[Claim]] = {}
    for one in claims:
        free = not is_unaided(one.request)
        kin.setdefault((free and one.request.submission.cluster) or one.pk, []).append(one)
    sizes = Counter({key: len(members) for key, members in kin.items()})
    return [
        {
            "claim": one,
            "submission": one.request.submission,
            "category": cases.category_of(one),
            "blurred": images.link(one.request.submission, request.user, images.Variant.BLURRED),
            "follows": members[0].pk if number else None,
            "copies": sizes[key] - 1 if not number else 0,
        }
        for key, members in kin.items()
        for number, one in enumerate(members)
    ]


def check(request: PersonRequest, name: str) -> None:
    try:
        queue.check_queue(request.user, name)
    except queue.NotForYou as error:
        raise PermissionDenied(str(error)) from error


def size_of(value: str) -> int:
    return int(value) if value in {str(size) for size in grid.SIZES} else FIRST_SIZE


def words() -> dict[str, str]:
    """What the page's module says."""
    return {
        "done": _("{good} approved, {bad} blocked."),
        "spot": _("{n} left to a colleague as a spot check."),
        "failed": _("{n} not recorded: {why}"),
        "offline": _("The house does not answer. Nothing was recorded; press Enter to try again."),
        "lost": _("The leases on {n} images ended. They went back to the queue; nothing was decided."),
        "look": _("The image cannot be shown: {why}"),
        "empty": _("Nothing of low severity waits here."),
        "marked": _("{n} marked"),
    }
