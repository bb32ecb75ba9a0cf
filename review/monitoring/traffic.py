"""Drift of the traffic: which generators the images come from, how each one's score, and which are new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from math import sqrt
from typing import Any, Final
from uuid import UUID

from django.db import connection

from classifiers.models import ClassifierVersion
from moderation.guarantees.drifting import LEAST, stability
from moderation.models import Measure, Reading
from review.monitoring import windows
from review.monitoring.settings import Lines
from review.monitoring.windows import Taken, Window

MOST: Final = 30  # generator versions told of one by one, those with the most images
FEWEST: Final = 30  # images, before a generator's mean says anything
SURE: Final = 4.0  # standard errors
NEW: Final = 5  # images of one not seen before, before it is told
# The greatest score that any pinned version gave an image, in whatever category.
CAME: Final = """
SELECT name, version, count(*), coalesce(avg(score), 0), coalesce(stddev_samp(score), 0), max(key::text) FROM (
    SELECT submission.id AS key, left(coalesce(submission.generator ->> 'name', ''), 100) AS name,
        left(coalesce(submission.generator ->> 'version', ''), 50) AS version, coalesce((
            SELECT max(said) FROM moderation_finding finding, unnest(finding.probabilities) said
            WHERE finding.submission_id = submission.id AND finding.classifier_id = ANY(%(versions)s::uuid[])
        ), 0) AS score
    FROM (
        SELECT id, generator FROM moderation_submission
        WHERE id > %(after)s AND id < %(before)s AND status <> 'received' ORDER BY id {order} LIMIT %(most)s
    ) submission
) seen GROUP BY name, version ORDER BY count(*) DESC, name, version
"""


@dataclass(frozen=True, slots=True)
class Came:
    """The images of one generator version: how many, the mean of their greatest scores, and its spread."""

    name: str
    version: str
    n: int
    mean: float
    spread: float

    @property
    def words(self) -> str:
        """As keys and labels name it; "" declared nothing."""
        return " ".join(filter(None, (self.name, self.version)))


NOBODY: Final = Came("", "", 0, 0.0, 0.0)


def readings(versions: Sequence[ClassifierVersion], lines: Lines, now: datetime) -> Iterator[Reading]:
    """One of all generators together, and one each of those that score otherwise or are new. Two queries."""
    pinned = [one.pk for one in versions]
    reference, n = windows.reference("", None, now, partial(taken, pinned))
    if reference is None:
        yield Reading(measure=Measure.SHARES, figures={"n": n, "of": LEAST})
        return
    _last, newest = came(pinned, windows.newest(reference, now))
    before = {one.words: one for one in (Came(**row) for row in reference.body["shares"])}
    after = {one.words: one for one in newest}
    number = sum(one.n for one in newest)
    known = {"reference": "", "before": reference.n, "since": reference.begun_at.isoformat(), "n": number, "of": LEAST}
    if number < LEAST:
        yield Reading(measure=Measure.SHARES, figures=known)
        return
    yield whole(before, after, known, lines)
    yield from of_each(before, after, number, lines)


def whole(before: Mapping[str, Came], after: Mapping[str, Came], known: Mapping[str, Any], lines: Lines) -> Reading:
    names = sorted({*before, *after}, key=lambda name: -(before.get(name, NOBODY).n + after.get(name, NOBODY).n))
    totals = [max(sum(one.n for one in side.values()), 1) for side in (before, after)]
    shares = [
        [side.get(name, NOBODY).n / total for name in names]
        for side, total in zip((before, after), totals, strict=True)
    ]
    psi = stability(*shares)
    rows = [
        {
            "generator": name,
            "share_before": round(was, 6),
            "share": round(now, 6),
            "n": after.get(name, NOBODY).n,
            "mean_before": before[name].mean if name in before else None,
            "mean": after[name].mean if name in after else None,
        }
        for name, was, now in zip(names, *shares, strict=True)
    ]
    figures = {**known, "rows": rows[:MOST], "further": max(len(rows) - MOST, 0), "line": lines.psi_act}
    return Reading(measure=Measure.SHARES, value=psi, level=lines.level("psi", psi), figures=figures)


def of_each(before: Mapping[str, Came], after: Mapping[str, Came], number: int, lines: Lines) -> Iterator[Reading]:
    for name, one in list(after.items())[:MOST]:
        was = before.get(name)
        if was is None and one.n >= NEW and name:
            share = one.n / number
            figures = {"reference": "", "n": one.n, "mean": one.mean, "line": lines.unseen_act}
            level = lines.level("unseen", share)
            yield Reading(measure=Measure.UNSEEN, key=name, value=share, level=level, figures=figures)
        elif was is not None and min(was.n, one.n) >= FEWEST:
            moved = one.mean - was.mean
            error = sqrt(was.spread**2 / was.n + one.spread**2 / one.n)
            figures = {"reference": "", "n": one.n, "mean": one.mean, "mean_before": was.mean, "error": error}
            figures["line"] = lines.prior_act
            level = lines.level("prior", abs(moved)) if abs(moved) >= SURE * error else "usual"
            yield Reading(measure=Measure.PRIOR, key=name, value=moved, level=level, figures=figures)


def taken(pinned: Sequence[UUID], window: Window) -> Taken | None:
    last, rows = came(pinned, window)
    return (last, sum(one.n for one in rows), {"shares": [asdict(one) for one in rows]}) if last else None


def came(pinned: Sequence[UUID], window: Window) -> tuple[UUID | None, list[Came]]:
    """By generator version, those with the most images first."""
    with connection.cursor() as cursor:
        cursor.execute(CAME.format(order=window.order), window.values(versions=list(pinned)))
        rows = cursor.fetchall()
    found = [Came(name, version, n, float(mean), float(spread)) for name, version, n, mean, spread, _key in rows]
    return max((UUID(key) for *_rest, key in rows), default=None), found
