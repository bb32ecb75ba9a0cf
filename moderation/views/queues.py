"""The queues as policy leads define them."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from moderation.actors import Actor
from moderation.models import ReviewQueue, Scope
from moderation.queue_forms import QueueForm
from moderation.queues import keeping, known, trying
from moderation.queues.definitions import ESCALATED, GENERAL
from moderation.queues.keeping import UnfitQueue
from moderation.views.access import PersonRequest, requires

ALWAYS: Final = {GENERAL, ESCALATED}


@require_safe
@requires(Scope.POLICY)
def index(request: PersonRequest) -> HttpResponse:
    rows = list(ReviewQueue.objects.filter(retired_at__isnull=True).order_by("position", "slug"))
    context = {
        "rows": [(row, known.definition_of(row)) for row in rows if row.slug not in ALWAYS],
        "always": [(GENERAL, _("General")), (ESCALATED, _("Escalated"))],
        "trial": trying.try_out(known.definitions(), known.definitions()),
    }
    return render(request, "moderation/queues.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Scope.POLICY)
def edit(request: PersonRequest, slug: str = "") -> HttpResponse:
    """A new queue, or one that is there. “Try” shows where the newest requests would have gone, and changes nothing."""
    row = ReviewQueue.objects.filter(pk=slug, retired_at__isnull=True).first() if slug else None
    if slug and row is None and slug not in ALWAYS:
        row = get_object_or_404(ReviewQueue, pk=slug, retired_at__isnull=True)
    form = QueueForm(request.POST or None, row=row, slug=slug)
    trial = None
    if form.is_valid():
        try:
            said = form.said()
            if not slug and ReviewQueue.objects.filter(pk=said["slug"], retired_at__isnull=True).exists():
                raise UnfitQueue("slug", _("There is a queue of this name. Change that one."))
            if request.POST.get("action") != "define":
                trial = tried(said)
            else:
                made = keeping.define(**said, actor=Actor.person(request.user))
                messages.success(request, _("The queue “%(name)s” holds from now on.") % {"name": made.title})
                return redirect("queue_definitions")
        except UnfitQueue as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
    context: dict[str, Any] = {"form": form, "row": row, "slug": slug, "trial": trial}
    context["may_retire"] = row is not None and slug not in ALWAYS
    return render(request, "moderation/queue.html", context, status=422 if form.errors else 200)


def tried(said: dict[str, Any]) -> trying.Trial:
    """The definition among the others, as it would be. Raises UnfitQueue."""
    draft = keeping.drafted(**said)
    rows = ReviewQueue.objects.filter(retired_at__isnull=True).exclude(pk=draft.slug)
    placed = [(row.position, known.definition_of(row)) for row in [*rows, draft]]
    return trying.try_out(known.definitions(), trying.with_one(known.definitions(), placed))


@require_POST
@requires(Scope.POLICY)
def retire(request: PersonRequest, slug: str) -> HttpResponse:
    get_object_or_404(ReviewQueue, pk=slug, retired_at__isnull=True)
    try:
        row = keeping.retire(slug, actor=Actor.person(request.user))
    except UnfitQueue as error:
        messages.error(request, str(error))
    else:
        told = _("“%(name)s” takes nothing more. What waits in it goes to the general queue within half a minute.")
        messages.success(request, told % {"name": row.title})
    return redirect("queue_definitions")
