"""Models of the transformers library, from a folder of safetensors: image classification, and text-image models whose
categories are given in words. Exported to ONNX once and served like any other network; the library itself is imported
for the export, and to embed texts.
"""

import hashlib
import json
import keyword
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifiers.backbones.export import export_onnx
from classifiers.backbones.exports import kept_export
from classifiers.backbones.hub import EXTRA
from classifiers.backbones.onnx import OnnxClassifier
from classifiers.backbones.processors import processor_input, read_object
from classifiers.base import CardError
from classifiers.cards import Card, with_outputs
from classifiers.fields import Table
from classifiers.shapes import ACTIVATIONS, OutputSpec, read_categories, read_outputs

if TYPE_CHECKING:
    import torch

TASKS = ("classification", "zero-shot")
OUTPUTS = ("category_logits", "image_embedding")
"""Of the export; names that no layer of a model bears."""


def open_card(card: Card, *, cache: Path | None = None) -> OnnxClassifier:
    """The classifier of a card of kind ``transformers``. ``cache`` is where its export is kept; default: beside its
    weights."""
    task = Table(card.table, "card").string("task", default=TASKS[0], among=TASKS)
    if card.input is None:
        card = replace(card, input=processor_input(card.weights))
    assert card.input is not None
    if card.input.layout != "NCHW":
        raise CardError('models of the transformers library take layout "NCHW": mend [input]')
    if card.embedding:
        card = replace(card, embedding=replace(card.embedding, output=OUTPUTS[1]))
    folder = cache or card.weights.parent
    if task == "zero-shot":
        from classifiers.backbones.concepts import open_concepts

        return open_concepts(card, folder)
    card = _classified(card, read_object(card.weights / "config.json"))
    return OnnxClassifier(card, weights=exported(card, folder, _classifier_of, given={}))


def exported(card: Card, folder: Path, network: "Any", *, given: Mapping[str, Any]) -> Path:
    """The export of ``network(card)``, which is also made of what is ``given``."""
    assert card.input is not None
    size, image = card.input.size, card.input.name or "image"
    mark = hashlib.sha256(json.dumps([size, image, dict(given)], sort_keys=True).encode()).hexdigest()[:12]

    def export(path: Path) -> None:
        export_onnx(network(card), path, size=size, input_name=image, output_names=OUTPUTS)

    return kept_export(f"{card.sha256[:32]}-{mark}.onnx", folder, export)


def load_model(card: Card, auto: str) -> "torch.nn.Module":
    """The folder's model by the library's class ``auto``, in eval mode; CardError where a weight is missing or of
    another shape, which the library itself would make up at random."""
    with quiet() as transformers:
        try:
            model, found = getattr(transformers, auto).from_pretrained(
                card.weights,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                attn_implementation="eager",
                dtype="float32",
                output_loading_info=True,
            )
        except Exception as error:  # the library raises as many kinds as a folder has ways to be wrong
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise CardError(f"{card.weights.name} does not load in transformers: {reason[0][:300]}") from error
    missing = [*map(str, found.get("missing_keys", ())), *map(str, found.get("mismatched_keys", ()))]
    if missing:
        raise CardError(f"{card.weights.name} lacks weights its own config.json asks for: {min(missing)}")
    network: torch.nn.Module = model.eval()
    return network


@contextmanager
def quiet() -> "Iterator[Any]":
    """The library, without its bars and chatter; CardError where it is not installed."""
    try:
        import classifiers.backbones.torchvision_ops  # noqa: F401, I001  must come before torchvision
        import transformers
    except ImportError as error:
        raise CardError(f"kind transformers: {EXTRA}") from error
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield transformers
    finally:
        logging.set_verbosity(level)


def _classified(card: Card, config: Mapping[str, Any]) -> Card:
    """With the classes of the model's own config, by which the card's expressions name them."""
    top = Table(card.table, "card")
    labels = config.get("id2label")
    if not isinstance(labels, Mapping) or not labels or not all(str(key).isdecimal() for key in labels):
        raise CardError("config.json has no id2label: it is no classification model")
    names = tuple(class_name(str(labels[key])) for key in sorted(labels, key=int))
    tables = top.tables("outputs")
    if any("category" in spec.names() for spec in tables):
        outputs, categories = read_outputs(top, card.calibrations)
        return with_outputs(card, (replace(outputs[0], name=OUTPUTS[0]),), categories)
    default = "sigmoid" if config.get("problem_type") == "multi_label_classification" else "softmax"
    activation = default
    if tables:
        activation = tables[0].string("activation", default=default, among=ACTIVATIONS)
        if "classes" in tables[0].names() and tables[0].strings("classes") != names:
            raise CardError(f"the card's classes are not those of config.json ({', '.join(names)}): mend the card")
    output = OutputSpec(OUTPUTS[0], names, activation)
    return with_outputs(card, (output,), read_categories(top, names, card.calibrations))


def class_name(label: str) -> str:
    """A label as expressions may name it: ``not safe`` is ``not_safe``."""
    name = re.sub(r"\W+", "_", label.strip()).strip("_") or "_"
    return f"_{name}" if name[0].isdigit() or keyword.iskeyword(name) else name


def _classifier_of(card: Card) -> "torch.nn.Module":
    import torch

    network = load_model(card, "AutoModelForImageClassification")
    width = len(card.outputs[0].classes)
    layers = [layer for layer in network.modules() if isinstance(layer, torch.nn.Linear)]
    fitting = [layer for layer in layers if card.outputs[0].open or layer.out_features == width]
    if not fitting:
        raise CardError(f"{card.weights.name} has no layer of {width} classes")
    last = fitting[-1]

    class Tapped(torch.nn.Module):
        """Logits, and what the last layer reads: the embedding."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            seen: list[torch.Tensor] = []
            hook = last.register_forward_pre_hook(lambda _layer, given: seen.append(given[0]))
            try:
                logits = self.network(pixel_values=image).logits
            finally:
                hook.remove()
            return logits, seen[-1].flatten(1)

    return Tapped().eval()
