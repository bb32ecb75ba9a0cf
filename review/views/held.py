"""What waits for a second person: read it, look at it, agree or send it back."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from moderation.models import Scope
from moderation.tasks import nudge_recheck
from moderation.views.access import PersonRequest, requires
from review import holding, images
from review.judgements import UnfitDecision
from review.models import BulkAction, BulkState, Effect
from review.queue import NotForYou
from review.views.cards import labelled
from review.views.past import done

PAGE: Final = 24


@require_safe
@requires(Scope.REVIEW_ESCALATED)
def index(request: PersonRequest) -> HttpResponse:
    """Oldest first; what one has answered is gone from it, so the first page is the work."""
    waiting = holding.for_person(request.user).select_related("decision__reviewer", "submission__client")
    found = list(waiting.order_by("decision_id")[: PAGE + 1])
    own = holding.held().filter(decision__reviewer=request.user)[: holding.COUNTED].count()
    lines = [line(effect, request) for effect in found[:PAGE]]
    actions = BulkAction.objects.filter(state=BulkState.HELD).exclude(asked_by=request.user)
    context = {
        "lines": lines,
        "more": len(found) > PAGE,
        "own": own,
        "actions": list(actions.select_related("asked_by").order_by("id")[:PAGE]),
    }
    return render(request, "review/held.html", context)


def line(effect: Effect, request: PersonRequest) -> dict[str, Any]:
    decision = effect.decision
    return {
        "effect": effect,
        "decision": decision,
        "submission": effect.submission,
        "words": done()[decision.verdict],
        "labels": labelled(decision.labels),
        "glimpse": images.glimpse(effect.submission, request.user),
    }


@require_POST
@requires(Scope.REVIEW_ESCALATED)
def approve(request: PersonRequest, pk: UUID) -> HttpResponse:
    try:
        effect = holding.approve(pk, request.user)
    except NotForYou as error:
        raise PermissionDenied(str(error)) from error
    except Effect.DoesNotExist as error:
        raise Http404 from error
    except holding.NotHeld as error:
        messages.warning(request, str(error))
    else:
        if effect.bank_id:
            nudge_recheck()
        messages.success(request, _("Approved: the decision is in effect."))
    return redirect("held")


@require_POST
@requires(Scope.REVIEW_ESCALATED)
def send_back(request: PersonRequest, pk: UUID) -> HttpResponse:
    try:
        holding.send_back(pk, request.user, words=request.POST.get("words", ""))
    except NotForYou as error:
        raise PermissionDenied(str(error)) from error
    except Effect.DoesNotExist as error:
        raise Http404 from error
    except holding.NotHeld as error:
        messages.warning(request, str(error))
    except UnfitDecision as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Sent back: another senior decides, and reads your words."))
    return redirect("held")
