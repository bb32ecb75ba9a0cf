"""A taught network as it will serve: its embedding, its last layer, its files. torch is imported inside."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classifiers.base import FloatArray
from classifiers.finetuning.album import Album
from classifiers.finetuning.recipes import BackboneRecipe
from classifiers.shapes import InputSpec

if TYPE_CHECKING:
    import torch

OUTPUT, EMBEDDING = "logits", "embedding"


class Serving:
    """The weights ``state`` of the recipe's architecture, for these categories."""

    def __init__(self, state: "Mapping[str, torch.Tensor]", recipe: BackboneRecipe, categories: Sequence[str]) -> None:
        self.state, self.recipe, self.categories = dict(state), recipe, tuple(categories)

    def last_layer(self) -> tuple[FloatArray, FloatArray]:
        """[K, D] and [K]: of a classification network, the last two tensors."""
        weight, bias = list(self.state.values())[-2:]
        return weight.numpy(), bias.numpy()

    def embeddings(self, album: Album, rows: NDArray[np.int64], spec: InputSpec) -> FloatArray:
        """[N, D]: what the last layer reads of these images."""
        import torch

        network, size = self.network(), self.last_layer()[0].shape[1]
        found = [np.empty((0, size), np.float32)]
        with torch.inference_mode():
            for start in range(0, len(rows), self.recipe.batch):
                pixels = torch.from_numpy(album.pixels(rows[start : start + self.recipe.batch], spec))
                found.append(network(pixels)[1].numpy())
        return np.concatenate(found)

    def network(self) -> "torch.nn.Module":
        """Logits and embedding, as the kind torchvision builds it from a card."""
        from classifiers.backbones.torchvision import tapped
        from classifiers.finetuning.network import newborn

        network = newborn(self.recipe, len(self.categories), None)
        network.load_state_dict(self.state)
        return tapped(network, logits=True, embedding=True)

    def write(self, weights: Path, exported: Path) -> None:
        """Safetensors, and ONNX with the outputs logits and embedding."""
        from safetensors.torch import save_file

        from classifiers.backbones.export import export_onnx

        part = weights.with_suffix(".part")
        save_file({name: value.contiguous() for name, value in self.state.items()}, part)
        part.replace(weights)
        export_onnx(self.network(), exported, size=self.recipe.size, output_names=[OUTPUT, EMBEDDING])
