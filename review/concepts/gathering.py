"""The images a concept is learnt from and measured on: examples, what people decided, a sample of the archive."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from classifiers import splits
from classifiers.models import ClassifierVersion
from moderation.models import Embedding, Reason, Status, Submission
from moderation.taxonomy import UNTRAINABLE
from review.concepts.drafts import MOST_EXAMPLES, CannotLearn, Draft
from review.feedback import decisive
from review.models import Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifiers.prototypes import Measured, Prototypes

LABELLED: Final = 4000  # the latest decisions that are looked at
RECENT: Final = 10_000  # the latest images of which the sample is drawn
SAMPLE: Final = 2000
LEAST_SAMPLE: Final = 20
ENOUGH_DENIED: Final = 100  # labels 0 by people, below which images nobody decided are presumed harmless
COPY: Final = """
COPY (SELECT submission_id, vector FROM moderation_embedding
    WHERE backbone_id = %(backbone)s AND submission_id = ANY(%(keys)s)) TO STDOUT (FORMAT BINARY)
"""


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Images with their unit embeddings, hashes and what is known of them."""

    vectors: dict[UUID, NDArray[Any]]
    hashes: dict[UUID, bytes | None]
    labels: dict[UUID, tuple[int, float]] = field(default_factory=dict)
    sample: Sequence[UUID] = ()


def gathered(draft: Draft, eyes: ClassifierVersion) -> Pictures:
    """Examples, decided images and a sample of the archive, as far as their embedding is stored. Raises CannotLearn for
    an example that cannot be used."""
    from classifiers.prototypes import unit
    from moderation.triage.copying import embeddings

    given = [*draft.examples, *draft.counters]
    if len(set(given)) < len(given):
        raise CannotLearn(_("An image is given twice."))
    if len(given) > MOST_EXAMPLES:
        raise CannotLearn(_("At most %(most)d images make a concept.") % {"most": MOST_EXAMPLES})
    usable = set(
        Submission.objects.filter(pk__in=given).exclude(status=Status.QUARANTINED).values_list("pk", flat=True)
    )
    if missing := [str(key) for key in given if key not in usable]:
        raise CannotLearn(_("Not here, or under legal hold: %(keys)s") % {"keys": ", ".join(missing)})
    labels = decided(draft.category)
    sample = sampled(eyes, leaving_out={*given, *labels})
    wanted = [*given, *labels, *sample]
    raw, table = embeddings(COPY, {"backbone": eyes.pk, "keys": wanted}, size=eyes.embedding_size or 0)
    vectors = {UUID(bytes=key.tobytes()): row for key, row in zip(raw, unit(table), strict=True)}
    if unseen := [str(key) for key in given if key not in vectors]:
        raise CannotLearn(
            _("%(ref)s has not looked at these images: %(keys)s") % {"ref": eyes.ref, "keys": ", ".join(unseen)}
        )
    found = Submission.objects.filter(pk__in=wanted).values_list("pk", "pdq")
    hashes = {key: bytes(pdq) if pdq is not None else None for key, pdq in found}
    labels = {key: label for key, label in labels.items() if key in vectors and key not in given}
    return Pictures(vectors, hashes, labels, [key for key in sample if key in vectors])


def decided(category: str) -> dict[UUID, tuple[int, float]]:
    """What people said last of each image as to this category, label and weight: an approval denies it, a block that
    names it affirms it, a block for something else says nothing."""
    rows = (
        decisive()
        .order_by("-id")
        .values_list(
            "submission_id", "verdict", "labels", "submission__inclusion_probability", "claim__request__reason"
        )[:LABELLED]
    )
    seen: dict[UUID, tuple[int, float] | None] = {}
    for key, verdict, labels, chance, reason in rows:
        named = {one["category"] for one in labels}
        said = 0 if verdict == Verdict.APPROVE else 1 if category in named else None
        usable = said is not None and not UNTRAINABLE & named
        stands_for = 1.0 if reason == Reason.LEARNING else 1.0 / (chance or 1.0)  # no lot chose it: for itself alone
        seen.setdefault(key, (said or 0, stands_for) if usable else None)
    return {key: label for key, label in seen.items() if label is not None}


def sampled(eyes: ClassifierVersion, *, leaving_out: set[UUID]) -> list[UUID]:
    """A random sample of the latest images with an embedding, the same for the same archive."""
    recent = Embedding.objects.filter(backbone=eyes).exclude(submission__status=Status.QUARANTINED)
    keys = recent.order_by("-submission_id").values_list("submission_id", flat=True)[:RECENT]
    rest = [key for key in keys if key not in leaving_out]
    return random.Random(0).sample(rest, min(SAMPLE, len(rest)))  # noqa: S311 - a sample, no secret


def near_duplicates(known: Pictures) -> dict[UUID, str]:
    """The group of each image; copies of one picture share it."""
    keys = list(known.vectors)
    names = splits.clusters([str(key) for key in keys], [known.hashes.get(key) for key in keys])
    return dict(zip(keys, names, strict=True))


def stacked(known: Pictures, keys: Iterable[UUID]) -> NDArray[Any]:
    import numpy as np

    width = next(iter(known.vectors.values())).shape[0] if known.vectors else 0
    return np.array([known.vectors[key] for key in keys]).reshape(-1, width)


def measurable(
    draft: Draft,
    known: Pictures,
    groups: dict[UUID, str],
    prototypes: Prototypes,
    presumed: Sequence[UUID],
) -> Measured:
    """What the concept is measured on: decided images, its examples left out in turn, and images presumed harmless
    where people denied too few. No copy of an example is among the others."""
    import numpy as np

    from classifiers.prototypes import EXAMPLE, PRESUMED, Measured
    from classifiers.prototypes import LABELLED as DECIDED

    taken = {groups[key] for key in (*draft.examples, *draft.counters)}
    labels = {key: label for key, label in known.labels.items() if groups[key] not in taken}
    denied = sum(label == 0 for label, _weight in labels.values())
    others = [key for key in presumed if groups[key] not in taken] if denied < ENOUGH_DENIED else []
    keys = [*labels, *others]
    # With a phrase the examples are no longer all of the prototype, so leaving one out would say too little.
    examples = () if draft.phrase else draft.examples
    left_out = prototypes.left_out([groups[key] for key in examples]) if examples else np.zeros(0)
    known_logits = prototypes.logits(stacked(known, keys)) if keys else np.zeros(0)
    return Measured(
        np.concatenate([left_out, known_logits]),
        np.array([*(1.0 for _ in examples), *(float(label) for label, _w in labels.values()), *(0.0 for _ in others)]),
        np.array([*(1.0 for _ in examples), *(weight for _l, weight in labels.values()), *(1.0 for _ in others)]),
        np.array([*(EXAMPLE for _ in examples), *(DECIDED for _ in labels), *(PRESUMED for _ in others)]),
        np.array([groups[key] for key in (*examples, *keys)]),
    )
