"""A person's own keys."""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from moderation.models import Scope
from moderation.views.access import PersonRequest, requires
from review import keymaps
from review.views import acts


@require_POST
@requires(Scope.REVIEW)
def move(request: PersonRequest) -> HttpResponse:
    """`act` gets `key`; without an act, the house's keys hold again. Answers the whole table; 422 with words."""
    if "act" not in request.POST:
        keymaps.reset(request.user)
        return JsonResponse({"acts": acts.table(acts.HOUSE)})
    act, key = request.POST["act"], request.POST.get("key")
    try:
        keys = keymaps.move(request.user, act, key, house=acts.HOUSE, fixed=acts.FIXED)
    except keymaps.UnfitKeys as error:
        return JsonResponse({"detail": str(error)}, status=422)
    return JsonResponse({"acts": acts.table(keys)})
