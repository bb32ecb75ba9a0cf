"""What waits for a second person: read it, look at it, agree or send it back."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from moderation import audit
from moderation.actors import Actor
from moderation.models import Scope, Status
from moderation.tasks import nudge_recheck
from moderation.views.access import PersonRequest, requires
from review import holding, images
from review.judgements import UnfitDecision
from review.models import Effect
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
    return render(request, "review/held.html", {"lines": lines, "more": len(found) > PAGE, "own": own})


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


@require_http_methods(["GET", "POST"])
@requires(Scope.REVIEW_ESCALATED)
def look(request: PersonRequest, pk: UUID) -> HttpResponse:
    """The image of what waits: blurred for a GET, clear for a POST, which goes on record."""
    effect = holding.for_person(request.user).select_related("submission").filter(pk=pk).first()
    if effect is None or effect.submission.status == Status.QUARANTINED:
        raise Http404
    clear = ""
    if request.method == "POST":
        with transaction.atomic():
            said = {"decision": str(pk), "for": "second person"}
            subject = audit.submission(effect.submission_id)
            audit.record(audit.Entry(Actor.person(request.user), "image.looked_at", subject, said))
        clear = images.link(effect.submission, request.user, images.Variant.WORKING)
    return render(request, "review/held_look.html", {"line": line(effect, request), "clear": clear})


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
