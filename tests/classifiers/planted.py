"""Labels with something planted in them: a curve that no line follows, or a group that is judged more harshly."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from classifiers import manifests
from classifiers.heads import sigmoid
from classifiers.manifests import Manifest, Row

SPLITS = ("train", "train", "train", "train", "train", "train", "train", "validation", "validation", "test")


def written(folder: Path, vectors: np.ndarray, label: np.ndarray, *, generators: list[str] | None = None) -> Manifest:
    rows = [
        Row(
            submission_id=str(i),
            category="HATE",
            label=int(label[i]),
            split=SPLITS[i % 10],
            embedding_ref=i,
            **({"generator": generators[i]} if generators else {}),
        )
        for i in range(len(vectors))
    ]
    return manifests.write(rows, folder, embeddings=vectors)


def ring(folder: Path, n: int = 3000, *, size: int = 8, seed: int = 0) -> Manifest:
    """What violates lies outside a ring: no line parts it."""
    vectors = np.random.default_rng(seed).normal(size=(n, size)).astype(np.float16)
    near = np.linalg.norm(vectors[:, :2].astype(np.float32), axis=1)
    return written(folder, vectors, near > 1.2)


def unfair(folder: Path, n: int = 6000, *, size: int = 16, seed: int = 0) -> Manifest:
    """Two generators whose style shows in the embedding; of the same content, reviewers called more of `neon` bad."""
    rng = np.random.default_rng(seed)
    neon = rng.random(n) < 0.5
    vectors = rng.normal(size=(n, size))
    vectors[:, 1] = np.where(neon, 1.0, -1.0) + rng.normal(0, 0.3, n)
    chance = sigmoid(2.5 * vectors[:, 0] + np.where(neon, 0.8, -0.8))
    label = rng.random(n) < chance
    return written(folder, vectors.astype(np.float16), label, generators=["neon" if one else "chalk" for one in neon])


def linear(folder: Path, n: int = 5000, *, size: int = 32, seed: int = 0) -> Manifest:
    """Labels that follow a direction, with a little noise."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=size)
    vectors = rng.normal(size=(n, size))
    logits = 2.0 * vectors @ direction / np.linalg.norm(direction) * 2.0 - 0.5
    return written(folder, vectors.astype(np.float16), rng.random(n) < sigmoid(logits))
