"""What the versions in service, those in their shadow and those before them say of candidates, by what is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

import numpy as np

from classifiers.base import CardError
from classifiers.cards import SIGNALS
from classifiers.models import ClassifierVersion
from moderation import shadows
from moderation.models import Finding, TriagePlan
from moderation.policies import parsed
from moderation.taxonomy import UNTRAINABLE
from moderation.triage.scoring import heads_on, named, pinned
from review.selection.candidates import Pool

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK: Final = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Opinions:
    """Of N candidates in K categories: the probability in service [N, K], by routing's rule the highest of all that
    speak, and each version's [M, N, K], NaN where it says nothing. `refs` of the M, those in service first.
    """

    categories: tuple[str, ...]
    refs: tuple[str, ...]
    service: NDArray[np.float64]
    members: NDArray[np.float64]

    def likely(self, row: int) -> tuple[str, float | None]:
        """The category that speaks up most, and its probability; ("", None) where none speaks."""
        said = self.service[row]
        if not len(said) or np.isnan(said).all():
            return "", None
        best = int(np.nanargmax(said))
        return self.categories[best], float(said[best])


def of(pool: Pool, plan: TriagePlan | None, eyes: ClassifierVersion, *, category: str = "") -> Opinions:
    """Heads on this backbone speak on the stored embeddings, as they are now; others by their findings. Signals other
    than networks (hashes, rules …) do not learn from labels of images, so they are not asked.
    """
    service = [one for one in pinned(parsed(plan)) if one.kind not in SIGNALS] if plan else []
    beside = [one for one in named(shadows.standing(plan)) if one.kind not in SIGNALS]
    versions = [*service, *beside, *before(service, eyes)]
    codes = sorted({code for one in service for code in one.categories if code not in UNTRAINABLE})
    codes = [code for code in codes if category in {"", code}]
    members = np.full((len(versions), len(pool), len(codes)), np.nan)
    for m, version in enumerate(versions):
        table = words(version, pool, eyes)
        for k, code in enumerate(version.categories):
            if code in codes:
                members[m, :, codes.index(code)] = table[:, k]
    highest = np.fmax.reduce(members[: len(service)], axis=0) if service else np.full((len(pool), len(codes)), np.nan)
    return Opinions(tuple(codes), tuple(one.ref for one in versions), highest, members)


def before(service: Sequence[ClassifierVersion], eyes: ClassifierVersion) -> list[ClassifierVersion]:
    """Of each heads in service on this backbone the version before: where a retrain changed its mind, more labels
    tell.
    """
    found = []
    for one in service:
        if one.kind == "heads" and one.backbone_id == eyes.pk:
            family = ClassifierVersion.objects.filter(name=one.name, kind="heads", backbone=eyes)
            earlier = family.filter(created_at__lt=one.created_at).order_by("-created_at", "-pk").first()
            found += [earlier] if earlier else []
    return found


def words(version: ClassifierVersion, pool: Pool, eyes: ClassifierVersion) -> NDArray[np.float64]:
    """[N, K] of this version's categories, NaN where it is silent."""
    if version.kind == "heads" and version.backbone_id == eyes.pk:
        try:
            blocks = [heads_on(version, pool.vectors[at : at + BLOCK]) for at in range(0, len(pool), BLOCK)]
        except CardError:  # weights that are gone: what they said at triage is still there
            blocks = []
        if blocks:
            return np.concatenate(blocks)
    return found(version, pool.keys)


def found(version: ClassifierVersion, keys: Sequence[UUID]) -> NDArray[np.float64]:
    rows = Finding.objects.filter(classifier=version, submission__in=keys).values_list("submission_id", "probabilities")
    stored = dict(rows)
    silent = [np.nan] * len(version.categories)
    return np.array([stored.get(key, silent) for key in keys], np.float64).reshape(len(keys), len(version.categories))
