"""Shadow versions: they look at what those in service look at, are written down, and have no say.

Each runs in a thread of its own. One that fails, or takes longer than it may, is missing from this batch and nothing
else; one that still hangs from an earlier batch is not even asked.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings

from moderation.routing import Plan
from moderation.triage.deadlines import hangs, within
from moderation.triage.scoring import Spoken, heads_on, named, run

if TYPE_CHECKING:
    from classifiers.base import ImageInput
    from classifiers.models import ClassifierVersion

log = logging.getLogger(__name__)


def look_beside(images: Sequence[ImageInput], plan: Plan, spoken: Spoken) -> None:
    """Afterwards `spoken.shadows` holds what the plan's shadows said, and in `errors` who did not: for counting.

    Heads on a backbone that has passed over these images already cost no pass of their own.
    """
    if not plan.shadows:
        return
    said = spoken.shadows = Spoken()
    versions = {version.ref: version for version in named(plan.shadows)}
    for ref in plan.shadows:
        try:
            one = alone(versions[ref], images, spoken)
        except Exception as error:  # noqa: BLE001 - a candidate may fail in any way; that is what it stands here for
            log.warning("shadow %s is missing from a batch of %d: %s", ref, len(images), type(error).__name__)
            said.errors[ref] = f"{ref}: {type(error).__name__}"
            continue
        said.probabilities |= one.probabilities
        said.shown |= one.shown
        said.missing |= one.missing
        for backbone, vectors in one.embeddings.items():
            spoken.embeddings.setdefault(backbone, vectors)
            spoken.passes.setdefault(backbone, one.passes[backbone])


def alone(version: ClassifierVersion, images: Sequence[ImageInput], spoken: Spoken) -> Spoken:
    """What this version says within its time. Raises TimeoutError, or whatever it raises."""
    name = f"shadow {version.ref}"
    if hangs(name):
        raise TimeoutError
    # A copy: a thread that is given up on must not write into what is being recorded.
    mine = Spoken(passes=dict(spoken.passes))

    def look() -> Spoken:
        run(version, images, mine)
        if version.backbone is not None:
            mine.probabilities[version] = heads_on(version, mine.embeddings[version.backbone])
        check(mine, version, len(images))
        return mine

    return within(settings.SHADOW_SECONDS, look, name=name, bearable=True)


def check(said: Spoken, version: ClassifierVersion, count: int) -> None:
    """Whether this can be written down. Raises ValueError: a batch must not fail for what a candidate returned."""
    table = said.probabilities[version]
    if table.shape != (count, len(version.categories)) or not np.isfinite(table).all():
        raise ValueError(f"{version.ref} answered {table.shape} for {count} images, or no numbers")
    for vectors in said.embeddings.values():
        if vectors.ndim != 2 or len(vectors) != count or not np.isfinite(vectors).all():
            raise ValueError(f"{version.ref} gave embeddings {vectors.shape} for {count} images, or no numbers")
    if any(len(shown) != count for shown in said.shown.values()):
        raise ValueError(f"{version.ref} showed evidence for another number of images than {count}")
