"""A taught network that nobody has adopted yet, and the files it is written to."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifiers import cards
from classifiers.calibration import Calibration
from classifiers.finetuning.recipes import IMAGENET, BackboneRecipe
from classifiers.finetuning.serving import EMBEDDING, OUTPUT, Serving
from classifiers.weights import file_sha256


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """``metrics`` and ``calibrations`` as those of heads; ``size`` is that of its embedding."""

    serving: Serving
    categories: tuple[str, ...]
    calibrations: tuple[Calibration, ...]
    metrics: Mapping[str, Any]
    manifest_fingerprint: str
    recipe: BackboneRecipe
    size: int

    def write(self, folder: Path, *, name: str, version: str, licence: str) -> Path:
        """Write weights, ONNX and card into ``folder`` and return the path of the card, of kind torchvision."""
        folder.mkdir(parents=True, exist_ok=True)
        weights, exported = folder / f"{name}-{version}.safetensors", folder / f"{name}-{version}.onnx"
        self.serving.write(weights, exported)
        mean, std = IMAGENET
        table = {
            "name": name,
            "version": version,
            "kind": "torchvision",
            "architecture": self.recipe.architecture,
            "weights": weights.name,
            "sha256": file_sha256(weights),
            "licence": licence,
            "trained_on": "images and labels of this installation; see manifest_fingerprint",
            "manifest_fingerprint": self.manifest_fingerprint,
            "recipe_digest": self.recipe.digest,
            "onnx": {"file": exported.name, "sha256": file_sha256(exported)},
            "recipe": self.recipe.describe(),
            "input": {"name": "image", "size": self.recipe.size, "mean": list(mean), "std": list(std)},
            "embedding": {"output": EMBEDDING, "size": self.size},
            "outputs": [{"name": OUTPUT, "classes": list(self.categories), "activation": "sigmoid"}],
            "categories": [{"code": code, "expression": code} for code in self.categories],
            "calibration": cards.describe_calibrations(self.categories, self.calibrations),
            "metrics": self.metrics,
        }
        return cards.dump(table, folder / f"{name}-{version}.toml")
