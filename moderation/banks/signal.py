"""The banks as a classifier: what triage, plans and findings see of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from classifiers.base import Outputs, Score, scores
from moderation.banks.known import known
from moderation.banks.matching import Looks, judged, matches
from moderation.models import BankMatch, Submission

if TYPE_CHECKING:
    from classifiers.base import ImageInput, Shown
    from classifiers.models import ClassifierVersion


@dataclass(frozen=True, slots=True)
class KnownImages:
    """Compares images with every bank in service, as the banks are now."""

    name: str
    version: str
    categories: tuple[str, ...]
    embedding_size: int | None = None

    def run(self, images: Sequence[ImageInput]) -> Outputs:
        known.refresh()
        table = np.zeros((len(images), len(self.categories)), dtype=np.float32)
        shown: list[dict[str, Any]] = []
        for row, found in enumerate(matches([Looks.of(image) for image in images], known)):
            probabilities, evidence = judged(found)
            for category, probability in probabilities.items():
                table[row, self.categories.index(category)] = probability
            shown.append(evidence)
        return Outputs(table, shown=shown)

    def score(self, images: Sequence[ImageInput]) -> Sequence[Score]:
        return scores(self.run(images), self.categories)


def open_version(version: ClassifierVersion) -> KnownImages:
    return KnownImages(version.name, version.version, tuple(version.categories))


def keep_matches(shown: Iterable[tuple[Submission, Shown]]) -> None:
    """Each match that is shown as a row of its own, so that a bank knows what it met."""
    rows = [
        BankMatch(
            submission=submission,
            bank_id=match["bank"],
            entry_id=match["entry"],
            kind=match["kind"],
            distance=match["distance"],
            action=match["asks"],
        )
        for submission, one in shown
        for match in one.get("matches", ())
    ]
    if rows:
        BankMatch.objects.bulk_create(rows)
