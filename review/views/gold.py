"""Gold items: what is in use, one more, one less."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from moderation.models import Status, Submission
from moderation.views.access import PersonRequest, requires
from review import images
from review.forms import GoldForm
from review.judgements import UnfitDecision
from review.models import GoldItem
from review.quality import gold
from review.quality.gold import UnfitGold
from review.views.cards import labelled
from review.views.quality import LEADS, category_of

SHOWN: Final = 48


@require_http_methods(["GET", "HEAD", "POST"])
@requires(*LEADS)
def index(request: PersonRequest) -> HttpResponse:
    """The items in use, newest first, of one category or all; and a form for one more, filled in from `submission`."""
    form = GoldForm(request.POST or None, initial={"submission": request.GET.get("submission", "")})
    if request.method == "POST" and form.is_valid() and add(request, form):
        return redirect("gold")
    category = category_of(request)
    items = GoldItem.objects.filter(retired_at__isnull=True).select_related("submission", "made_by").order_by("-id")
    if category:
        items = items.filter(category=category)
    if before := key_of(request.GET.get("before", "")):
        items = items.filter(pk__lt=before)
    rows = list(items[: SHOWN + 1])
    context = {
        "form": form,
        "category": category,
        "items": [
            (item, labelled(item.labels), images.glimpse(item.submission, request.user)) for item in rows[:SHOWN]
        ],
        "older": rows[SHOWN - 1].pk if len(rows) > SHOWN else None,
    }
    return render(request, "review/quality/gold.html", context, status=422 if form.errors else 200)


def add(request: PersonRequest, form: GoldForm) -> bool:
    """Whether it was added; else the form says why not."""
    said: dict[str, Any] = form.cleaned_data
    submission = Submission.objects.exclude(status=Status.QUARANTINED).filter(pk=said["submission"]).first()
    if submission is None:
        form.add_error("submission", _("There is no such image."))
        return False
    try:
        gold.add(submission, request.user, **form.answer())
    except UnfitGold as error:
        form.add_error("submission", str(error))
        return False
    except UnfitDecision as error:
        field = error.pointer.removeprefix("#/").split("/", maxsplit=1)[0]
        form.add_error(field if field in form.fields else None, str(error))
        return False
    messages.success(request, _("Added. It is given out from now on, to each person once."))
    return True


@require_POST
@requires(*LEADS)
def retire(request: PersonRequest, pk: UUID) -> HttpResponse:
    get_object_or_404(GoldItem, pk=pk)
    try:
        gold.retire(pk, request.user)
    except UnfitGold as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Retired. What was answered still counts."))
    return redirect("gold")


def key_of(given: str) -> UUID | None:
    try:
        return UUID(given)
    except ValueError:
        return None
