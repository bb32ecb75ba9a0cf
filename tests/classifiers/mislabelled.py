"""Manifests some of whose labels are wrong, and which those are."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image

from classifiers import manifests, splits
from classifiers.base import ImageInput
from classifiers.manifests import Manifest, Row
from classifiers.registry import load_card

Label = tuple[str, str]  # picture and category


def flipped(truth: dict[Label, int], *, share: float, seed: int) -> set[Label]:
    rng = np.random.default_rng(seed)
    return {label for label in truth if rng.random() < share}


def written(
    folder: Path,
    names: Sequence[str],
    vectors: np.ndarray,
    truth: dict[Label, int],
    wrong: set[Label],
    **columns: Sequence[Any],
) -> Manifest:
    """A row a picture and category; `columns` by picture replace what each picture would have of its own."""
    place = {name: at for at, name in enumerate(names)}
    rows = []
    for (name, category), value in truth.items():
        at = place[name]
        row = Row(
            submission_id=name,
            category=category,
            label=value if (name, category) not in wrong else 1 - value,
            weight=1.0,
            cluster_id=name,
            split=splits.split_of(name),
            embedding_ref=at,
            reviewers=[f"reviewer {at % 3}"],
        )
        rows.append(cast(Row, {**row, **{column: values[at] for column, values in columns.items()}}))
    return manifests.write(rows, folder, embeddings=vectors.astype(np.float16))


def clouds(
    n: int, *, size: int = 24, classes: int = 4, seed: int = 0
) -> tuple[list[str], np.ndarray, dict[Label, int]]:
    """Pictures in as many clouds; category 0 holds the first, category 1 the second."""
    rng = np.random.default_rng(seed)
    which = rng.integers(0, classes, size=n)
    vectors = rng.normal(size=(classes, size))[which] * 1.5 + rng.normal(size=(n, size))
    names = [f"picture {at:05d}" for at in range(n)]
    truth = {
        (name, code): int(which[at] == k) for at, name in enumerate(names) for k, code in enumerate(("HATE", "PRIVACY"))
    }
    return names, vectors.astype(np.float32), truth


def photographs(shared: Path, classes: dict[str, str], *, each: int) -> tuple[list[str], np.ndarray, dict[Label, int]]:
    """`each` real photographs of every kind of object, seen by the real backbone; `classes`: category by kind."""
    eyes = load_card(shared / "models" / "nsfw_mobilenet_v2.toml")
    with zipfile.ZipFile(shared / "data" / "loop" / "objects.zip") as archive:
        kinds: dict[str, list[str]] = {}
        for name in sorted(archive.namelist()):
            kinds.setdefault(name.split("/")[0], []).append(name)
        names = [name for found in kinds.values() for name in found[:each]]
        images = [ImageInput(Image.open(io.BytesIO(archive.read(name))).convert("RGB")) for name in names]
    seen = [eyes.run(images[at : at + 64]).embeddings for at in range(0, len(images), 64)]
    vectors = np.concatenate([one for one in seen if one is not None])
    truth = {(name, code): int(name.startswith(f"{kind}/")) for name in names for kind, code in classes.items()}
    return names, vectors, truth


def caught(suspects: Sequence[Any], wrong: set[Label], *, share: float = 0.1) -> float:
    """How many of the wrong labels lie in that share of the ranking."""
    top = suspects[: int(share * len(suspects))]
    return sum((one.submission, one.category) in wrong for one in top) / len(wrong)
