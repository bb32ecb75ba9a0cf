"""How well people and machines decide: the house's page, one's own, and the images behind the figures."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from moderation.models import Scope, Status, Submission, User
from moderation.taxonomy import Category
from moderation.views.access import PersonRequest, requires
from review import blinding, images
from review.forms import QualityRulesForm
from review.models import Measure
from review.quality import figures
from review.quality.figures import Period, Skill

LEADS: Final = (Scope.REVIEW_ESCALATED, Scope.POLICY)
SPANS: Final = (28, 91, 364)
SHOWN: Final = 60
OF_THE_HOUSE: Final = (Measure.VOTES, Measure.OVERTURNED, Measure.ADJUDICATED, Measure.AUTOMATION)
OF_PEOPLE: Final = (Measure.GOLD, Measure.REFERENCE, Measure.SKILL)


@require_safe
@requires(*LEADS)
def index(request: PersonRequest) -> HttpResponse:
    """Reads rollups only: its cost goes with the days and categories, never with the archive."""
    days, period = asked(request)
    category = category_of(request)
    rows = period.rows(*OF_THE_HOUSE, *OF_PEOPLE)
    context = told(rows, period, category)
    if table := request.GET.get("csv", ""):
        return as_csv(table, context)
    current = blinding.in_force()
    shares = {"gold": round(100 * current.gold, 2), "unaided": round(100 * current.unaided, 2)}
    context |= {"days": days, "spans": SPANS, "category": category, "rules_form": QualityRulesForm(initial=shares)}
    return render(request, "review/quality/index.html", context)


def told(rows: Sequence[Any], period: Period, category: str) -> dict[str, Any]:
    of = {measure: [row for row in rows if row.measure == measure] for measure in Measure}
    people = {row.person_id for row in rows if row.person_id}
    return {
        "period": period,
        "agreement": figures.agreement(of[Measure.VOTES]),
        "weeks": figures.weeks(of[Measure.VOTES], category, period),
        "skills": figures.skills(
            [row for measure in OF_PEOPLE for row in of[measure]], User.objects.in_bulk(people) if people else {}
        ),
        "automation": figures.automation(of[Measure.AUTOMATION]),
        "overturned": figures.overturned(of[Measure.OVERTURNED]),
        "adjudicated": figures.adjudicated(of[Measure.ADJUDICATED]),
        "coverage": figures.coverage(of[Measure.GOLD]),
    }


@require_safe
@requires(Scope.REVIEW)
def mine(request: PersonRequest) -> HttpResponse:
    """One's own figures, and nobody else's. Of whole weeks that are over, so that no figure moves with an answer and
    gives away which image was a gold item.
    """
    today = timezone.now().date()
    until = today - timedelta(days=today.weekday() + 1)
    period = Period(until - timedelta(days=12 * figures.WEEK - 1), until)
    found = figures.skills(period.rows(*OF_PEOPLE, person=request.user.pk), {request.user.pk: request.user})
    skill = found[0] if found else Skill(request.user, {}, {})
    return render(request, "review/quality/mine.html", {"period": period, "skill": skill, "least": figures.LEAST})


@require_safe
@requires(*LEADS)
def examples(request: PersonRequest) -> HttpResponse:
    """The images behind a figure: the latest few, blurred; none that lies under legal hold."""
    measure = request.GET.get("measure", "")
    if measure not in Measure.values:
        return redirect("quality")
    days, period = asked(request)
    person = person_of(request)
    category = category_of(request)
    rows = period.rows(Measure(measure))
    rows = [row for row in rows if row.person_id == (person.pk if person else None)]
    keys = figures.examples(rows, category, most=SHOWN)
    found = Submission.objects.exclude(status=Status.QUARANTINED).in_bulk(keys)
    shown = [(found[key], images.glimpse(found[key], request.user)) for key in keys if key in found]
    context = {
        "measure": Measure(measure),
        "category": category,
        "person": person,
        "days": days,
        "shown": shown,
        "hidden": len(keys) - len(shown),
    }
    return render(request, "review/quality/examples.html", context)


@require_POST
@requires(*LEADS)
def rules(request: PersonRequest) -> HttpResponse:
    """Sets how much is checked."""
    form = QualityRulesForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        blinding.change(request.user, gold=said["gold"] / 100, unaided=said["unaided"] / 100)
        messages.success(request, _("Set. Every desk keeps to it within ten seconds."))
    else:
        messages.error(request, _("Nothing was changed: gold is 0 to 25 %, unaided 0 to 100 %."))
    return redirect("quality")


def asked(request: HttpRequest) -> tuple[int, Period]:
    days = request.GET.get("days", "")
    chosen = int(days) if days in {str(one) for one in SPANS} else SPANS[0]
    return chosen, Period.last(chosen, today=timezone.now().date())


def category_of(request: HttpRequest) -> str:
    given = request.GET.get("category", "")
    return given if given in Category.values else ""


def person_of(request: HttpRequest) -> User | None:
    given = request.GET.get("person", "")
    if not given:
        return None
    try:
        return User.objects.get(pk=UUID(given))
    except (ValueError, User.DoesNotExist) as error:
        raise PermissionDenied(_("There is no such person.")) from error


def as_csv(table: str, context: dict[str, Any]) -> HttpResponse:
    tables = {
        "agreement": agreement_rows,
        "weeks": week_rows,
        "people": people_rows,
        "automation": automation_rows,
        "overturned": overturned_rows,
        "gold": gold_rows,
    }
    if table not in tables:
        return HttpResponse(_("There is no such table."), status=404, content_type="text/plain; charset=utf-8")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    period = context["period"]
    response["Content-Disposition"] = f'attachment; filename="quality-{table}-{period.since}-{period.until}.csv"'
    csv.writer(response).writerows(tables[table](context))
    return response


def agreement_rows(context: dict[str, Any]) -> Iterable[Sequence[Any]]:
    yield ["category", "images", "alpha", "alpha_low", "alpha_high", "alpha_ordinal", "positive_agreement", "ac1"]
    for one in context["agreement"]:
        low, high = one.interval or ("", "")
        yield [one.category or "any", one.units, one.alpha, low, high, one.ordinal, one.positive, one.ac1]


def week_rows(context: dict[str, Any]) -> Iterable[Sequence[Any]]:
    yield ["week", "images", "alpha"]
    yield from ([one.start.isoformat(), one.units, one.alpha] for one in context["weeks"])


def people_rows(context: dict[str, Any]) -> Iterable[Sequence[Any]]:
    yield ["person", "share", "of", "mean", "low", "high"]
    for one in context["skills"]:
        for name in ("sensitivity", "specificity", "agreed_harm", "agreed_harmless"):
            posterior = getattr(one, name)
            yield [one.person.username, name, posterior.trials, posterior.mean, posterior.low, posterior.high]
        for name in ("modelled_sensitivity", "modelled_specificity"):
            yield [one.person.username, name, one.votes, getattr(one, name), "", ""]


def automation_rows(context: dict[str, Any]) -> Iterable[Sequence[Any]]:
    yield ["machine", "category", "audited", "wrong", "rate_weighted", "low", "high"]
    for one in context["automation"]:
        yield [one.route, one.category or "any", one.raw.of, one.raw.part, one.rate, one.low, one.high]


def overturned_rows(context: dict[str, Any]) -> Iterable[Sequence[Any]]:
    yield ["category", "looked_at_again", "overturned", "low", "high"]
    yield from ([code or "any", share.of, share.part, share.low, share.high] for code, share in context["overturned"])


def gold_rows(context: dict[str, Any]) -> Iterable[Sequence[Any]]:
    yield ["category", "harmful_items", "harmless_items", "answered", "missed"]
    yield from ([one.category, one.harmful, one.harmless, one.answered, one.missed] for one in context["coverage"])
