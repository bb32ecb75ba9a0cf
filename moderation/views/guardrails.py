"""The guardrails' page: what is watched and whether it is as usual, alarms, caps, and their settings."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from moderation.guardrail_forms import ClosingForm, GuardsForm
from moderation.guardrails import alarms, caps, charting, choosing, watching
from moderation.guardrails.charting import Line, Point
from moderation.guardrails.events import events
from moderation.guardrails.settings import MEASURES, Measure
from moderation.guardrails.telling import named, sentence, where
from moderation.models import Alarm, Scope, Watched
from moderation.views.access import PersonRequest, requires

MOST_LINES: Final = 60
MOST_ALARMS: Final = 50
PAST: Final = 25


@require_safe
@requires(Scope.POLICY_READ, Scope.POLICY)
def index(request: PersonRequest) -> HttpResponse:
    """Its cost goes with the hours that are watched, never with the images. Who opens it has seen what is open."""
    asked = request.GET.get("measure")
    measure: Measure = "approve" if asked == "approve" else "block"
    state = watching.state_at(timezone.now())
    one = charting.chosen(state, request.GET.get("scope", ""), request.GET.get("key", ""), measure)
    points = charting.points(one, state) if one else []
    lines = charting.lines(state, measure)
    names = named([line.watched.series for line in lines])
    match request.GET.get("csv"):
        case "chart":
            return as_csv("guardrail-hours", chart_rows(points))
        case "watched":
            return as_csv("guardrails", watched_rows(lines, names))
    may_edit = request.user.has_scope(Scope.POLICY)
    if may_edit:
        alarms.see(request.user, drift=False)
    counted = caps.today(state.guards)
    context: dict[str, Any] = {
        "measure": measure,
        "measures": MEASURES,
        "one": one,
        "title": where(one.series.scope, one.series.key, names) if one else "",
        "points": points,
        "lines": [(where(line.watched.series.scope, line.watched.series.key, names), line) for line in lines][
            :MOST_LINES
        ],
        "further": max(len(lines) - MOST_LINES, 0),
        "known": state.budget.series,
        "guards": state.guards,
        "caps": [(where(row.scope, row.key, named([row])), row, most) for row, most in counted[:MOST_LINES]],
        "may_edit": may_edit,
        "form": ClosingForm(auto_id=False),
        **listed(),
    }
    return render(request, "moderation/guardrails.html", context)


def listed() -> dict[str, Any]:
    """Alarms with their words: the open ones, those of one event together, and the latest that were closed."""
    standing = list(alarms.standing(drift=False).prefetch_related("sights__person")[:MOST_ALARMS])
    found = events(standing)
    closed = Alarm.objects.filter(closed_at__isnull=False).exclude(scope=Watched.DRIFT)
    past = list(closed.order_by("-closed_at")[:PAST])
    names = named([*standing, *past])
    return {
        "standing": [[(sentence(alarm, names), alarm) for alarm in event.alarms] for event in found],
        "past": [(sentence(alarm, names), alarm) for alarm in past],
    }


def as_csv(name: str, rows: Iterable[Sequence[Any]]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{timezone.now():%Y-%m-%d}.csv"'
    csv.writer(response).writerows(rows)
    return response


def chart_rows(points: Sequence[Point]) -> Iterable[Sequence[Any]]:
    yield ["hour", "images", "of_them", "share", "low", "high", "ewma", "ewma_low", "ewma_high", "outside"]
    for one in points:
        limits, smoothed = one.reach or ("", ""), one.smoothed_reach or ("", "")
        yield [one.at.isoformat(), one.images, one.hits, one.share, *limits, one.smoothed, *smoothed, one.outside]


def watched_rows(lines: Sequence[Line], names: Any) -> Iterable[Sequence[Any]]:
    yield ["what", "name", "measure", "images_last_hour", "share", "usual", "low", "high", "spread", "state"]
    for one in lines:
        series, usual, point = one.watched.series, one.watched.usual, one.point
        known = [usual.share if usual else "", *(point.reach or ("", "")), usual.spread if usual else ""]
        name = where(series.scope, series.key, names)
        yield [series.scope, name, one.watched.measure, point.images, point.share, *known, one.words]


def chosen(request: PersonRequest, pk: UUID) -> list[UUID]:
    """Those of the event that were ticked; without any, the one alarm."""
    try:
        return list({UUID(one) for one in request.POST.getlist("alarm")[:MOST_ALARMS]}) or [pk]
    except ValueError as error:
        raise Http404 from error


@require_POST
@requires(Scope.POLICY)
def close(request: PersonRequest, pk: UUID) -> HttpResponse:
    form = ClosingForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("The alarm stays open: say what it was and what you found."))
        return redirect("guardrails")
    try:
        keys = chosen(request, pk)
        if Alarm.objects.filter(pk__in=keys, scope=Watched.DRIFT).exists():
            raise Http404  # those are for ML engineers to close
        alarms.close_all(keys, person=request.user, **form.cleaned_data)
    except Alarm.DoesNotExist as error:
        raise Http404 from error
    except alarms.UnfitClosing as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request, _("Closed. What the house stopped stays stopped until you lift it on the plans page.")
        )
    return redirect("guardrails")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Scope.POLICY)
def settings(request: PersonRequest) -> HttpResponse:
    form = GuardsForm(request.POST or None, guards=choosing.in_force())
    if form.is_valid():
        made = choosing.choose(form.edition(), person=request.user)
        words = _("Saved. Every worker keeps to it from its next batch on.") if made else _("Nothing was changed.")
        messages.success(request, words)
        return redirect("guardrail_settings")
    context = {"form": form}
    return render(request, "moderation/guardrail_settings.html", context, status=422 if form.is_bound else 200)
