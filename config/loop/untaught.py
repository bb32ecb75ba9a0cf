"""Where a category begins: a head that has learnt nothing and says one half of every image, so that people decide."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from classifiers import cards
from classifiers.calibration import Calibration
from classifiers.heads import Heads
from classifiers.weights import file_sha256

UNTAUGHT: Final = "untaught@1"


def write_untaught(folder: Path, category: str, *, backbone: str, size: int) -> Path:
    """Weights and card of `untaught@1` on this backbone, whose embeddings have `size` numbers; returns the card."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / "untaught-1.safetensors"
    Heads((category,), np.zeros((1, size), np.float32), np.zeros(1, np.float32), (Calibration(),)).save(weights)
    table = {"name": "untaught", "version": "1", "kind": "heads", "backbone": backbone, "weights": weights.name}
    table |= {"sha256": file_sha256(weights), "licence": "Apache-2.0", "trained_on": "nothing"}
    return cards.dump({**table, "limits": "says one half of everything"}, folder / "untaught-1.toml")
