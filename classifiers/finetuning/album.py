"""The images of a manifest, read when they are needed, and what is known of each."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifiers.backbones.pixels import tensor
from classifiers.base import FloatArray, ImageInput
from classifiers.finetuning.recipes import BackboneRecipe
from classifiers.fitting import Labels, folds, gather
from classifiers.manifests import Manifest
from classifiers.shapes import InputSpec
from classifiers.training.faults import TrainingError

Read = Callable[[str], bytes]
"""The bytes of an image by its name in the manifest; OSError where there is none."""


def in_folder(root: Path) -> Read:
    """Images under ``root``. A name that leads out of it is not read."""
    root = root.resolve()

    def read(name: str) -> bytes:
        path = (root / name).resolve()
        if not path.is_relative_to(root):
            raise OSError(f"{name} leads out of {root}")
        return path.read_bytes()

    return read


@dataclass(frozen=True, slots=True, eq=False)
class Album:
    """P distinct images by name, labels by category and set, and of the categories with enough labels to train
    ``target`` and ``mass`` [P, K]: a label nobody gave, or not for training, has mass 0."""

    names: Sequence[str]
    labels: Mapping[str, Mapping[str, Labels]]
    categories: tuple[str, ...]
    target: FloatArray
    mass: FloatArray
    read: Read

    @property
    def taught(self) -> NDArray[np.int64]:
        """The images that are learnt from."""
        return np.flatnonzero(self.mass.sum(axis=1) > 0)

    def used(self) -> NDArray[np.int64]:
        """The images on which the network is calibrated and measured."""
        rows = [
            one[name].rows
            for category, one in self.labels.items()
            if category in self.categories
            for name in ("calibration", "threshold", "test")
        ]
        return np.unique(np.concatenate(rows)) if rows else np.empty(0, np.int64)

    def pixels(self, rows: NDArray[np.int64], spec: InputSpec) -> FloatArray:
        """float32 [N, 3, S, S], fed as the network will be when it serves. TrainingError for what is no image."""
        images = []
        for row in rows:
            name = self.names[int(row)]
            try:
                images.append(ImageInput(Image.open(io.BytesIO(self.read(name))).convert("RGB")))
            except (OSError, ValueError, Image.DecompressionBombError) as error:
                raise TrainingError(f"image {name} cannot be read: {error}") from error
        return tensor(images, spec)


def gathered(manifest: Manifest, recipe: BackboneRecipe, read: Read) -> Album:
    """The album of a manifest. TrainingError where it names no images, or no category has enough labels."""
    column = manifest.column("image")
    names, row_of = np.unique(np.array([name or "" for name in column], dtype=object), return_inverse=True)
    row_of = row_of.astype(np.int64)
    if names[0] == "":
        row_of -= 1  # images without a name come first, and are none
        names = names[1:]
    if not len(names):
        raise TrainingError("the manifest names no images: export it with their paths")
    fold = folds(manifest, row_of, count=1)
    labels = gather(manifest, row_of, fold, max_share=recipe.max_share)
    taught = {name: one["train"] for name, one in labels.items() if one["train"].fewest >= recipe.fewest}
    if not taught:
        raise TrainingError(f"no category has {recipe.fewest} labels of each class for training: review more images")
    target = np.zeros((len(names), len(taught)), dtype=np.float32)
    mass = np.zeros_like(target)
    for k, one in enumerate(taught.values()):
        target[one.rows, k], mass[one.rows, k] = one.label, one.weight
    return Album([str(name) for name in names], labels, tuple(taught), target, mass, read)
