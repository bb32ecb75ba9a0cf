"""One's own exposure and settings, and what the organisation sets for everybody."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from moderation.models import Scope
from moderation.taxonomy import Severity
from moderation.templatetags.marks import percent
from moderation.views.access import PersonRequest, requires
from review.settings_forms import MINUTE, HouseForm, OwnForm
from review.wellness import choosing, exposure
from review.wellness.limits import Standing, standing_of

WIDTH: Final = 1240
HEIGHT: Final = 220
LINES: Final = 4  # across the chart
LEADS: Final = (Scope.ADMIN, Scope.POLICY)


@dataclass(frozen=True, slots=True)
class Part:
    severity: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    day: exposure.Day
    x: float
    width: float
    parts: Sequence[Part]

    @property
    def minutes(self) -> Sequence[float]:
        return [seconds / MINUTE for seconds in self.day.seconds]

    @property
    def total(self) -> float:
        return self.day.total / MINUTE

    @property
    def weighted(self) -> float:
        return self.day.weighted / MINUTE


@dataclass(frozen=True, slots=True)
class Line:
    """Across the chart, at a round number of minutes."""

    minutes: int
    y: float


@require_safe
@requires(Scope.REVIEW)
def my_exposure(request: PersonRequest) -> HttpResponse:
    standing, days = standing_of(request.user), exposure.by_day(request.user)
    bars, lines = drawn(days)
    context = {
        "standing": standing,
        "used": standing.used / MINUTE,
        "budget": standing.budget / MINUTE,
        "share_length": percent(standing.share),
        "bars": bars,
        "lines": lines,
        "width": WIDTH,
        "height": HEIGHT,
        "anything": any(day.looks for day in days),
        "severities": list(Severity),
        "weights": list(zip(Severity, standing.house.weights, strict=True)),
    }
    return render(request, "review/my_exposure.html", context)


def drawn(days: Sequence[exposure.Day]) -> tuple[list[Bar], list[Line]]:
    """Stacked bars, a day each, in a box of WIDTH × HEIGHT."""
    most = max((day.total for day in days), default=0) / MINUTE
    step = max(1, ceil(most / LINES))
    top, pitch = step * LINES, WIDTH / len(days)
    bars = []
    for number, day in enumerate(days):
        y, parts = float(HEIGHT), []
        for severity, seconds in enumerate(day.seconds):
            height = HEIGHT * seconds / MINUTE / top
            y -= height
            if height:
                parts.append(Part(severity, round(y, 2), round(height, 2)))
        bars.append(Bar(day, round(number * pitch + pitch * 0.15, 2), round(pitch * 0.7, 2), parts))
    lines = [Line(step * number, HEIGHT * (1 - number / LINES)) for number in range(LINES + 1)]
    return bars, lines


@require_safe
@requires(Scope.REVIEW)
def my_exposure_csv(request: PersonRequest) -> HttpResponse:
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="my-exposure.csv"'
    answer["Cache-Control"] = "no-store"
    table = csv.writer(answer)
    table.writerow(["day", "looks", *(f"seconds_s{severity.value}" for severity in Severity), "weighted_seconds"])
    for day in exposure.by_day(request.user):
        seconds = (round(value, 1) for value in day.seconds)
        table.writerow([day.date.isoformat(), day.looks, *seconds, round(day.weighted, 1)])
    return answer


@require_http_methods(["GET", "POST"])
@requires(Scope.REVIEW)
def my_settings(request: PersonRequest) -> HttpResponse:
    house, own = choosing.house(), choosing.own(request.user)
    form = OwnForm(request.POST or None, house=house, own=own)
    if form.is_valid():
        said = form.cleaned_data
        comfort = form.comfort()
        choosing.choose(request.user, comfort=comfort, avoided=said["avoided"], volunteers=said["volunteers"])
        messages.success(request, _("Saved. It holds from your next image on."))
        return redirect("my-settings")
    standing = standing_of(request.user)
    context = {"form": form, "house": house, "own": own, "standing": standing, "defaults": asdict(house.comfort)}
    return render(request, "review/my_settings.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@requires(*LEADS)
def organisation(request: PersonRequest) -> HttpResponse:
    form = HouseForm(request.POST or None, house=choosing.house())
    if form.is_valid():
        made = choosing.set_house(form.edition(), person=request.user)
        words = _("Saved. It holds for everybody from their next image on.") if made else _("Nothing was changed.")
        messages.success(request, words)
        return redirect("wellness-settings")
    context = {"form": form, "weeks": exposure.together(), "severities": list(Severity), "fewest": exposure.FEWEST}
    return render(request, "review/wellness_settings.html", context, status=422 if form.is_bound else 200)


@require_safe
@requires(*LEADS)
def together_csv(_request: HttpRequest) -> HttpResponse:
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="exposure-together.csv"'
    answer["Cache-Control"] = "no-store"
    table = csv.writer(answer)
    table.writerow(["week", *(f"minutes_a_person_s{severity.value}" for severity in Severity)])
    for week in exposure.together():
        minutes = ("" if value is None else value for value in week.minutes)
        table.writerow([week.begins.isoformat(), *minutes])
    return answer


def told(standing: Standing) -> dict[str, Any]:
    """What the desk's modules know of its reader's settings and budget."""
    return {
        "comfort": asdict(standing.comfort),
        "floors": sorted(standing.house.floors),
        "share": round(standing.share, 4),
        "warn": standing.house.warn / 100,
    }
