"""Drift of scores: of each pinned version and category, the newest scores beside the first it gave in service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from django.db import connection

from classifiers.models import ClassifierVersion
from moderation.guarantees.drifting import LEAST, binned, farthest, stability
from moderation.models import Measure, Reading
from review.monitoring import windows
from review.monitoring.settings import Lines
from review.monitoring.windows import Taken, Window

KEPT: Final = 1000  # quantiles of a category
UNLIKELY: Final = 0.001  # a distance that chance explains is no drift, however great
SCORED: Final = """
SELECT submission.id, finding.probabilities FROM (
    SELECT id FROM moderation_submission WHERE id > %(after)s AND id < %(before)s AND heard @> %(refs)s::varchar[]
    ORDER BY id {order} LIMIT %(most)s
) submission LEFT JOIN moderation_finding finding
    ON finding.submission_id = submission.id AND finding.classifier_id = %(version)s
"""


def readings(versions: Sequence[ClassifierVersion], lines: Lines, now: datetime) -> Iterator[Reading]:
    """Two of each pinned version and category. A few queries a version, of windows.LATEST images at most."""
    for version in versions:
        if version.categories:
            yield from of_version(version, lines, now)


def of_version(version: ClassifierVersion, lines: Lines, now: datetime) -> Iterator[Reading]:
    begun = windows.pinned_since(version.ref)
    reference, n = windows.reference(version.ref, begun, now, partial(taken, version))
    if reference is None:
        for category in version.categories:
            yield Reading(measure=Measure.PSI, subject=version.ref, key=category, figures={"n": n, "of": LEAST})
        return
    _last, number, newest = scored(version, windows.newest(reference, now))
    begun_at = reference.begun_at.isoformat()
    known = {"reference": version.ref, "before": reference.n, "since": begun_at, "n": number, "of": LEAST}
    for category in version.categories:
        before, after = reference.body["scores"].get(category, []), newest[category]
        if number < LEAST or not before:
            yield Reading(measure=Measure.PSI, subject=version.ref, key=category, figures=known)
            continue
        shares = {"bins": rounded(binned(before)), "newest": rounded(binned(after))}
        moved = {"mean_before": mean(before), "mean": mean(after)}
        psi = stability(binned(before), binned(after))
        yield Reading(
            measure=Measure.PSI,
            subject=version.ref,
            key=category,
            value=psi,
            level=lines.level("psi", psi),
            figures={**known, **shares, **moved, "line": lines.psi_act},
        )
        distance, chance = farthest(before, windows.quantiles(after, KEPT))
        yield Reading(
            measure=Measure.KS,
            subject=version.ref,
            key=category,
            value=distance,
            level=lines.level("ks", distance) if chance <= UNLIKELY else "usual",
            figures={**known, **moved, "p_value": chance, "line": lines.ks_act},
        )


def taken(version: ClassifierVersion, window: Window) -> Taken | None:
    last, n, scores = scored(version, window)
    kept = {category: rounded(windows.quantiles(values, KEPT)) for category, values in scores.items()}
    return (last, n, {"scores": kept}) if last else None


def scored(version: ClassifierVersion, window: Window) -> tuple[UUID | None, int, dict[str, list[float]]]:
    """The last key, how many, and their scores by category; a version that had nothing to say said 0."""
    with connection.cursor() as cursor:
        cursor.execute(SCORED.format(order=window.order), window.values(refs=[version.ref], version=version.pk))
        rows = cursor.fetchall()
    silent = [0.0] * len(version.categories)
    columns = zip(*(said or silent for _key, said in rows), strict=True) if rows else ([] for _ in version.categories)
    scores = {category: list(column) for category, column in zip(version.categories, columns, strict=True)}
    return max((key for key, _said in rows), default=None), len(rows), scores


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 6) for value in values]
