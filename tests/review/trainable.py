"""Data sets to train on: their rows, and their files where the desk looks for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from classifiers import manifests
from classifiers.manifests import Row
from classifiers.models import ClassifierVersion
from review.models import Dataset

CATEGORIES = ("WEAPONS_DANGEROUS", "REGULATED")


def dataset(
    backbone: ClassifierVersion, *, name: str = "one", n: int = 400, seed: int = 0, prompts: Sequence[str] = ()
) -> Dataset:
    """Labels that follow the embeddings of `backbone`; two generators in turn."""
    size = backbone.embedding_size or 3
    vectors = np.random.default_rng(seed).random((n, size)).astype(np.float16)
    rows: list[Row] = [
        Row(
            submission_id=str(i),
            category=category,
            label=int(vectors[i, k] > 0.6),
            split=("train", "train", "train", "validation", "test")[i % 5],
            embedding_ref=i,
            generator=("neon", "chalk")[i % 2],
            prompt=prompts[i % len(prompts)] if prompts else "",
        )
        for i in range(n)
        for k, category in enumerate(CATEGORIES)
    ]
    folder = Path(settings.DATASETS_DIR) / name
    written = manifests.write(rows, folder, embeddings=vectors, query={"backbone": backbone.ref})
    made: dict[str, Any] = {"fingerprint": written.fingerprint, "rows": len(rows), "query": {}, "folder": name}
    return Dataset.objects.create(**made)
