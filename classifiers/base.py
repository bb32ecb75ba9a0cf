"""What every eye has in common: pictures in, calibrated probabilities (and an embedding) out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FloatArray: TypeAlias = NDArray[np.float32]
Score: TypeAlias = Mapping[str, float]
"""Category code -> calibrated probability in [0, 1]."""
Shown: TypeAlias = Mapping[str, Any]
"""What a signal saw on one image, JSON; empty when there is nothing to show. Three keys are routing's: ``demands``
``[{action, code, category, detail}]``, ``tighten`` ``{category: by}`` and ``queue``; the rest is for people to read."""


class CardError(ValueError):
    """A classifier card, or the weights it names, cannot be used. The message says what to mend."""


def nothing() -> bytes:
    return b""


@dataclass(frozen=True, slots=True)
class ImageInput:
    """A decoded picture (RGB), and what else is known of it: the words it was made from, its fingerprints, what its
    sender declared. ``turned`` are its PDQ hashes in the eight ways to lay it down, itself first; ``original`` reads
    the bytes as they were sent and may raise OSError."""

    image: Image.Image
    prompt: str = ""
    negative_prompt: str = ""
    sha256: str = ""
    md5: str = ""
    pdq: bytes | None = None
    pdq_quality: int | None = None
    turned: tuple[bytes, ...] = ()
    generator: Mapping[str, Any] = field(default_factory=dict)
    original: Callable[[], bytes] = nothing


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """One pass over N pictures: ``probabilities`` [N, K] in the order of ``categories``, ``embeddings`` [N, D] or
    None. ``shown`` has one entry a picture, or is None; ``errors`` says, by row, of which pictures nothing could be
    said."""

    probabilities: FloatArray
    embeddings: FloatArray | None = None
    shown: Sequence[Shown] | None = None
    errors: Mapping[int, str] = field(default_factory=dict)


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


@runtime_checkable
class TextImageBackbone(Protocol):
    """A backbone that embeds words and pictures in one space, so that a phrase can be compared with a picture."""

    def embed_texts(self, texts: Sequence[str]) -> FloatArray:
        """[N, D], in the space of the embeddings of pictures; lengths say nothing."""
        ...


def reference(name: str, version: str) -> str:
    """The name by which plans and cards pin a version: ``name@version``."""
    return f"{name}@{version}"


def scores(outputs: Outputs, categories: Sequence[str]) -> list[Score]:
    """The rows of ``outputs.probabilities`` as mappings."""
    return [dict(zip(categories, map(float, row), strict=True)) for row in outputs.probabilities]
