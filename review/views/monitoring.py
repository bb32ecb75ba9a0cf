"""Monitoring: what audits say of the machines week by week, drift, and the alarms of both."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from moderation.guarantees.drifting import EDGES
from moderation.guardrail_forms import ClosingForm
from moderation.guardrails import alarms
from moderation.models import Alarm, Measure, Scope, TriagePlan, Watched
from moderation.taxonomy import Category
from moderation.views.access import PersonRequest, requires
from review.monitoring import choosing, showing, weekly
from review.monitoring.showing import Scored, Snapshot
from review.monitoring_forms import LinesForm
from review.views.monitoring_files import as_csv

READERS: Final = (Scope.ML, Scope.POLICY, Scope.AUDIT)
WEEKS: Final = (12, 26, 52)


@require_safe
@requires(*READERS)
def index(request: PersonRequest) -> HttpResponse:
    """Reads what the worker kept, a row a day: its cost goes with days and categories, never with the archive."""
    today = timezone.now().date()
    weeks = next((one for one in WEEKS if request.GET.get("weeks") == str(one)), WEEKS[0])
    category = request.GET.get("category", "")
    category = category if category in Category.values else ""
    snapshot = Snapshot.now()
    course = weekly.course(today=today, weeks=weeks, category=category)
    chosen = chosen_of(snapshot, request.GET.get("version", ""), request.GET.get("of", ""))
    context: dict[str, Any] = {
        "weeks": weeks,
        "spans": WEEKS,
        "category": category,
        "snapshot": snapshot,
        "course": course,
        "whole": course.whole.quality(category),
        "categories": [(code, course.whole.quality(code)) for code in ("", *course.categories)],
        "generators": showing.by_generator(today, weeks),
        "clients": showing.by_client(today, weeks),
        "chosen": chosen,
        "overturned": showing.overturned(today, weeks),
        "lines": choosing.in_force(),
    }
    if chosen:
        since = today - timedelta(days=weekly.WEEK * weeks)
        context["distances"] = showing.course_of(Measure.PSI, chosen.psi.subject, chosen.psi.key, since=since)
    if table := request.GET.get("csv", ""):
        return as_csv(table, context)
    may_close = request.user.has_scope(Scope.ML)
    if may_close:
        alarms.see(request.user, drift=True)
    context |= {
        "edges": EDGES,
        "figures": showing.FIGURES,
        "shares": snapshot.one(Measure.SHARES),
        "generator_rows": showing.generator_rows(snapshot),
        "overturn": snapshot.one(Measure.OVERTURN),
        "images": snapshot.of(Measure.C2ST) or snapshot.of(Measure.MMD),
        "discrepancies": {one.subject: one for one in snapshot.of(Measure.MMD)},
        "standing": showing.standing(),
        "past": showing.past(),
        "plan": TriagePlan.objects.in_force(),
        "may_close": may_close,
        "form": ClosingForm(auto_id=False),
    }
    return render(request, "review/monitoring/index.html", context)


def chosen_of(snapshot: Snapshot, version: str, category: str) -> Scored | None:
    """The version and category that were asked for; else the most distant of those that are known."""
    rows = [row for row in snapshot.scores if row.psi.value is not None]
    asked = [row for row in rows if (row.psi.subject, row.psi.key) == (version, category)]
    return next(iter(asked or rows), None)


@require_POST
@requires(Scope.ML)
def close(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Of drift alone: what guardrails raised is for policy leads to close."""
    form = ClosingForm(request.POST)
    if not Alarm.objects.filter(pk=pk, scope=Watched.DRIFT).exists():
        raise Http404
    if not form.is_valid():
        messages.error(request, _("The alarm stays open: say what it was and what you found."))
        return redirect("monitoring")
    try:
        alarms.close(pk, person=request.user, **form.cleaned_data)
    except alarms.UnfitClosing as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Closed. What is how things are now is learnt anew from the images to come."))
    return redirect("monitoring")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Scope.ML)
def settings(request: PersonRequest) -> HttpResponse:
    form = LinesForm(request.POST or None, lines=choosing.in_force())
    if form.is_valid():
        made = choosing.choose(form.edition(), person=request.user)
        messages.success(request, _("Saved. The next look goes by it.") if made else _("Nothing was changed."))
        return redirect("monitoring_settings")
    context = {"form": form}
    return render(request, "review/monitoring/settings.html", context, status=422 if form.is_bound else 200)
