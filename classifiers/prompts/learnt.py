"""The signal of kind ``prompts``: what a model that was taught on labelled prompts makes of one. numpy only, unless the
card names a sentence encoder."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.base import CardError, FloatArray, ImageInput, Outputs, Score, scores
from classifiers.cards import Card
from classifiers.heads import Heads
from classifiers.prompts.grams import gist, letters, words
from classifiers.prompts.sentences import Encoder, SentenceModel


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """Grams and their inverse document frequency [V]."""

    grams: Mapping[str, int]
    idf: FloatArray

    def weigh(self, found: Iterable[str]) -> tuple[NDArray[np.int64], FloatArray]:
        """Places and tf-idf weights of the known grams of one text: (1 + ln count) · idf, of length 1 together."""
        known = self.grams
        counts = Counter(place for gram in found if (place := known.get(gram)) is not None)
        places = np.fromiter(counts.keys(), dtype=np.int64, count=len(counts))
        weights = (1 + np.log(np.fromiter(counts.values(), dtype=np.float32, count=len(counts)))) * self.idf[places]
        length = float(np.linalg.norm(weights))
        return places, np.asarray(weights / length if length else weights, dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class PromptModel:
    """Two vocabularies, and heads over both, words first."""

    words: Vocabulary
    letters: Vocabulary
    heads: Heads

    def logits(self, prompts: Sequence[str]) -> FloatArray:
        """[N, K]."""
        found = np.empty((len(prompts), len(self.heads.categories)), dtype=np.float32)
        shift = len(self.words.idf)
        for row, prompt in enumerate(prompts):
            text = gist(prompt)
            places, weights = self.words.weigh(words(text))
            places_, weights_ = self.letters.weigh(letters(text))
            here, mass = np.concatenate([places, places_ + shift]), np.concatenate([weights, weights_])
            found[row] = self.heads.weight[:, here] @ mass + self.heads.bias
        return found

    def apply(self, prompts: Sequence[str]) -> FloatArray:
        """Calibrated probabilities [N, K]."""
        return self.heads.calibrated(self.logits(prompts).astype(np.float64))

    def save(self, path: Path) -> None:
        """One safetensors file that holds everything ``load`` needs."""
        from safetensors.numpy import save_file

        tensors, metadata = self.heads.parts()
        for name, vocabulary in (("words", self.words), ("letters", self.letters)):
            listed = "\n".join(sorted(vocabulary.grams, key=vocabulary.grams.__getitem__))
            tensors[name] = np.frombuffer(listed.encode(), dtype=np.uint8)
            tensors[f"{name}_idf"] = np.ascontiguousarray(vocabulary.idf, dtype=np.float32)
        save_file(tensors, path, metadata=metadata)

    @classmethod
    def load(cls, path: Path) -> "PromptModel":
        """Read what ``save`` wrote; CardError when the file is something else."""
        from safetensors import SafetensorError, safe_open

        heads = Heads.load(path)
        try:
            with safe_open(path, framework="numpy") as file:
                parts = [_vocabulary(file, name) for name in ("words", "letters")]
        except (SafetensorError, UnicodeDecodeError, ValueError) as error:
            raise CardError(f"{path.name} holds no prompt model (words, letters and their idf): {error}") from error
        width = sum(len(part.idf) for part in parts)
        if heads.embedding_size != width:
            raise CardError(f"{path.name}: {width} grams, but heads for {heads.embedding_size}")
        return cls(parts[0], parts[1], heads)


def _vocabulary(file: Any, name: str) -> Vocabulary:
    text = bytes(file.get_tensor(name)).decode()
    grams = {gram: place for place, gram in enumerate(text.split("\n"))} if text else {}
    idf = file.get_tensor(f"{name}_idf")
    if idf.shape != (len(grams),):
        raise ValueError(f"{len(grams)} grams of {name} and idf of shape {idf.shape}")
    return Vocabulary(grams, idf)


class PromptScreen:
    """A prompt model in service. The negative prompt is not read."""

    embedding_size: int | None = None

    def __init__(self, card: Card) -> None:
        self.card = card
        self.name, self.version, self.categories = card.name, card.version, card.codes
        self.model: PromptModel | SentenceModel = (
            PromptModel.load(card.weights) if card.encoder is None else _read(card)
        )

    def check(self) -> None:
        """CardError unless the model has the card's categories and answers with finite numbers."""
        if self.model.heads.categories != self.categories:
            raise CardError(
                f"the model speaks of {', '.join(self.model.heads.categories)}, "
                f"the card of {', '.join(self.categories)}"
            )
        if not np.isfinite(self.model.apply(["a view of the Earth from the moon", ""])).all():
            raise CardError("the model yields NaN or infinity for a plain prompt: its weights are damaged")
        if isinstance(self.model, SentenceModel):
            self.model.encoder.check()

    def run(self, images: Sequence[ImageInput]) -> Outputs:
        """Probabilities [N, K]; 0 where there is no prompt to judge."""
        found = self.model.apply([image.prompt for image in images])
        found[[not image.prompt.strip() for image in images]] = 0.0
        return Outputs(found)

    def score(self, images: Sequence[ImageInput]) -> list[Score]:
        return scores(self.run(images), self.categories)


def _read(card: Card) -> SentenceModel:
    assert card.encoder is not None
    device = "cuda" if card.table.get("device") == "cuda" else "cpu"
    return SentenceModel(Encoder(card.encoder, device=device), Heads.load(card.weights))


def open_card(card: Card, *, cache: Path | None = None) -> PromptScreen:  # noqa: ARG001 - as every opener
    return PromptScreen(card)
