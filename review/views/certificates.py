"""Certificates: those there are, and what the audits prove of one more."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from moderation import guarantees
from moderation.actors import Actor
from moderation.guarantees import Ground, Unproven, why_expired
from moderation.models import BandCertificate, Scope
from moderation.views.access import PersonRequest, requires
from review import certifying
from review.certificate_forms import CertificateForm
from review.certifying import Assessment
from review.promotion import reissuing

PAGE: Final = 50
PLAIN: Final = (
    "id",
    "category",
    "risk",
    "alpha",
    "delta",
    "threshold",
    "n",
    "k",
    "p_value",
    "share",
    "rate",
    "method",
)
MOMENTS: Final = ("sampled_from", "sampled_until", "made_at", "expires_at")
COLUMNS: Final = (
    *PLAIN,
    *("corrected_low", "corrected_high", "plan", "policy", "classifiers"),
    *MOMENTS,
    *("live_audits", "live_wrong", "drift", "expired"),
    *("family", "family_delta", "family_of"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A certificate, and why it holds no longer; "" while it does."""

    row: BandCertificate
    expired: str


@dataclass(frozen=True, slots=True)
class Proved:
    """One of several that were asked about; `covers`: the plan's cut lies inside."""

    made: Assessment
    covers: bool


@dataclass(frozen=True, slots=True)
class Outgrown:
    """A certificate that a change of versions ended, and the question that it answered."""

    row: BandCertificate
    asking: str


def asking(row: BandCertificate) -> str:
    said = {"category": row.category, "risk": row.risk, "limit": f"{100 * row.alpha:g}"}
    return urlencode({**said, "confidence": f"{100 * (1 - row.delta):g}"})


@require_safe
@requires(Scope.POLICY_READ, Scope.POLICY)
def index(request: PersonRequest) -> HttpResponse:
    """All certificates, newest first; with `category`, what could be certified now."""
    now, ground = timezone.now(), Ground.now()
    if "csv" in request.GET:
        return as_csv(lines_of(rows_before(request.GET.get("before", ""))[: 20 * PAGE], now, ground))
    rows = list(rows_before(request.GET.get("before", ""))[: PAGE + 1])
    form = CertificateForm(request.GET if "category" in request.GET else None)
    context: dict[str, Any] = {
        "lines": lines_of(rows[:PAGE], now, ground),
        "older": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "form": form,
        "plan": ground.plan,
        "outgrown": [Outgrown(one, asking(one)) for one in guarantees.outgrown(now, ground=ground)],
        "may_edit": request.user.has_scope(Scope.POLICY),
    }
    if form.is_bound and form.is_valid():
        context |= assessed(form)
    return render(request, "review/certificates.html", context)


def rows_before(key: str) -> Any:
    rows = BandCertificate.objects.select_related("watch", "plan", "policy", "made_by").order_by("-id")
    try:
        return rows.filter(pk__lt=UUID(key)) if key else rows
    except ValueError:
        return rows


def lines_of(rows: Iterable[BandCertificate], now: datetime, ground: Ground) -> list[Line]:
    return [Line(row, why_expired(row, now, ground=ground)) for row in rows]


def assessed(form: CertificateForm) -> dict[str, Any]:
    try:
        made = form.assess()
    except Unproven as refusal:
        return {"refused": str(refusal)}
    lines = [Proved(one, one.cut is not None and certifying.covers(one.found, one.cut)) for one in made.made]
    if len(lines) == 1 and not made.refused:
        return {"made": made.made[0], "covers": lines[0].covers}
    refused = [(code.label, why) for code, why in made.refused.items()]
    if not lines and len(refused) == 1:
        return {"refused": refused[0][1]}
    return {"family": made, "proved": lines, "untested": refused}


@require_POST
@requires(Scope.POLICY)
def keep(request: PersonRequest) -> HttpResponse:
    """Stores what the audits prove at this moment; the figures may have moved since the page was made."""
    form = CertificateForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Nothing was stored: a limit and a confidence lie between 0 and 100 %."))
        return redirect("certificates")
    try:
        rows = certifying.keep_all(
            form.assess(),
            actor=Actor.person(request.user),
            person=request.user,
            falls_back=form.cleaned_data["falls_back"],
        )
    except Unproven as refusal:
        messages.error(request, str(refusal))
    else:
        names = ", ".join(row.get_category_display() for row in rows)
        words = {"categories": names, "number": rows[0].plan.number}
        told = ngettext(
            "The certificate of %(categories)s is stored with plan %(number)d.",
            "The certificates of %(categories)s are stored with plan %(number)d.",
            len(rows),
        )
        messages.success(request, told % words)
    return redirect("certificates")


@require_POST
@requires(Scope.POLICY)
def reissue(request: PersonRequest) -> HttpResponse:
    """Stores anew what the audits prove of those that a change of versions ended."""
    found = reissuing.reissue(actor=Actor.person(request.user), person=request.user)
    if found.made:
        names = ", ".join(row.get_category_display() for row in found.made)
        messages.success(request, _("Made anew: %(categories)s.") % {"categories": names})
    if found.refused:
        messages.warning(request, _("Not yet proved. %(why)s") % {"why": " ".join(found.refused)})
    if not found.made and not found.refused:
        messages.info(request, _("There is nothing to make anew."))
    return redirect("certificates")


@require_POST
@requires(Scope.POLICY)
def withdraw(request: PersonRequest, pk: UUID) -> HttpResponse:
    get_object_or_404(BandCertificate, pk=pk)
    try:
        guarantees.withdraw(pk, Actor.person(request.user))
        messages.success(request, _("Withdrawn. Cuts stay as they are until a plan says otherwise."))
    except Unproven as refusal:
        messages.error(request, str(refusal))
    return redirect("certificates")


def as_csv(lines: Sequence[Line]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="certificates.csv"'
    writer = csv.DictWriter(response, fieldnames=COLUMNS)
    writer.writeheader()
    for line in lines:
        row, mended = line.row, line.row.corrected or {}
        said = {name: getattr(row, name) for name in PLAIN}
        said |= {"corrected_low": mended.get("low", ""), "corrected_high": mended.get("high", "")}
        said |= {"plan": row.plan.number, "policy": row.policy, "classifiers": " ".join(row.classifiers)}
        said |= {name: getattr(row, name).isoformat() for name in MOMENTS}
        said |= {"live_audits": row.watch.seen, "live_wrong": row.watch.wrong, "drift": row.watch.drift}
        said |= {
            "family": row.family or "",
            "family_delta": row.family_delta or "",
            "family_of": " ".join(row.family_of),
        }
        writer.writerow({**said, "expired": line.expired})
    return response
