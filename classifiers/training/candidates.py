"""Heads that nobody has adopted yet, and the files they are written to."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from classifiers import cards
from classifiers.heads import Heads
from classifiers.training.exports import write_onnx
from classifiers.training.recipes import Recipe
from classifiers.weights import file_sha256

if TYPE_CHECKING:
    from classifiers.training.private import Privacy

OWN_LABELS: Final = "labels of this installation; see manifest_fingerprint"
"""What a card says its heads were trained on, unless something else is told."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """Heads that nobody has adopted yet. ``metrics`` maps category -> figures of ``evaluation`` plus what was kept and
    why. ``privacy`` says what a private training may claim."""

    heads: Heads
    backbone: str
    metrics: Mapping[str, Any]
    manifest_fingerprint: str
    recipe: Recipe
    privacy: "Privacy | None" = None

    def write(
        self, folder: Path, *, name: str, version: str, licence: str, trained_on: str = "", limits: str = ""
    ) -> Path:
        """Write weights, their ONNX twin and card into ``folder`` and return the path of the card. No label, prompt or
        person is in any of them."""
        folder.mkdir(parents=True, exist_ok=True)
        weights, exported = folder / f"{name}-{version}.safetensors", folder / f"{name}-{version}.onnx"
        part = weights.with_suffix(".part")
        self.heads.save(part)
        part.replace(weights)
        write_onnx(self.heads, exported)
        table = {
            "name": name,
            "version": version,
            "kind": "heads",
            "backbone": self.backbone,
            "weights": weights.name,
            "sha256": file_sha256(weights),
            "licence": licence,
            "trained_on": trained_on or OWN_LABELS,
            "limits": limits or None,
            "manifest_fingerprint": self.manifest_fingerprint,
            "recipe_digest": self.recipe.digest,
            "onnx": {"file": exported.name, "sha256": file_sha256(exported)},
            "privacy": self.privacy.describe() if self.privacy else None,
            "recipe": self.recipe.describe(),
            "calibration": cards.describe_calibrations(self.heads.categories, self.heads.calibrations),
            "metrics": self.metrics,
        }
        return cards.dump(table, folder / f"{name}-{version}.toml")
