"""Text-image models (CLIP, SigLIP): one space for pictures and words, in which a category is a few phrases."""

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from classifiers.backbones.onnx import OnnxClassifier
from classifiers.backbones.processors import read_object
from classifiers.backbones.transformers import OUTPUTS, exported, load_model, quiet
from classifiers.base import CardError, FloatArray
from classifiers.cards import Card, with_outputs
from classifiers.expressions import Expression
from classifiers.fields import Table
from classifiers.heads import Calibration
from classifiers.shapes import CategorySpec, OutputSpec

if TYPE_CHECKING:
    import torch

_TEXTS = 64


def open_concepts(card: Card, folder: Path) -> "ConceptClassifier":
    """With ``[[categories]] code, prompts``, and ``neutral``: the phrases of what is none of them."""
    top = Table(card.table, "card")
    specs = top.tables("categories")
    prompts = {spec.string("code"): spec.strings("prompts") for spec in specs}
    if len(prompts) < len(specs):
        raise CardError("a category is given twice: join its prompts")
    if stray := sorted(set(card.calibrations) - set(prompts)):
        raise CardError(f"[calibration] names {', '.join(stray)}, which the card does not score")
    paired = str(read_object(card.weights / "config.json").get("model_type", "")).startswith("siglip")
    neutral: tuple[str, ...] = ()
    if prompts and not paired:
        # A softmax over phrases needs something for a picture to be instead.
        neutral = top.strings("neutral")
    columns = tuple(f"c{i}" for i in range(len(prompts)))
    outputs = (OutputSpec(OUTPUTS[0], columns, "sigmoid"),) if prompts else ()
    categories = tuple(
        CategorySpec(code, Expression(column), card.calibrations.get(code, Calibration()))
        for column, code in zip(columns, prompts, strict=True)
    )
    card = with_outputs(card, outputs, categories)

    def network(card: Card) -> "torch.nn.Module":
        return _network(card, list(prompts.values()), neutral)

    given = {"prompts": list(prompts.values()), "neutral": neutral}
    return ConceptClassifier(card, weights=exported(card, folder, network, given=given))


class ConceptClassifier(OnnxClassifier):
    """Its embedding is the picture in the space of words, of length 1."""

    _words: "tuple[int, torch.nn.Module, Any] | None" = None

    def embed_texts(self, texts: Sequence[str]) -> FloatArray:
        """float32 [N, D], rows of length 1 in the space of the image embedding. The text side is loaded on first use
        and kept."""
        if not texts:
            return np.empty((0, self.embedding_size or 0), np.float32)
        if self._words is None or self._words[0] != os.getpid():
            self._words = (os.getpid(), load_model(self.card, "AutoModel"), _tokenizer(self.card))
        _owner, model, tokenizer = self._words
        return embed(model, tokenizer, texts).numpy()


def embed(model: "torch.nn.Module", tokenizer: Any, texts: Sequence[str]) -> "torch.Tensor":
    """[N, D], rows of length 1."""
    import torch

    padding = "max_length" if _paired(model) else True
    found = []
    with torch.inference_mode():
        for at in range(0, len(texts), _TEXTS):
            tokens = tokenizer(list(texts[at : at + _TEXTS]), padding=padding, truncation=True, return_tensors="pt")
            known = {key: tokens[key] for key in ("input_ids", "attention_mask") if key in tokens}
            found.append(_unit(model.get_text_features(**known)))  # type: ignore[operator]
    return torch.cat(found)


def _network(card: Card, prompts: Sequence[Sequence[str]], neutral: Sequence[str]) -> "torch.nn.Module":
    import torch

    model = load_model(card, "AutoModel")
    if not hasattr(model, "get_image_features") or not hasattr(model, "get_text_features"):
        raise CardError(f"{card.weights.name} is no text-image model: zero-shot needs one such as CLIP")
    phrases = [phrase for group in [*prompts, neutral] for phrase in group]
    vectors = embed(model, _tokenizer(card), phrases).clone() if phrases else None
    scale = model.logit_scale.detach().exp().clone()  # type: ignore[operator]
    bias = model.logit_bias.detach().clone() if _paired(model) else None  # type: ignore[operator]
    ends = np.cumsum([0, *map(len, prompts)]).tolist()

    class Seeing(torch.nn.Module):
        """Per category the log odds of its phrases against the neutral ones (SigLIP: of its best phrase), and the
        embedding."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            embedding = _unit(self.model.get_image_features(pixel_values=image))  # type: ignore[operator]
            if vectors is None:
                return embedding[:, :1], embedding
            near = scale * embedding @ vectors.T
            groups = [near[:, a:b] for a, b in pairwise(ends)]
            if bias is not None:
                logits = [group.amax(dim=1) + bias for group in groups]
            else:
                rest = near[:, ends[-1] :].logsumexp(dim=1)
                logits = [group.logsumexp(dim=1) - rest for group in groups]
            return torch.stack([value.flatten() for value in logits], dim=1), embedding

    return Seeing().eval()


def _paired(model: "torch.nn.Module") -> bool:
    """Whether each pair of picture and phrase has a probability of its own (SigLIP)."""
    return hasattr(model, "logit_bias")


def _unit(features: Any) -> "torch.Tensor":
    import torch

    vectors = features if isinstance(features, torch.Tensor) else features.pooler_output
    found: torch.Tensor = vectors / vectors.norm(dim=-1, keepdim=True)
    return found


def _tokenizer(card: Card) -> Any:
    with quiet() as transformers:
        try:
            return transformers.AutoTokenizer.from_pretrained(
                card.weights, local_files_only=True, trust_remote_code=False
            )
        except Exception as error:  # as in load_model
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise CardError(f"{card.weights.name} has no tokenizer that loads: {reason[0][:300]}") from error
