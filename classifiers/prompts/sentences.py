"""Prompts read by a sentence encoder: an embedding of each, and heads on it. Nothing heavy is imported before an
encoder is opened, which the web process never does.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifiers.base import CardError, FloatArray
from classifiers.heads import Heads
from classifiers.prompts.grams import gist

EXTRA: Final = "a sentence encoder needs an extra: pip install 'loupe[sentences]'"
MODULES: Final = ("Transformer", "Pooling", "Normalize")
"""Of which an encoder may consist: the library reads the weights of others from pickles too."""
_BATCH: Final = 64
_LONGEST: Final = 512
_SPARE: Final = 8
"""Tokens left for the encoder's own marks, and for words that fall apart where a prompt is cut."""


class Encoder:
    """A model of the sentence-transformers library, from a folder that is trusted to be data and nothing else."""

    def __init__(self, folder: Path, *, device: str = "cpu") -> None:
        self.folder, self.device = folder, device
        self._model = _opened(folder, device)
        self._most = max(1, min(self._model.max_seq_length or _LONGEST, _LONGEST) - _SPARE)
        self.size = len(self.embed(["a"])[0][0])

    def embed(self, prompts: Sequence[str]) -> tuple[FloatArray, NDArray[np.int64]]:
        """Embeddings [P, D] of the parts of all prompts, in one batched call, and for each part the row of its prompt.
        What is longer than the encoder reads at once is cut, so that its end is read as well."""
        parts = [self._parts(gist(prompt)) for prompt in prompts]
        rows = np.repeat(np.arange(len(parts)), [len(each) for each in parts])
        if not parts:
            return np.zeros((0, self.size), np.float32), rows
        found = self._model.encode(
            [part for each in parts for part in each],
            batch_size=_BATCH,
            show_progress_bar=False,
            convert_to_numpy=True,
        )
        return np.asarray(found, dtype=np.float32), rows

    def check(self) -> None:
        """CardError where the folder lacks weights: those are made up anew at every opening."""
        said, again = (
            one.embed(["a view of the Earth"])[0] for one in (self, Encoder(self.folder, device=self.device))
        )
        if not np.allclose(said, again, atol=1e-4):
            raise CardError(f"{self.folder.name} lacks weights its own config.json asks for: it never says the same")

    def _parts(self, text: str) -> list[str]:
        spans = self._model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)[
            "offset_mapping"
        ]
        cuts = [spans[start : start + self._most] for start in range(0, len(spans), self._most)]
        return [text[cut[0][0] : cut[-1][1]] for cut in cuts] or [text]


@dataclass(frozen=True, slots=True, eq=False)
class SentenceModel:
    """Heads over the embeddings of an encoder."""

    encoder: Encoder
    heads: Heads

    def __post_init__(self) -> None:
        if self.heads.embedding_size != self.encoder.size:
            raise CardError(
                f"heads for {self.heads.embedding_size} numbers, "
                f"but {self.encoder.folder.name} gives {self.encoder.size}"
            )

    def logits(self, prompts: Sequence[str]) -> FloatArray:
        """[N, K]; of a prompt in several parts the highest."""
        vectors, rows = self.encoder.embed(prompts)
        return highest(vectors @ self.heads.weight.T + self.heads.bias, rows, len(prompts))

    def apply(self, prompts: Sequence[str]) -> FloatArray:
        """Calibrated probabilities [N, K]."""
        return self.heads.calibrated(self.logits(prompts).astype(np.float64))

    def save(self, path: Path) -> None:
        """The heads alone."""
        self.heads.save(path)


def highest(logits: NDArray[Any], rows: NDArray[np.int64], count: int) -> FloatArray:
    """Of logits [P, K] of the parts of ``count`` prompts those of the prompts, [N, K]."""
    found = np.full((count, logits.shape[1]), -np.inf, dtype=np.float32)
    np.maximum.at(found, rows, logits)
    return found


def _opened(folder: Path, device: str) -> Any:
    try:
        from classifiers.backbones.transformers import quiet

        with quiet():
            from sentence_transformers import SentenceTransformer
    except (ImportError, CardError) as error:
        raise CardError(EXTRA) from error
    _check_modules(folder)
    with quiet():
        try:
            model = SentenceTransformer(
                str(folder),
                device=device,
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True, "dtype": "float32"},
            )
        except Exception as error:  # the library raises as many kinds as a folder has ways to be wrong
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise CardError(f"{folder.name} does not load in sentence-transformers: {reason[0][:300]}") from error
    if not getattr(model.tokenizer, "is_fast", False):
        raise CardError(f"{folder.name} has no tokenizer.json, without which no prompt can be cut: save it with one")
    return model


def _check_modules(folder: Path) -> None:
    """CardError unless the folder names plain modules of the library itself, which read no pickle and run no code."""
    try:
        kinds = [str(each["type"]) for each in json.loads((folder / "modules.json").read_text("utf-8"))]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CardError(f"{folder.name} is no sentence encoder: its modules.json cannot be read") from error
    for kind in kinds:
        if not kind.startswith("sentence_transformers.") or kind.rpartition(".")[2] not in MODULES:
            raise CardError(f"{folder.name} has a module {kind}; read are {', '.join(MODULES)} of the library itself")
