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
    from classifiers.base import Shown
    from classifiers.models import ClassifierVersion


def evidence_under(rows: Sequence[Submission], plan: Plan) -> list[list[Evidence]]:
    """Per image, the evidence of every version the plan pins. Two queries a version, whatever the number of images.

    A version that was heard and left no finding had nothing to say. One that never saw an image and has no stored
    embedding to look at is an error on that image: doubt, as in triage.
    """
    said: dict[UUID, list[Evidence]] = defaultdict(list)
    versions = {version.ref: version for version in pinned(plan)}
    for ref in plan.classifiers:
        version = versions.get(ref)
        table = findings(rows, version) if version else {}
        for row in rows:
            found = table.get(row.pk)
            if version is not None and found is not None:
                values, shown = found
                said[row.pk].append(Evidence.read(ref, dict(zip(version.categories, values, strict=True)), shown))
            elif ref in row.heard:
                said[row.pk].append(Evidence(ref))
            else:
                said[row.pk].append(Evidence(ref, error=f"{ref} has nothing stored for this image"))
    return [said[row.pk] for row in rows]


def findings(rows: Sequence[Submission], version: ClassifierVersion) -> dict[UUID, tuple[list[float], Shown]]:
    """Probabilities and what was shown, by image; of heads also where only the embedding is stored."""
    keys = [row.pk for row in rows]
    found = Finding.objects.filter(submission__in=keys, classifier=version)
    table: dict[UUID, tuple[list[float], Shown]] = {
        key: (values, shown) for key, values, shown in found.values_list("submission_id", "probabilities", "evidence")
    }
    if version.backbone_id is None:
        return table
    unseen = [key for key in keys if key not in table]
    seen = Embedding.objects.filter(submission__in=unseen, backbone=version.backbone_id).values_list(
        "submission_id", "vector"
    )
    pairs = list(seen)
    if pairs:
        scores = heads_on(version, np.array([vector for _key, vector in pairs], dtype=np.float16))
        table.update({key: (values, {}) for (key, _vector), values in zip(pairs, scores.tolist(), strict=True)})
    return table
