"""Calibration sessions: calling one, judging along, and what came of it."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from moderation.models import Scope
from moderation.views.access import PersonRequest, requires
from review import images
from review.forms import BallotForm, CalibrationForm
from review.judgements import UnfitDecision
from review.models import CalibrationItem, CalibrationSeat, CalibrationSession
from review.quality import sessions
from review.quality.sessions import NotNow, UnfitSession
from review.views.cards import labelled
from review.views.quality import LEADS

SHOWN: Final = 50
ANYBODY: Final = (Scope.REVIEW, Scope.POLICY)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(*ANYBODY)
def index(request: PersonRequest) -> HttpResponse:
    """The sessions one has a part in; for leads, all, and a form for the next."""
    leads = sessions.leads(request.user)
    form = CalibrationForm(request.POST or None) if leads else None
    if request.method == "POST":
        if form is None:
            raise PermissionDenied(_("Only seniors and policy leads call a session."))
        if form.is_valid() and (session := start(request, form)):
            return redirect("calibration", session.pk)
    found = sessions.visible(request.user).select_related("led_by").prefetch_related("seats", "items")
    context = {"sessions": found[:SHOWN], "form": form}
    return render(request, "review/quality/sessions.html", context, status=422 if form and form.errors else 200)


def start(request: PersonRequest, form: CalibrationForm) -> CalibrationSession | None:
    said: dict[str, Any] = form.cleaned_data
    try:
        return sessions.start(
            request.user, title=said["title"], submissions=said["submissions"], people=list(said["people"])
        )
    except UnfitSession as error:
        form.add_error(None, str(error))
        return None


@require_safe
@requires(*ANYBODY)
def detail(request: PersonRequest, pk: UUID) -> HttpResponse:
    """The next image to judge; once nothing is left to judge, the spread."""
    session = session_of(request, pk)
    if item := sessions.next_item(session, request.user):
        return ballot(request, item, BallotForm())
    found = sessions.spreads(session) if sessions.may_see_spread(session, request.user) else []
    context = {
        "session": session,
        "alpha": sessions.alpha(found),
        "apart": sum(one.apart for one in found),
        "lines": [
            (one, images.glimpse(one.item.submission, request.user), [(v, labelled(v.labels)) for v in one.votes])
            for one in found
        ],
        "progress": progress(session),
        "leads": sessions.leads(request.user),
    }
    return render(request, "review/quality/spread.html", context)


def ballot(request: PersonRequest, item: CalibrationItem, form: BallotForm) -> HttpResponse:
    context = {
        "item": item,
        "session": item.session,
        "form": form,
        "of": item.session.items.count(),
        "glimpse": images.link(item.submission, request.user, images.Variant.BLURRED),
    }
    return render(request, "review/quality/ballot.html", context, status=422 if form.errors else 200)


def progress(session: CalibrationSession) -> list[tuple[str, int]]:
    """Who has answered how many. One query: it says nothing of what they answered."""
    seats = session.seats.select_related("person").order_by("person__username")
    given = list(session.items.values_list("votes__person", flat=True))
    return [(seat.person.get_full_name() or seat.person.username, given.count(seat.person_id)) for seat in seats]


@require_POST
@requires(Scope.REVIEW)
def vote(request: PersonRequest, pk: UUID, position: int) -> HttpResponse:
    item = invited(request, pk, position)
    form = BallotForm(request.POST)
    if not form.is_valid():
        return ballot(request, item, form)
    said = form.cleaned_data
    try:
        sessions.vote(item, request.user, verdict=said["verdict"], labels=form.labels(), words=said["words"])
    except UnfitDecision as error:
        form.add_error("category" if error.pointer.startswith("#/labels") else None, str(error))
        return ballot(request, item, form)
    except NotNow as error:
        messages.warning(request, str(error))
    return redirect("calibration", pk)


@require_POST
@requires(*LEADS)
def close(request: PersonRequest, pk: UUID) -> HttpResponse:
    try:
        sessions.close(get_object_or_404(CalibrationSession, pk=pk), request.user)
    except NotNow as error:
        messages.warning(request, str(error))
    return redirect("calibration", pk)


@require_POST
@requires(*LEADS)
def note(request: PersonRequest, pk: UUID, position: int) -> HttpResponse:
    item = get_object_or_404(CalibrationItem.objects.select_related("session"), session=pk, position=position)
    try:
        sessions.note(item, request.user, request.POST.get("words", ""))
    except UnfitDecision as error:
        messages.error(request, str(error))
    return redirect("calibration", pk)


def session_of(request: PersonRequest, pk: UUID) -> CalibrationSession:
    return get_object_or_404(sessions.visible(request.user).select_related("led_by"), pk=pk)


def invited(request: PersonRequest, pk: UUID, position: int) -> CalibrationItem:
    """An item of a session that this person sits in; 404 for anybody else."""
    get_object_or_404(CalibrationSeat, session=pk, person=request.user)
    items = CalibrationItem.objects.select_related("session", "submission")
    return get_object_or_404(items, session=pk, position=position)
