"""The recipe of a network."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from classifiers.training.faults import TrainingError
from classifiers.training.recipes import check_value

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@dataclass(frozen=True, slots=True)
class BackboneRecipe:
    """Everything that decides the outcome besides labels and images.

    ``architecture`` as torchvision names it. ``start`` is the digest of the weights it starts from, empty: drawn from
    ``seed``. Images are squares of ``size``. AdamW with ``learning_rate`` and ``decay``, falling along half a cosine
    over ``epochs``; batches of ``batch`` images over all devices together, each mirrored by lot. It stops when log loss
    on the validation half that thresholds are picked on has not fallen for ``patience`` epochs; the best epoch stays.
    ``fewest`` labels of each class a category needs for training.
    """

    architecture: str = "mobilenet_v3_small"
    start: str = ""
    size: int = 224
    epochs: int = 10
    batch: int = 64
    learning_rate: float = 3e-4
    decay: float = 0.02
    patience: int = 3
    fewest: int = 4
    fewest_validation: int = 3
    max_share: float = 0.015
    prior_weight: float = 100.0
    focal: float = 0.0
    seed: int = 0

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> "BackboneRecipe":
        """A recipe from a TOML or JSON table; TrainingError for what it does not know."""
        known = {field.name: field.type for field in fields(cls)}
        for key, value in table.items():
            if key not in known:
                raise TrainingError(f"recipe: {key} is unknown; there are {', '.join(known)}")
            check_value(key, value, known[key])
        recipe = cls(**table)
        for name in ("size", "epochs", "batch", "learning_rate"):
            if getattr(recipe, name) <= 0:
                raise TrainingError(f"recipe: {name} must be above 0")
        return recipe

    @property
    def digest(self) -> str:
        """Hex name of the recipe."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def describe(self) -> dict[str, Any]:
        return asdict(self)
