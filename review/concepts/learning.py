"""From a draft to a registered, measured version that nobody has switched on yet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from classifiers import cards, registry
from classifiers.models import ClassifierVersion
from moderation import audit
from moderation.actors import Actor
from moderation.models import TriagePlan
from moderation.policies import parsed
from moderation.taxonomy import UNTRAINABLE
from review.concepts.drafts import FEWEST, CannotLearn, Draft
from review.concepts.gathering import LEAST_SAMPLE, gathered, measurable, near_duplicates, stacked
from review.feedback import default_backbone

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifiers.prototypes import Prototypes, Settled

PREFIX: Final = "concept-"
NEAREST: Final = 12
LICENCE: Final = "as the images of this installation"


def learn(draft: Draft, *, actor: Actor) -> ClassifierVersion:
    """Afterwards the concept's next version is registered, measured, and not in service. Raises CannotLearn.

    With a phrase the backbone itself is opened, so only a worker or a command may ask for that.
    """
    import numpy as np

    from classifiers.base import CardError
    from classifiers.prototypes import Prototypes, settle, unit

    if draft.category in UNTRAINABLE:
        raise CannotLearn(_("Nobody may collect examples of this category; known images belong in a bank."))
    slug = slugify(draft.name)
    if not slug:
        raise CannotLearn(_("Give the concept a name of letters or digits."))
    try:
        eyes = registry.versions([default_backbone()])[0]
    except CardError as error:
        raise CannotLearn(_("The plan in force pins no classifier with an embedding to learn on.")) from error
    phrase = unit(embedded(draft.phrase, eyes)) if draft.phrase else None
    known = gathered(draft, eyes)
    groups = near_duplicates(known)
    check_examples(draft.examples, groups, phrase=phrase is not None)
    if len(known.sample) < LEAST_SAMPLE:
        raise CannotLearn(
            _("The archive has too few undecided images to tell the concept from: %(n)d, of at least %(least)d.")
            % {"n": len(known.sample), "least": LEAST_SAMPLE}
        )
    half = len(known.sample) // 2
    toward = stacked(known, draft.examples)
    prototypes = Prototypes(
        toward if phrase is None else np.concatenate([toward, phrase]),
        stacked(known, draft.counters),
        stacked(known, known.sample[:half]),
    )
    pool = measurable(draft, known, groups, prototypes, known.sample[half:])
    settled = settle(pool, floor=floor_of(draft.category))
    if settled is None:
        raise CannotLearn(
            _("Too few labelled images to measure it: give more examples, or decide more images of the category first.")
        )
    shown = [*known.labels, *known.sample]
    order = np.argsort(-prototypes.logits(stacked(known, shown)), kind="stable")[:NEAREST]
    return registered(draft, slug, eyes, prototypes, settled, [shown[i] for i in order], actor=actor)


def embedded(phrase: str, eyes: ClassifierVersion) -> NDArray[Any]:
    """[1, D] of the phrase. Raises CannotLearn where the backbone knows no words."""
    from classifiers.base import TextImageBackbone

    backbone = registry.load(eyes)
    if not isinstance(backbone, TextImageBackbone):
        raise CannotLearn(_("%(ref)s knows pictures only, no words: give examples.") % {"ref": eyes.ref})
    return backbone.embed_texts([phrase])


def check_examples(examples: Sequence[UUID], groups: dict[UUID, str], *, phrase: bool) -> None:
    different = len({groups[key] for key in examples})
    if different < FEWEST and not phrase:
        raise CannotLearn(
            _("A concept needs %(fewest)d different examples; copies of one picture count once. There are %(found)d.")
            % {"fewest": FEWEST, "found": different}
        )


def floor_of(category: str) -> float:
    """The approve cut in force: below it a word of the concept would send nothing to a person."""
    plan = TriagePlan.objects.in_force()
    band = parsed(plan).bands.get(category) if plan else None
    return band.approve if band else 0.0


def registered(
    draft: Draft,
    slug: str,
    eyes: ClassifierVersion,
    prototypes: Prototypes,
    settled: Settled,
    nearest: Sequence[UUID],
    *,
    actor: Actor,
) -> ClassifierVersion:
    import numpy as np

    from classifiers.heads import Heads
    from classifiers.weights import file_sha256

    weight, bias = prototypes.head()
    heads = Heads(
        (draft.category,), weight[None], np.array([bias], np.float32), (settled.calibration,), normalised=True
    )
    with TemporaryDirectory(prefix="loupe-concept-") as folder, transaction.atomic():
        name = f"{PREFIX}{slug}"[:100]
        taken = ClassifierVersion.objects.filter(name=name).values_list("version", flat=True)
        version = str(max((int(one) for one in taken if one.isdecimal()), default=0) + 1)
        weights = Path(folder) / "concept.safetensors"
        heads.save(weights)
        table = {
            "name": name,
            "version": version,
            "kind": "heads",
            "backbone": eyes.ref,
            "weights": weights.name,
            "sha256": file_sha256(weights),
            "licence": LICENCE,
            "trained_on": f"{len(draft.examples)} examples and {len(draft.counters)} counter-examples"
            + (f", and the phrase “{draft.phrase}”" if draft.phrase else ""),
            "limits": "a prototype: it finds what looks alike, and nothing it has no example of",
            "concept": {
                "category": draft.category,
                "examples": [str(key) for key in draft.examples],
                "counter_examples": [str(key) for key in draft.counters],
                "phrase": draft.phrase,
                "threshold": settled.threshold,
                "nearest": [str(key) for key in nearest],
                "formula": "half of |e - c-|^2 - |e - c+|^2 on unit embeddings e; classifiers/prototypes.py",
            },
            "calibration": cards.describe_calibrations(heads.categories, heads.calibrations),
            "metrics": {draft.category: settled.metrics},
        }
        row = registry.register(cards.dump(table, Path(folder) / "concept.toml"))
        said = {"category": draft.category, "examples": len(draft.examples), "threshold": settled.threshold}
        audit.record(audit.Entry(actor, "concept.learnt", f"classifier:{row.ref}", said))
    return row
