"""The labels that versions are measured on, as columns: a split of a manifest, or the gold items."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
from django.utils.translation import gettext as _

from moderation.models import Status
from moderation.taxonomy import UNTRAINABLE
from review.models import GoldItem, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifiers.embeddings import EmbeddingFile
    from classifiers.manifests import Manifest


class NothingToMeasure(Exception):
    """No label of this sample is of use; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """One row a picture and category. `reference` is a row of `embeddings`, -1 where there is none; `backbone`, by whom
    these were made ("": not stated); `fingerprint`, of the data set ("": gold items).
    """

    submission: NDArray[np.object_]
    category: NDArray[np.object_]
    label: NDArray[np.float64]
    weight: NDArray[np.float64]
    cluster: NDArray[np.object_]
    generator: NDArray[np.object_]
    reference: NDArray[np.int64]
    embeddings: EmbeddingFile | None = None
    backbone: str = ""
    fingerprint: str = ""

    def __len__(self) -> int:
        return len(self.label)

    def where(self, chosen: NDArray[np.bool_]) -> Labelled:
        columns = ("submission", "category", "label", "weight", "cluster", "generator", "reference")
        kept = {name: getattr(self, name)[chosen] for name in columns}
        return Labelled(**kept, embeddings=self.embeddings, backbone=self.backbone, fingerprint=self.fingerprint)

    def keys(self) -> list[UUID]:
        """The distinct submissions whose names are ids of ours, in order."""
        return [key for name in dict.fromkeys(self.submission.tolist()) if (key := key_of(name)) is not None]


def key_of(name: object) -> UUID | None:
    try:
        return UUID(str(name))
    except ValueError:
        return None


def of_manifest(manifest: Manifest, split: str, *, since: datetime | None = None) -> Labelled:
    """The known labels of a split, with `since` of those decided then or later. Raises NothingToMeasure."""
    rows = manifest.split(split)
    label, weight = rows.column("label").astype(np.float64), rows.column("weight").astype(np.float64)
    weight = np.where(np.isnan(weight), 1.0, weight)
    reference = rows.column("embedding_ref").astype(np.float64)
    submission = text(rows.column("submission_id"))
    cluster = text(rows.column("cluster_id"))
    found = Labelled(
        submission=submission,
        category=text(rows.column("category")),
        label=label,
        weight=weight,
        cluster=np.where(cluster == "", submission, cluster).astype(object),
        generator=text(rows.column("generator")),
        reference=np.where(np.isnan(reference), -1, reference).astype(np.int64),
        embeddings=manifest.embeddings,
        backbone=str(manifest.index.get("query", {}).get("backbone") or ""),
        fingerprint=manifest.fingerprint,
    )
    wanted = ~np.isnan(label) & (weight > 0) & ~np.isin(found.category.astype(str), list(UNTRAINABLE))
    if since is not None:
        wanted &= np.array([at is not None and at >= since for at in rows.table["decided_at"].to_pylist()], dtype=bool)
    known = found.where(wanted)
    if not len(known):
        raise NothingToMeasure(_("The split “%(split)s” has no known label.") % {"split": split})
    return known


def of_gold(categories: Collection[str]) -> Labelled:
    """What seniors agree on: an item to approve denies every one of the `categories`, one to block affirms those it
    names. Raises NothingToMeasure.
    """
    items = GoldItem.objects.filter(retired_at__isnull=True).exclude(submission__status=Status.QUARANTINED)
    rows: list[tuple[Any, ...]] = []
    for item in items.select_related("submission").order_by("id"):
        named = {one["category"] for one in item.labels}
        if UNTRAINABLE & named:
            continue
        blocked = item.verdict == Verdict.BLOCK
        for code in named if blocked else sorted(set(categories) - UNTRAINABLE):
            one = item.submission
            rows.append((str(one.pk), code, float(blocked), str(one.cluster or one.pk), one.generator.get("name", "")))
    if not rows:
        raise NothingToMeasure(_("There are no gold items yet: seniors make them under Quality."))
    submission, category, label, cluster, generator = zip(*rows, strict=True)
    return Labelled(
        submission=text(np.array(submission, dtype=object)),
        category=text(np.array(category, dtype=object)),
        label=np.array(label),
        weight=np.ones(len(rows)),
        cluster=text(np.array(cluster, dtype=object)),
        generator=text(np.array(generator, dtype=object)),
        reference=np.full(len(rows), -1, dtype=np.int64),
    )


def text(column: NDArray[Any]) -> NDArray[np.object_]:
    """Texts, "" for what is missing."""
    return np.array([one if isinstance(one, str) else "" for one in column], dtype=object)
