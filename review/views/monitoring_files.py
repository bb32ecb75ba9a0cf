"""The monitoring page's tables as CSV."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from moderation.models import Measure
from review.estimates.totals import NAMES, Quality

Rows = Iterable[Sequence[Any]]
FIGURES: Final = tuple(column for name in NAMES for column in (name, f"{name}_low", f"{name}_high"))


def as_csv(table: str, context: Mapping[str, Any]) -> HttpResponse:
    rows = TABLES.get(table)
    if rows is None:
        return HttpResponse(_("There is no such table."), status=404, content_type="text/plain; charset=utf-8")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="monitoring-{table}-{timezone.now():%Y-%m-%d}.csv"'
    csv.writer(response).writerows(rows(context))
    return response


def told(found: Quality) -> list[Any]:
    numbers = [number for _name, one in found.figures() for number in (one.value, one.low, one.high)]
    return [round(found.images), found.n, *("" if number is None else number for number in numbers)]


def week_rows(context: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    yield ["week", "category", "images", "looked_at", *FIGURES, "waiting", "unlotted", "provisional"]
    for week in context["course"].weeks:
        more = [week.waiting, week.unlotted, int(week.provisional)]
        yield [week.start.isoformat(), context["category"] or "any", *told(week.quality), *more]


def category_rows(context: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    yield ["category", "images", "looked_at", *FIGURES]
    yield from ([code or "any", *told(found)] for code, found in context["categories"])


def grouped(kind: str) -> Callable[[Mapping[str, Any]], Iterator[Sequence[Any]]]:
    def rows(context: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
        yield [kind, "images", "looked_at", *FIGURES]
        yield from ([name, *told(found)] for name, found in context[f"{kind}s"])

    return rows


def drift_rows(context: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    yield ["version", "category", "psi", "ks", "ks_p_value", "level", "mean_before", "mean", "images_before", "images"]
    for row in context["snapshot"].scores:
        said, ks = row.psi.figures, row.ks
        distance = [row.psi.value, ks.value if ks else "", ks.figures["p_value"] if ks else "", row.level]
        means = [said.get(name, "") for name in ("mean_before", "mean", "before", "n")]
        yield [row.psi.subject, row.psi.key, *distance, *means]


def distance_rows(context: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    yield ["day", "version", "category", "psi", "level"]
    for one in context.get("distances", ()):
        yield [one.day.isoformat(), one.subject, one.key, one.value, one.level]


def bin_rows(context: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    from moderation.guarantees.drifting import EDGES

    yield ["score_from", "reference", "lately"]
    if chosen := context["chosen"]:
        said = chosen.psi.figures
        yield from zip((0.0, *EDGES), said["bins"], said["newest"], strict=True)


def share_rows(context: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    names = ["generator", "share_before", "share", "n", "mean_before", "mean"]
    yield names
    shares = context["snapshot"].one(Measure.SHARES)
    for row in shares.figures.get("rows", ()) if shares else ():
        yield [row[name] for name in names]


def image_rows(context: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    yield ["backbone", "test", "value", "p_value", "level", "images_before", "images"]
    for one in context["snapshot"].of(Measure.MMD, Measure.C2ST):
        yield [one.subject, one.measure, one.value, *(one.figures.get(name) for name in ("p_value",)), one.level] + [
            one.figures.get(name) for name in ("before", "n")
        ]


def overturned_rows(context: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    yield ["week", "looked_at_again", "overturned", "share"]
    yield from ([one.start.isoformat(), one.of, one.hits, one.share] for one in context["overturned"])


TABLES: Final[Mapping[str, Callable[[Mapping[str, Any]], Rows]]] = {
    "weeks": week_rows,
    "categories": category_rows,
    "generators": grouped("generator"),
    "clients": grouped("client"),
    "drift": drift_rows,
    "distances": distance_rows,
    "bins": bin_rows,
    "shares": share_rows,
    "images": image_rows,
    "overturned": overturned_rows,
}
