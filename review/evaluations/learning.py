"""What a version learnt from: so that nothing it was taught is held against another, and new generators are told."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from review.datasets import FilesGone, folder_of
from review.evaluations.labelled import Labelled, NothingToMeasure, of_manifest
from review.models import Dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifiers.manifests import Manifest
    from classifiers.models import ClassifierVersion

TAUGHT = ("train", "validation")


@dataclass(frozen=True, slots=True)
class Learnt:
    """Pictures and clusters of the splits that taught and calibrated it, the generators of the first, and the manifest
    itself.
    """

    images: Collection[str]
    clusters: Collection[str]
    generators: Collection[str]
    manifest: Manifest

    def holds(self, rows: Labelled) -> NDArray[np.bool_]:
        """Which rows [N] it knows: the picture, or a near-duplicate of it."""
        return np.array(
            [
                image in self.images or cluster in self.clusters
                for image, cluster in zip(rows.submission, rows.cluster, strict=True)
            ],
            dtype=bool,
        )


def learnt(version: ClassifierVersion, *, at_hand: Manifest | None = None) -> Learnt | None:
    """None where nobody can say: it was not taught here, or the files of its data set are not on this machine."""
    manifest = manifest_of(version, at_hand)
    if manifest is None:
        return None
    images: set[str] = set()
    clusters: set[str] = set()
    generators: set[str] = set()
    for split in TAUGHT:
        try:
            rows = of_manifest(manifest, split)
        except NothingToMeasure:
            continue
        images.update(rows.submission)
        clusters.update(rows.cluster)
        if split == TAUGHT[0]:
            generators.update(one for one in rows.generator if one)
    return Learnt(images, clusters, generators, manifest)


def manifest_of(version: ClassifierVersion, at_hand: Manifest | None) -> Manifest | None:
    from classifiers import manifests

    fingerprint = version.manifest_fingerprint
    if not fingerprint:
        return None
    if at_hand is not None and at_hand.fingerprint == fingerprint:
        return at_hand
    dataset = Dataset.objects.filter(fingerprint=fingerprint).first()
    if dataset is None:
        return None
    try:
        return manifests.read(folder_of(dataset))
    except (FilesGone, manifests.ManifestError):
        return None
