"""What a plan's classifiers say, or would say, of images already triaged: from stored findings and embeddings alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from moderation.models import Embedding, Finding, Submission
from moderation.routing import Evidence, Plan
from moderation.triage.scoring import heads_on, pinned

if TYPE_CHECKING:
    from classifiers.models import ClassifierVersion


def evidence_under(rows: Sequence[Submission], plan: Plan) -> list[list[Evidence]]:
    """Per image, the evidence of every version the plan pins. Two queries a version, whatever the number of images.

    A version that never saw an image and has no stored embedding to look at is an error on that image: doubt, as in
    triage.
    """
    said: dict[UUID, list[Evidence]] = defaultdict(list)
    versions = {version.ref: version for version in pinned(plan)}
    for ref in plan.classifiers:
        version = versions.get(ref)
        table = probabilities(rows, version) if version else {}
        for row in rows:
            values = table.get(row.pk)
            if version is None or values is None:
                said[row.pk].append(Evidence(ref, error=f"{ref} has nothing stored for this image"))
            else:
                said[row.pk].append(Evidence(ref, dict(zip(version.categories, values, strict=True))))
    return [said[row.pk] for row in rows]


def probabilities(rows: Sequence[Submission], version: ClassifierVersion) -> dict[UUID, list[float]]:
    keys = [row.pk for row in rows]
    stored = Finding.objects.filter(submission__in=keys, classifier=version).values_list(
        "submission_id", "probabilities"
    )
    table: dict[UUID, list[float]] = dict(stored)
    if version.backbone_id is None:
        return table
    unseen = [key for key in keys if key not in table]
    seen = Embedding.objects.filter(submission__in=unseen, backbone=version.backbone_id).values_list(
        "submission_id", "vector"
    )
    pairs = list(seen)
    if pairs:
        scores = heads_on(version, np.array([vector for _key, vector in pairs], dtype=np.float16))
        table.update(zip((key for key, _vector in pairs), scores.tolist(), strict=True))
    return table
