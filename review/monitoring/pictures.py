"""Drift of the images themselves: of each backbone in service, the newest embeddings beside the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import connection

from classifiers.models import ClassifierVersion
from moderation.guarantees.drifting import LEAST
from moderation.models import Measure, Reading
from review.monitoring import windows
from review.monitoring.settings import Lines
from review.monitoring.windows import Taken, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifiers.drifting import Discrepancy, ToldApart

EACH: Final = 500  # images of either side: the kernel is a matrix of them all
MILDER: Final = 10  # a look is worth it at ten times the doubt of an alarm
# One of each cluster: a burst of copies is one picture.
SEEN: Final = """
SELECT min(id::text)::uuid FROM (
    SELECT submission.id, submission.cluster FROM moderation_submission submission
    JOIN moderation_embedding embedding
        ON embedding.submission_id = submission.id AND embedding.backbone_id = %(backbone)s
    WHERE submission.id > %(after)s AND submission.id < %(before)s AND submission.status <> 'quarantined'
    ORDER BY submission.id {order} LIMIT %(most)s
) seen GROUP BY coalesce(cluster, id) ORDER BY 1
"""
COPY: Final = """
COPY (
    SELECT embedding.submission_id, embedding.vector FROM moderation_embedding embedding
    JOIN moderation_submission submission ON submission.id = embedding.submission_id
    WHERE embedding.backbone_id = %(backbone)s AND embedding.submission_id = ANY(%(keys)s)
        AND submission.status <> 'quarantined'
    ORDER BY embedding.submission_id
) TO STDOUT (FORMAT BINARY)
"""


def readings(versions: Sequence[ClassifierVersion], lines: Lines, now: datetime) -> Iterator[Reading]:
    """Two of each backbone that the pinned versions stand on."""
    backbones = {one.pk: one for each in versions if (one := each.backbone or each).embedding_size}
    for backbone in backbones.values():
        yield from of_backbone(backbone, lines, now)


def of_backbone(backbone: ClassifierVersion, lines: Lines, now: datetime) -> Iterator[Reading]:
    from classifiers.drifting import discrepancy, told_apart  # late: they bring numpy and scikit-learn

    subject = f"{backbone.ref} images"
    begun = windows.pinned_since(backbone.ref)
    reference, n = windows.reference(subject, begun, now, partial(taken, backbone))
    newest = seen(backbone, windows.newest(reference, now)) if reference else []
    known = {"n": min(len(newest), EACH) if reference else n, "of": LEAST}
    before = vectors(backbone, [UUID(key) for key in reference.body["images"]]) if reference else None
    # What was erased meanwhile is missing; a reference of few images says little, and is still the true one.
    if reference is None or before is None or len(newest) < LEAST // 2 or len(before) < LEAST // 5:
        yield Reading(measure=Measure.MMD, subject=backbone.ref, figures=known)
        return
    after = vectors(backbone, thinned(newest, EACH))
    seed = now.toordinal()
    apart = discrepancy(before, after, seed=seed)
    told = told_apart(before, after, seed=seed)
    yield from judged(backbone.ref, apart, told, lines, {"reference": subject, "since": reference.begun_at.isoformat()})


def judged(ref: str, apart: Discrepancy, told: ToldApart, lines: Lines, known: dict[str, Any]) -> Iterator[Reading]:
    """By chance one of `lines.doubt` looks is beyond; how far apart they are is for the classifier to say, so the alarm
    is its own.
    """
    beyond = "watch" if apart.p_value <= MILDER * lines.doubt else "usual"
    figures = {**known, "n": apart.m, "before": apart.n, "p_value": apart.p_value, "line": lines.doubt}
    yield Reading(measure=Measure.MMD, subject=ref, value=apart.value, level=beyond, figures=figures)
    level = lines.level("accuracy", told.accuracy) if told.p_value <= lines.doubt else "usual"
    figures = {**known, "n": apart.m, "before": apart.n, "held_out": told.n, "p_value": told.p_value}
    figures["line"] = lines.accuracy_act
    yield Reading(measure=Measure.C2ST, subject=ref, value=told.accuracy, level=level, figures=figures)


def taken(backbone: ClassifierVersion, window: Window) -> Taken | None:
    keys = seen(backbone, window)
    kept = thinned(keys, EACH)
    return (keys[-1], len(keys), {"images": [str(key) for key in kept]}) if keys else None


def seen(backbone: ClassifierVersion, window: Window) -> list[UUID]:
    """One image of each cluster, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(SEEN.format(order=window.order), window.values(backbone=backbone.pk))
        return [key for (key,) in cursor.fetchall()]


def vectors(backbone: ClassifierVersion, keys: Sequence[UUID]) -> NDArray[Any]:
    """Those that are still there, [N, D]."""
    from moderation.triage.copying import embeddings

    values = {"backbone": backbone.pk, "keys": list(keys)}
    return embeddings(COPY, values, size=backbone.embedding_size or 0)[1]


def thinned(keys: Sequence[UUID], most: int) -> list[UUID]:
    """At most so many, at even distances."""
    step = max(len(keys) / most, 1.0)
    return [keys[int(step * at)] for at in range(min(len(keys), most))]
