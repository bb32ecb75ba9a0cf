"""The demo's classifier: made on the spot on a machine without any weights, from scenes that Loupe draws.

A backbone learns to tell drawn things apart; heads learn from labelled scenes which of them a policy minds. The heads
are fitted, calibrated and written by the same ``train_heads`` that later learns from people. The first labels are few
and plain on purpose: an honest beginner, unsure about much of what comes, so that people have something to teach.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from classifiers import cards, manifests
from classifiers.base import FloatArray, ImageInput
from classifiers.demo_eyes.patches import SIDE, Album, album
from classifiers.hashes import pdq
from classifiers.scenes import CATEGORIES
from classifiers.splits import clusters, split_of
from classifiers.training import Recipe, train_heads
from classifiers.weights import file_sha256

BACKBONE, HEADS, VERSION = "demo-eyes", "demo-heads", "1"
LICENCE = "Apache-2.0"
_LIMITS = "Knows drawn scenes only. It is for trying Loupe out, never for real pictures."


def _silent(_done: float) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Schooling:
    """How much the demo classifier is taught. The defaults fit into a minute on two cores."""

    patch_scenes: int = 3600
    patch_steps: int = 560
    whole_scenes: int = 2400
    whole_steps: int = 200
    lessons: int = 360
    """Labelled scenes for the first heads."""
    hardness: tuple[float, float] = (0.0, 0.4)
    workers: int = 2


def build(
    out_dir: Path,
    *,
    seed: int = 7,
    progress: Callable[[float], None] = _silent,
    schooling: Schooling | None = None,
) -> tuple[Path, Path]:
    """Train, calibrate and export; returns the cards of the backbone and of the first heads. Registers nothing.

    ``progress`` is told the share done, 0 to 1.
    """
    from classifiers.demo_eyes.schooling import teach

    schooling = schooling or Schooling()
    out_dir.mkdir(parents=True, exist_ok=True)
    weights = out_dir / f"{BACKBONE}-{VERSION}.onnx"
    size = teach(weights, seed=seed, schooling=schooling, progress=lambda done: progress(0.9 * done))
    backbone_card = cards.dump(_backbone_table(weights, size), out_dir / f"{BACKBONE}-{VERSION}.toml")
    lessons = album(schooling.lessons, seed=seed + 50_000_000, hardness=schooling.hardness)
    vectors = look(backbone_card, lessons)
    progress(0.97)
    with TemporaryDirectory(prefix="loupe-lessons-") as folder:
        manifest = manifests.write(lesson_rows(lessons), Path(folder), embeddings=vectors, query={"scenes": "drawn"})
        candidate = train_heads(manifest, backbone=f"{BACKBONE}@{VERSION}", recipe=Recipe())
    heads_card = candidate.write(
        out_dir,
        name=HEADS,
        version=VERSION,
        licence=LICENCE,
        trained_on=f"{schooling.lessons} drawn scenes, labelled hastily: every second look-alike as the real thing",
        limits=_LIMITS,
    )
    progress(1.0)
    return backbone_card, heads_card


def look(backbone_card: Path, pictures: Album) -> FloatArray:
    """Embeddings [N, D] of an album by the exported backbone, as it will serve."""
    from PIL import Image

    from classifiers.backbones.onnx import OnnxClassifier

    eyes = OnnxClassifier(cards.read(backbone_card))
    images = [ImageInput(Image.fromarray(pixels)) for pixels in pictures.pixels]
    found = [eyes.run(images[start : start + 32]).embeddings for start in range(0, len(images), 32)]
    return np.concatenate([part for part in found if part is not None])


def lesson_rows(lessons: Album) -> list[manifests.Row]:
    """One row a scene and category, split by near-duplicate cluster."""
    from PIL import Image

    names = [f"scene-{i:05d}" for i in range(len(lessons.labels))]
    hashes = [pdq(Image.fromarray(pixels))[0] for pixels in lessons.pixels]
    found = clusters(names, list(hashes))
    return [
        manifests.Row(
            submission_id=name,
            image=name,
            pdq=hash_.hex(),
            width=SIDE,
            height=SIDE,
            prompt=prompt,
            generator="loupe scenes",
            category=category,
            label=int(category in labels),
            source="gold",
            weight=1.0,
            cluster_id=cluster,
            split=split_of(cluster),
            embedding_ref=i,
            licence=LICENCE,
        )
        for i, (name, hash_, prompt, labels, cluster) in enumerate(
            zip(names, hashes, lessons.prompts, lessons.hasty, found, strict=True)
        )
        for category in CATEGORIES
    ]


def _backbone_table(weights: Path, size: int) -> dict[str, Any]:
    return {
        "name": BACKBONE,
        "version": VERSION,
        "kind": "onnx",
        "weights": weights.name,
        "sha256": file_sha256(weights),
        "licence": LICENCE,
        "trained_on": "patches of scenes drawn by Loupe",
        "limits": _LIMITS,
        "input": {
            "name": "image",
            "layout": "NCHW",
            "size": SIDE,
            "resize": "stretch",
            "interpolation": "bilinear",
            "scale": 1 / 255,
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
        },
        "embedding": {"output": "embedding", "size": size},
    }
