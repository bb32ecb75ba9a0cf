"""The desk: the page, and the parts of it that its modules fetch. Decisions go through the API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from moderation import policies
from moderation.models import Scope
from moderation.views.access import PersonRequest, requires
from review import keymaps, queue
from review.models import Claim
from review.views import acts, wellness
from review.views.cards import cards, every_choice
from review.views.panels import clauses
from review.views.phrases import words
from review.wellness.limits import EnoughForNow, standing_of

IN_HAND: Final = 5  # images a desk holds at a time


@require_safe
@requires(Scope.REVIEW)
def index(request: PersonRequest) -> HttpResponse:
    """Back to the queue this person works on, else to the first one that has work for them."""
    held = queue.held(request.user)
    if held:
        return redirect("desk-queue", held[0].request.queue)
    mine = [one for one in queue.counts() if queue.is_open_to(request.user, one.queue)]
    return redirect("desk-queue", next((one.queue for one in mine if one.open), queue.GENERAL))


@require_safe
@requires(Scope.REVIEW)
def desk(request: PersonRequest, name: str) -> HttpResponse:
    check(request, name)
    guidelines = policies.in_force()
    context = {
        "queue": name,
        "queue_words": queue.in_words(name),
        "words": words(),
        "comfort": wellness.told(standing_of(request.user)),
        "acts": acts.table(keymaps.keys_of(request.user, acts.HOUSE)),
        "clauses": clauses(guidelines),
        "queues": {slug: words for slug, words in queue.destinations().items() if slug != name},
        "undo_seconds": settings.REVIEW_UNDO_SECONDS,
        "lease_seconds": settings.REVIEW_LEASE_SECONDS,
        "choices": every_choice(guidelines),
    }
    return render(request, "review/desk.html", context)


@require_POST
@requires(Scope.REVIEW)
def claim(request: PersonRequest, name: str) -> HttpResponse:
    """Cards of what this person holds in this queue, topped up; those named in `have` are on the page already."""
    check(request, name)
    have = set(keys(request, "have"))
    held = queue.resumed(request.user, name) if not have else queue.held(request.user, name)
    missing = IN_HAND - len(held)
    stopped = ""
    if missing > 0:
        try:
            held += queue.claim(request.user, name, missing)
        except (EnoughForNow, queue.HoldsTooMany) as enough:
            stopped = str(enough)
    context = {
        "stopped": stopped,
        "cards": cards([one for one in held if one.pk not in have], reviewer=request.user),
        "may_know": request.user.has_scope(Scope.BANKS_ADD),
        "backlog": next((one for one in queue.counts() if one.queue == name), queue.Backlog(name, 0, False, None)),
    }
    return render(request, "review/cards.html", context)


@require_POST
@requires(Scope.REVIEW)
def heartbeat(request: PersonRequest) -> HttpResponse:
    """Extends what it can. Answers how many seconds each claim that is still held has now, and until when that is; what
    is missing is lost.
    """
    until = {}
    for key in keys(request, "claim"):
        try:
            until[str(key)] = queue.extend(key, request.user).isoformat()
        except (queue.ClaimGone, Claim.DoesNotExist):
            continue
    return JsonResponse({"seconds": dict.fromkeys(until, settings.REVIEW_LEASE_SECONDS), "until": until})


@require_POST
@requires(Scope.REVIEW)
def release(request: PersonRequest) -> HttpResponse:
    """Gives back what a page that goes away held, as far as it knew the leases (`until`): a page that came after it has
    renewed them, however late this arrives. What has ended already is none of its worries.
    """
    known = [moment(value) for value in request.POST.getlist("until")]
    for number, key in enumerate(keys(request, "claim")):
        try:
            queue.release(key, request.user, until=known[number] if number < len(known) else None)
        except (queue.ClaimGone, Claim.DoesNotExist):
            continue
    return HttpResponse(status=204)


def check(request: PersonRequest, name: str) -> None:
    try:
        queue.check_queue(request.user, name)
    except queue.NotForYou as error:
        raise PermissionDenied(str(error)) from error


def moment(value: str) -> datetime:
    """Raises BadRequest."""
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise BadRequest(_("These are no claims.")) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def keys(request: HttpRequest, field: str) -> Sequence[UUID]:
    """The ids sent under `field`, at most as many as one page can hold. Raises BadRequest."""
    try:
        return [UUID(value) for value in request.POST.getlist(field)[: queue.MOST * 2]]
    except ValueError as error:
        raise BadRequest(_("These are no claims.")) from error
