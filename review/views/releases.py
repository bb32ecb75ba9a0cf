"""Legal hold: what lies there in words, never in pictures, and the requests of two people to let one image out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from moderation.models import Scope, Submission
from moderation.views.access import PersonRequest, requires
from review import releases
from review.judgements import UnfitDecision
from review.models import Release
from review.queue import NotForYou

PAGE: Final = 50
BOTH: Final = (Scope.REVIEW_ESCALATED, Scope.POLICY)


@require_safe
@requires(*BOTH)
def index(request: PersonRequest) -> HttpResponse:
    """Reading this page goes on record."""
    asked = list(releases.waiting().order_by("id")[:PAGE])
    before = key(request.GET.get("before", ""))
    lying = releases.lying(before=before)[: PAGE + 1]
    rows = list(lying)
    releases.looked(asked, rows[:PAGE], request.user)
    context = {
        "asked": [(one, releases.may_answer(one, request.user)) for one in asked],
        "lying": rows[:PAGE],
        "older": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "newest": before is None,
        "wanted": request.GET.get("id", ""),
    }
    return render(request, "review/releases.html", context)


@require_POST
@requires(*BOTH)
def ask(request: PersonRequest) -> HttpResponse:
    wanted = key(request.POST.get("id", ""))
    if wanted is None:
        messages.error(request, _("This is no id of a submission. Nothing was asked for."))
        return redirect("releases")
    reason = request.POST.get("reason", "")
    return answered(
        request,
        lambda: releases.ask(wanted, request.user, reason=reason),
        _("Asked. Somebody of the other role answers."),
    )


@require_POST
@requires(*BOTH)
def agree(request: PersonRequest, pk: UUID) -> HttpResponse:
    words = _("Released: the image is in review, in the seniors’ queue.")
    return answered(request, lambda: releases.agree(pk, request.user), words)


@require_POST
@requires(*BOTH)
def refuse(request: PersonRequest, pk: UUID) -> HttpResponse:
    said = request.POST.get("words", "")
    return answered(request, lambda: releases.refuse(pk, request.user, words=said), _("It stays under legal hold."))


def answered(request: PersonRequest, act: Callable[[], Release], words: str) -> HttpResponse:
    try:
        act()
    except NotForYou as error:
        raise PermissionDenied(str(error)) from error
    except (Release.DoesNotExist, Submission.DoesNotExist) as error:
        raise Http404 from error
    except (UnfitDecision, releases.AlreadyAsked, releases.Answered, releases.NotUnderHold) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, words)
    return redirect("releases")


def key(value: str) -> UUID | None:
    try:
        return UUID(value.strip())
    except ValueError:
        return None
