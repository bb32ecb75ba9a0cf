"""Running the plan's classifiers over a batch: each backbone once, then every head on its embeddings."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from classifiers import registry
from classifiers.models import ClassifierVersion
from moderation.routing import Evidence, Plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifiers.base import ImageInput, Outputs

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Spoken:
    """What was said of a batch of N images, by version: probabilities [N, K]; embeddings [N, D] a backbone; errors in
    words.
    """

    probabilities: dict[ClassifierVersion, NDArray[np.float64]] = field(default_factory=dict)
    embeddings: dict[ClassifierVersion, NDArray[np.float16]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def of(self, row: int) -> list[Evidence]:
        """The evidence on image `row`, as routing takes it."""
        said = [
            Evidence(version.ref, dict(zip(version.categories, table[row].tolist(), strict=True)))
            for version, table in self.probabilities.items()
        ]
        return said + [Evidence(ref, error=error) for ref, error in self.errors.items()]


def score(images: Sequence[ImageInput], plan: Plan) -> Spoken:
    """Every pinned classifier's word on every image. One that fails is an error on the batch, never an exception:
    doubt.
    """
    spoken = Spoken()
    versions = {version.ref: version for version in pinned(plan)}
    outputs: dict[ClassifierVersion, Outputs] = {}
    for ref in plan.classifiers:
        version = versions.get(ref)
        if version is None:
            spoken.errors[ref] = f"{ref} is not registered"
            continue
        try:
            run(version, images, outputs, spoken)
        except Exception as error:  # a model may fail in any way; the image then goes to a person
            log.exception("classifier %s failed on a batch of %d", ref, len(images))
            spoken.errors[ref] = f"{ref}: {type(error).__name__}"
    return spoken


def pinned(plan: Plan) -> Sequence[ClassifierVersion]:
    return list(ClassifierVersion.objects.with_refs(list(plan.classifiers)).select_related("backbone"))


def run(
    version: ClassifierVersion, images: Sequence[ImageInput], outputs: dict[ClassifierVersion, Outputs], spoken: Spoken
) -> None:
    eyes = see(version.backbone or version, images, outputs)
    if eyes.embeddings is not None:
        spoken.embeddings[version.backbone or version] = eyes.embeddings.astype(np.float16)
    if version.backbone is None:
        spoken.probabilities[version] = stored(eyes.probabilities)
    elif eyes.embeddings is None:
        raise ValueError(f"{version.backbone.ref} yields no embedding for {version.ref}")
    else:
        spoken.probabilities[version] = heads_on(version, spoken.embeddings[version.backbone])


def heads_on(version: ClassifierVersion, embeddings: NDArray[np.float16]) -> NDArray[np.float64]:
    """A head's word on embeddings as they are stored (half precision): live triage and replay see the same numbers."""
    return stored(registry.load_heads(version).apply(embeddings.astype(np.float32)))


def stored(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """Six decimals survive PostgreSQL's `real` exactly, so that a stored finding replays to the same route."""
    return probabilities.astype(np.float64).round(6)


def see(version: ClassifierVersion, images: Sequence[ImageInput], outputs: dict[ClassifierVersion, Outputs]) -> Outputs:
    """The version's one pass over the batch, however many heads ask for it."""
    if version not in outputs:
        outputs[version] = registry.load(version).run(images)
    return outputs[version]
