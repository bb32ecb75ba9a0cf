"""Decisions made under an older wording, listed and asked about again."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from moderation.models import Scope
from moderation.policies import in_force
from moderation.taxonomy import Category
from moderation.views.access import PersonRequest, requires
from review import images, rereviews
from review.views.cards import labelled
from review.views.search import key

PAGE: Final = 60


def category_or_404(said: str) -> Category:
    if said not in Category.values:
        raise Http404
    return Category(said)


@require_safe
@requires(Scope.POLICY)
def index(request: PersonRequest, category: str) -> HttpResponse:
    """The newest first, by the page."""
    code = category_or_404(category)
    before = key(request.GET.get("before", ""))
    found = rereviews.outdated(code)
    rows = list((found.filter(pk__lt=before) if before else found)[: PAGE + 1])
    context = {
        "category": code,
        "law": in_force().get(code),
        "lines": [
            {
                "decision": one,
                "asked": getattr(one, "asked", False),
                "labels": labelled(one.labels),
                "glimpse": images.glimpse(one.submission, request.user),
            }
            for one in rows[:PAGE]
        ],
        "older": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "newest": before is None,
        "most": rereviews.MOST,
    }
    return render(request, "review/rereviews.html", context)


@require_safe
@requires(Scope.POLICY)
def count(_request: PersonRequest, category: str) -> HttpResponse:
    """How many nobody is asked about yet; fetched after the guideline's page, so that nobody waits for it."""
    found = rereviews.count(category_or_404(category))
    words = f"{rereviews.COUNTED}+" if found > rereviews.COUNTED else str(found)
    return HttpResponse(words, content_type="text/plain; charset=utf-8")


@require_POST
@requires(Scope.POLICY)
def ask(request: PersonRequest, category: str) -> HttpResponse:
    """About those that were ticked, or the newest ones."""
    code = category_or_404(category)
    chosen: list[UUID] | None = None
    if request.POST.get("which") != "all":
        chosen = [found for found in map(key, request.POST.getlist("decision")) if found is not None]
        if not chosen:
            messages.error(request, _("Nothing was ticked, so nobody is asked. Tick the images to look at again."))
            return redirect("rereviews", category=code.value)
    asked = rereviews.ask_again(code, request.user, chosen)
    words = ngettext(
        "%(n)d image waits for somebody to look again.", "%(n)d images wait for somebody to look again.", asked.opened
    )
    more = _("%(n)d were asked about already.") % {"n": asked.open_before} if asked.open_before else ""
    messages.success(request, f"{words % {'n': asked.opened}} {more}".strip())
    return redirect("rereviews", category=code.value)
