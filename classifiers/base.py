"""What every eye has in common: pictures in, calibrated probabilities (and an embedding) out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FloatArray: TypeAlias = NDArray[np.float32]
Score: TypeAlias = Mapping[str, float]
"""Category code -> calibrated probability in [0, 1]."""


class CardError(ValueError):
    """A classifier card, or the weights it names, cannot be used. The message says what to mend."""


@dataclass(frozen=True, slots=True)
class ImageInput:
    """A decoded picture (RGB) and the prompt it was made from."""

    image: Image.Image
    prompt: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """One pass over N pictures: ``probabilities`` [N, K] in the order of ``categories``, ``embeddings`` [N, D] or
    None."""

    probabilities: FloatArray
    embeddings: FloatArray | None


@runtime_checkable
class Classifier(Protocol):
    """An eye in service. ``categories`` may be empty: a bare backbone yields embeddings only."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def categories(self) -> tuple[str, ...]: ...

    @property
    def embedding_size(self) -> int | None: ...

    def run(self, images: Sequence[ImageInput]) -> Outputs:
        """Both results of one forward pass; ``images`` may be empty."""
        ...

    def score(self, images: Sequence[ImageInput]) -> Sequence[Score]:
        """One mapping a picture, category code -> calibrated probability."""
        ...


def reference(name: str, version: str) -> str:
    """The name by which plans and cards pin a version: ``name@version``."""
    return f"{name}@{version}"


def scores(outputs: Outputs, categories: Sequence[str]) -> list[Score]:
    """The rows of ``outputs.probabilities`` as mappings."""
    return [dict(zip(categories, map(float, row), strict=True)) for row in outputs.probabilities]
