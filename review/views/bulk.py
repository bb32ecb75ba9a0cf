"""Bulk actions: look before, ask, watch, agree or send back, undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from moderation.forms import BY_SEVERITY, PlainForm
from moderation.models import Scope, Status
from moderation.taxonomy import Severity
from moderation.views.access import PersonRequest, requires
from review import images
from review.bulk import asking, running
from review.judgements import LONGEST
from review.models import BulkAction, BulkState, BulkVerdict
from review.queue import NotForYou
from review.search.filters import UnfitSearch, canonical
from review.search.pages import TooSlow
from review.tasks import nudge_bulk

RECENT: Final = 50


class ActionForm(PlainForm):
    """What to do with all of it, and why."""

    verdict = forms.ChoiceField(
        label=gettext_lazy("Do this"), choices=BulkVerdict.choices, widget=forms.RadioSelect, initial=BulkVerdict.REVIEW
    )
    category = forms.ChoiceField(
        label=gettext_lazy("Category, for a block"),
        choices=[("", "–"), *((code.value, code.label) for code in BY_SEVERITY)],
        required=False,
    )
    severity = forms.TypedChoiceField(
        label=gettext_lazy("Severity, for a block"),
        choices=[("", "–"), *Severity.choices],
        coerce=int,
        empty_value=None,
        required=False,
    )
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Goes on record with every image."),
    )
    expected = forms.IntegerField(min_value=0, widget=forms.HiddenInput)


@require_http_methods(["GET", "POST"])
@requires(Scope.REVIEW_ESCALATED)
def propose(request: PersonRequest) -> HttpResponse:
    """A look at what is found, and the form to act on it; what was typed stays when it is refused."""
    query = canonical(request.GET)
    try:
        seen = asking.preview(query)
    except (UnfitSearch, TooSlow) as error:
        messages.error(request, str(error))
        return redirect("search")
    form = ActionForm(request.POST or None, initial={"expected": len(seen.keys)})
    if request.method == "POST" and form.is_valid():
        try:
            action = asking.ask(request.user, query=query, **form.cleaned_data)
        except (asking.UnfitAction, UnfitSearch, TooSlow) as error:
            form.add_error(None, str(error))
            form.data = request.POST.copy()
            form.data["expected"] = str(len(seen.keys))
        else:
            nudge_bulk()
            return redirect("bulk-action", action.pk)
    changes = [(verdict, seen.changes(verdict)) for verdict in BulkVerdict]
    total = len(seen.keys)
    context = {
        "form": form,
        "query": query,
        "seen": seen,
        "total": total,
        "most": asking.MOST,
        "statuses": [(Status(name), seen.statuses[name]) for name in Status.values if seen.statuses.get(name)],
        "changes": [(verdict.label, number, total - number) for verdict, number in changes],
        "sample": [images.glimpse(one, request.user) for one in seen.sample],
    }
    return render(request, "review/bulk_new.html", context)


@require_safe
@requires(Scope.REVIEW_ESCALATED)
def index(request: PersonRequest) -> HttpResponse:
    actions = BulkAction.objects.select_related("asked_by").order_by("-id")[:RECENT]
    return render(request, "review/bulk_list.html", {"actions": actions})


@require_safe
@requires(Scope.REVIEW_ESCALATED)
def detail(request: PersonRequest, pk: UUID) -> HttpResponse:
    action = get_object_or_404(BulkAction.objects.select_related("asked_by", "answered_by", "undone_by"), pk=pk)
    done = running.progress(action)
    sample = [item.submission for item in action.items.select_related("submission").order_by("id")[: asking.SAMPLE]]
    context: dict[str, Any] = {
        "action": action,
        "done": done,
        "percent": 100 * (action.total - done["waiting"]) // action.total,
        "back": 100 * (done["undone"] + done["kept"]) // (done["undone"] + done["kept"] + done["moved"] or 1),
        "at_work": action.state in BulkAction.AT_WORK,
        "may_answer": action.state == BulkState.HELD and action.asked_by_id != request.user.pk,
        "sample": [images.glimpse(one, request.user) for one in sample],
    }
    return render(request, "review/bulk_action.html", context)


@require_POST
@requires(Scope.REVIEW_ESCALATED)
def agree(request: PersonRequest, pk: UUID) -> HttpResponse:
    return answered(request, pk, lambda: asking.agree(pk, request.user), _("Approved: it runs."))


@require_POST
@requires(Scope.REVIEW_ESCALATED)
def refuse(request: PersonRequest, pk: UUID) -> HttpResponse:
    words = request.POST.get("words", "")
    return answered(
        request, pk, lambda: asking.refuse(pk, request.user, words=words), _("Sent back: nothing was changed.")
    )


@require_POST
@requires(Scope.REVIEW_ESCALATED)
def undo(request: PersonRequest, pk: UUID) -> HttpResponse:
    words = _("What nobody touched since goes back.")
    return answered(request, pk, lambda: asking.undo(pk, request.user), words)


def answered(request: PersonRequest, pk: UUID, act: Callable[[], BulkAction], words: str) -> HttpResponse:
    try:
        act()
    except NotForYou as error:
        raise PermissionDenied(str(error)) from error
    except BulkAction.DoesNotExist as error:
        raise Http404 from error
    except (asking.NotWaiting, asking.UnfitAction) as error:
        messages.error(request, str(error))
    else:
        nudge_bulk()
        messages.success(request, words)
    return redirect("bulk-action", pk)
