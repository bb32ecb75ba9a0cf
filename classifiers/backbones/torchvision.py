"""Any architecture that torchvision registers, with local weights or those that torchvision publishes.

Served by onnxruntime from an export made once; with a CUDA device by torch itself in bfloat16.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifiers.backbones.export import export_onnx
from classifiers.backbones.exports import kept_export
from classifiers.backbones.network import Wiring, check_grey, nothing, read
from classifiers.backbones.onnx import OnnxClassifier
from classifiers.backbones.pixels import tensor
from classifiers.backbones.published import architecture, preset
from classifiers.backbones.states import read_state
from classifiers.base import CardError, ImageInput, Outputs, Score, scores
from classifiers.cards import Card
from classifiers.sources import TORCHVISION

if TYPE_CHECKING:
    import torch


def open_card(card: Card, *, cache: Path | None = None) -> "OnnxClassifier | TorchClassifier":
    """The classifier of a card of kind ``torchvision``. ``cache`` is where its export is kept; default: beside its
    weights."""
    if len(card.outputs) > 1:
        raise CardError("a torchvision network has one output: give one [[outputs]]")
    card = _complete(card)
    assert card.input is not None
    if card.input.layout != "NCHW":
        raise CardError('torchvision networks take layout "NCHW": mend [input]')
    if _has_cuda():
        return TorchClassifier(card)
    outputs = [output.name or "output" for output in card.outputs] + ([card.embedding.output] if card.embedding else [])
    size, image = card.input.size, card.input.name or "image"
    name = f"{card.sha256[:32]}-{card.architecture}-{size}-{'-'.join([image, *outputs])}.onnx"

    def export(path: Path) -> None:
        export_onnx(build(card), path, size=size, input_name=image, output_names=outputs)

    return OnnxClassifier(card, weights=kept_export(name, cache or card.weights.parent, export))


def _complete(card: Card) -> Card:
    """With what the published weights say themselves, where the card does not."""
    stated = str(card.table["weights"])
    if stated.startswith(TORCHVISION):
        weights = stated.removeprefix(TORCHVISION)
        if not card.architecture:
            card = replace(card, architecture=architecture(weights))
        if card.input is None:
            card = replace(card, input=preset(weights))
    if not card.architecture:
        raise CardError("architecture is missing: name it as torchvision does, resnet18 for example")
    if card.input is None:
        raise CardError("[input] is missing: give at least size")
    return card


def build(card: Card) -> "torch.nn.Module":
    """The network with the card's weights, in eval mode; forward gives a tuple in the order outputs, embedding."""
    import classifiers.backbones.torchvision_ops  # noqa: F401, I001  must come before torchvision
    from torchvision.models import get_model

    state = read_state(card.weights)
    options: dict[str, Any] = {}
    if card.outputs and not card.outputs[0].open:
        options["num_classes"] = len(card.outputs[0].classes)
    elif state:
        # The last tensor of a classification network is the bias of its last layer: one number a class.
        options["num_classes"] = len(list(state.values())[-1])
    try:
        network = get_model(card.architecture, weights=None, **options)
    except ValueError as error:
        raise CardError(f"architecture: torchvision has no {card.architecture!r}: {error}") from error
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise CardError(
            f"{card.weights.name} does not fit {card.architecture}: {str(error).splitlines()[1].strip()}"
        ) from error
    return tapped(network, logits=bool(card.outputs), embedding=bool(card.embedding))


def tapped(network: "torch.nn.Module", *, logits: bool, embedding: bool) -> "torch.nn.Module":
    """The network in eval mode; forward gives a tuple of what is wanted, each [N, …]."""
    from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

    network.eval()
    # The last node is the answer, the one before it what the last layer reads: the embedding.
    nodes = get_graph_node_names(network)[1]
    wanted = [nodes[-1]] * logits + [nodes[-2]] * embedding
    return _tupled(create_feature_extractor(network, return_nodes=list(dict.fromkeys(wanted))), wanted)


def _tupled(network: "torch.nn.Module", nodes: Sequence[str]) -> "torch.nn.Module":
    import torch

    class Tupled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
            found = self.network(image)
            return tuple(found[node].flatten(1) for node in nodes)

    return Tupled().eval()


def _has_cuda() -> bool:
    # Importing torch takes a second and 200 MB, so a machine without the device file never pays for asking it.
    if not Path("/dev/nvidiactl").exists():
        return False
    import torch

    return torch.cuda.is_available()


class TorchClassifier:
    """An eye served by torch on a CUDA device, in bfloat16. The network is built on first use, in the process that uses
    it."""

    def __init__(self, card: Card, *, device: str = "cuda") -> None:
        self.card, self._device = card, device
        self.name, self.version = card.name, card.version
        self.categories = tuple(category.code for category in card.categories)
        self.embedding_size = card.embedding.size if card.embedding else None
        self._network: torch.nn.Module | None = None

    def run(self, images: Sequence[ImageInput]) -> Outputs:
        import torch

        if not images:
            return nothing(self.card)
        assert self.card.input is not None
        if self._network is None:
            self._network = build(self.card).to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        batch = torch.from_numpy(tensor(images, self.card.input)).to(self._device)
        with torch.inference_mode(), torch.autocast(self._device, dtype=torch.bfloat16):
            results = [value.float().cpu().numpy() for value in self._network(batch)]
        names = [output.name or "output" for output in self.card.outputs]
        embedding = self.card.embedding.output if self.card.embedding else None
        wiring = Wiring("image", tuple(names), embedding)
        arrays = dict(zip(wiring.wanted, results, strict=True))
        return read(self.card, wiring, arrays, count=len(images))

    def score(self, images: Sequence[ImageInput]) -> list[Score]:
        return scores(self.run(images), self.categories)

    def check(self) -> None:
        """CardError unless the network can be built from the card and answers for a grey picture."""
        check_grey(self)
