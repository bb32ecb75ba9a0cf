"""The search page: filters, pages, views that are kept, and CSV. The address is the search."""

from __future__ import annotations

import csv
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from moderation.models import Scope, Submission
from moderation.views.access import PersonRequest, requires
from moderation.wording import category_name
from review import images
from review.models import SavedView
from review.search import pages, saved
from review.search.filters import SearchFilter, UnfitSearch, canonical, found_by

GROUPS: Final = (
    (gettext_lazy("Where it stands"), ("status", "decided_by", "route", "category", "reason")),
    (gettext_lazy("Where it comes from"), ("client", "author_ref", "external_id", "generator")),
    (gettext_lazy("Where it is shown"), ("surface", "audience", "territory")),
    (gettext_lazy("When"), ("created_after", "created_before", "settled_after", "settled_before")),
    (gettext_lazy("By which rule, by whom"), ("plan", "policy", "reviewer", "label")),
)
COLUMNS: Final = (
    "id", "created_at", "settled_at", "status", "decided_by", "route", "flagged", "client", "external_id", "author_ref",
    "surface", "audience", "territories", "generator", "plan", "policy", "cluster", "sha256", "prompt",
)  # fmt: skip


@require_safe
@requires(Scope.SUBMISSIONS_READ)
def index(request: PersonRequest) -> HttpResponse:
    query = canonical(request.GET)
    before, trouble, page, status = key(request.GET.get("before", "")), "", pages.Page([], None), 200
    form = SearchFilter(request.GET or None).form
    try:
        page = pages.page_of(found_by(query), before=before)
    except UnfitSearch as error:
        form, trouble = error.form, str(error)
    except pages.TooSlow as error:
        trouble, status = str(error), 503
    if request.GET.get("as") == "csv" and not trouble:
        return table(page)
    as_table = request.GET.get("as") == "table"
    context = {
        "form": form,
        "prompt": form["prompt"],
        "image": form["image"],
        "groups": grouped(form),
        "query": query,
        "same": f"{query}&as=table" if as_table else query,
        "rows": [row(one, request) for one in page.rows],
        "older": page.older,
        "newest": before is None,
        "before": before,
        "trouble": trouble,
        "as_table": as_table,
        "views": [(view, view.owner_id == request.user.pk) for view in saved.views_of(request.user)],
    }
    return render(request, "review/search.html", context, status=status)


@require_safe
@requires(Scope.SUBMISSIONS_READ)
def count(request: PersonRequest) -> HttpResponse:
    """How many a search finds, in words; asked for after the page, so that nobody waits for it."""
    try:
        words = pages.count_of(found_by(canonical(request.GET))).words
    except UnfitSearch:
        words = ""
    return HttpResponse(words, content_type="text/plain; charset=utf-8")


@require_POST
@requires(Scope.SUBMISSIONS_READ)
def keep(request: PersonRequest) -> HttpResponse:
    query = request.POST.get("query", "")
    shared = request.POST.get("shared") == "on"
    try:
        view = saved.keep(request.user, name=request.POST.get("name", ""), query=query, shared=shared)
    except saved.UnfitView as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Kept as “%(name)s”.") % {"name": view.name})
    return redirect(f"{reverse('search')}?{query}")


@require_POST
@requires(Scope.SUBMISSIONS_READ)
def remove(request: PersonRequest, pk: UUID) -> HttpResponse:
    try:
        saved.remove(pk, request.user)
    except SavedView.DoesNotExist as error:
        raise Http404 from error
    return redirect("search")


def grouped(form: forms.Form) -> list[dict[str, Any]]:
    """The filters by group; `open` where one of them is set or wrong."""
    return [
        {
            "words": words,
            "fields": [form[name] for name in names],
            "open": any(form[name].errors or (form.is_bound and form[name].data) for name in names),
        }
        for words, names in GROUPS
    ]


def row(one: Submission, request: PersonRequest) -> dict[str, Any]:
    return {
        "submission": one,
        "glimpse": images.glimpse(one, request.user),
        "flagged": [category_name(code) for code in one.flagged],
    }


def table(page: pages.Page) -> HttpResponse:
    """The page as CSV."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="search.csv"'
    writer = csv.writer(response)
    writer.writerow(COLUMNS)
    for one in page.rows:
        writer.writerow([cell(value) for value in values(one)])
    return response


def values(one: Submission) -> list[Any]:
    told = {
        "flagged": " ".join(one.flagged),
        "client": one.client.slug,
        "territories": " ".join(one.territories),
        "generator": (one.generator or {}).get("name", ""),
        "plan": one.plan.number if one.plan else "",
        "policy": str(one.policy) if one.policy else "",
        "created_at": one.created_at.isoformat(),
        "settled_at": one.settled_at.isoformat() if one.settled_at else "",
    }
    return [told[name] if name in told else getattr(one, name) for name in COLUMNS]


def cell(value: Any) -> str:
    """What a spreadsheet would take for a formula is text to it."""
    words = "" if value is None else str(value)
    return f"'{words}" if words[:1] in {"=", "+", "-", "@", "\t", "\r"} else words


def key(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
