"""Teach a prompt model from labelled prompts. scikit-learn is imported inside: only a command ever pays for it."""

import hashlib
import json
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifiers import cards
from classifiers.evaluation import evaluate
from classifiers.folders import folder_sha256
from classifiers.heads import Calibration, Heads, calibrate
from classifiers.prompts.examples import Examples
from classifiers.prompts.grams import gist, letters, words
from classifiers.prompts.learnt import PromptModel, Vocabulary
from classifiers.prompts.sentences import Encoder, SentenceModel, highest
from classifiers.training.faults import TrainingError
from classifiers.weights import file_sha256

LIMITS: Final = (
    "Labels of prompt collections are noisy: they often name the search word under which a prompt was found. Figures "
    "are against those labels. It sees words only, and mostly English ones."
)


@dataclass(frozen=True, slots=True)
class PromptRecipe:
    """Everything that decides the outcome besides the labels. ``strength`` is scikit-learn's C; ``fewest`` examples of
    a category (and of its absence) in the fitting set, else it is left out; ``names`` maps the file's words for
    categories to codes."""

    strength: float = 3.0
    words: int = 30_000
    letters: int = 60_000
    fewest: int = 20
    seed: int = 0
    names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path | None) -> "PromptRecipe":
        """From a TOML file; TrainingError for what it does not know."""
        if path is None:
            return cls()
        try:
            table = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise TrainingError(f"recipe {path} cannot be read: {error}") from error
        return cls.parse(table)

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> "PromptRecipe":
        """From a table; TrainingError for what it does not know."""
        known = {one.name: one.type for one in fields(cls)}
        for key, value in table.items():
            if key not in known:
                raise TrainingError(f"recipe: {key} is unknown; there are {', '.join(known)}")
            if key == "names":
                if not isinstance(value, dict) or not all(isinstance(code, str) for code in value.values()):
                    raise TrainingError("recipe: [names] maps words to category codes")
            elif isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise TrainingError(f"recipe: {key} must be a number that is not negative")
        return cls(**table)

    @property
    def digest(self) -> str:
        """Hex name of the recipe."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def on(self, encoder: str) -> str:
        """Hex name of the recipe on the encoder with this sha256; without one, of the recipe alone."""
        return hashlib.sha256(f"{self.digest}{encoder}".encode()).hexdigest() if encoder else self.digest


@dataclass(frozen=True, slots=True, eq=False)
class PromptCandidate:
    """A prompt model that nobody has adopted yet; ``metrics`` maps category -> figures of ``evaluation`` on prompts
    that neither fit nor calibration saw."""

    model: PromptModel | SentenceModel
    metrics: Mapping[str, Any]
    fingerprint: str
    recipe: PromptRecipe
    encoder: str = ""
    """sha256 of the folder of the model's encoder, if it has one."""

    def write(self, folder: Path, *, name: str, version: str, licence: str, trained_on: str = "") -> Path:
        """Write weights and card into ``folder`` and return the path of the card. No prompt is in it, but the words
        that at least two prompts have in common. An encoder is not copied: the card looks for its folder beside it."""
        folder.mkdir(parents=True, exist_ok=True)
        weights = folder / f"{name}-{version}.safetensors"
        part = weights.with_suffix(".part")
        self.model.save(part)
        part.replace(weights)
        heads = self.model.heads
        table = {
            "name": name,
            "version": version,
            "kind": "prompts",
            "weights": weights.name,
            "sha256": file_sha256(weights),
            "licence": licence,
            "trained_on": trained_on or "labelled prompts of this installation; see manifest_fingerprint",
            "limits": LIMITS,
            "manifest_fingerprint": self.fingerprint,
            "recipe_digest": self.recipe.on(self.encoder),
            "recipe": asdict(self.recipe),
            "outputs": [{"category": code} for code in heads.categories],
            "calibration": cards.describe_calibrations(heads.categories, heads.calibrations),
            "metrics": self.metrics,
        }
        if isinstance(self.model, SentenceModel):
            table["encoder"] = {"folder": self.model.encoder.folder.name, "sha256": self.encoder}
        return cards.dump(table, folder / f"{name}-{version}.toml")


def train_prompts(
    examples: Examples, *, recipe: PromptRecipe | None = None, encoder: Path | None = None
) -> PromptCandidate:
    """Fit TF-IDF, or take the embeddings of a sentence encoder, and one logistic regression a category; calibrate and
    measure, on three sets that share no prompt.

    The same examples, recipe and encoder give the same model. Raises TrainingError when no category has enough
    examples, CardError when the encoder cannot be used.
    """
    from sklearn.linear_model import LogisticRegression

    recipe = recipe or PromptRecipe()
    here = {name: np.flatnonzero(examples.split == name) for name in ("fit", "calibrate", "test")}
    target = {code: np.array([code in codes for codes in examples.labels]) for code in examples.categories}
    fitted = {
        code: label
        for code, label in target.items()
        if min(label[here["fit"]].sum(), (~label[here["fit"]]).sum()) >= recipe.fewest
    }
    if not fitted:
        raise TrainingError(f"no category has {recipe.fewest} prompts with and without it: label more")
    build: Callable[[Heads], PromptModel | SentenceModel]
    if encoder is None:
        table, rows, build = _weighed(examples.prompts, here["fit"], recipe)
    else:
        reader = Encoder(encoder)
        (table, rows), build = reader.embed(examples.prompts), partial(SentenceModel, reader)
    first = np.searchsorted(rows, np.arange(len(examples.prompts)))
    weight, bias = [], []
    for label in fitted.values():
        solver = LogisticRegression(
            C=recipe.strength, class_weight="balanced", solver="liblinear", random_state=recipe.seed
        )
        solver.fit(table[first[here["fit"]]], label[here["fit"]])
        weight.append(solver.coef_[0])
        bias.append(solver.intercept_[0])
    stacked = np.stack(weight).astype(np.float32)
    logits = highest(np.asarray(table @ stacked.T) + np.array(bias), rows, len(examples.prompts)).astype(np.float64)
    calibrations = [
        calibrate(logits[here["calibrate"], k], label[here["calibrate"]]) for k, label in enumerate(fitted.values())
    ]
    heads = Heads(tuple(fitted), stacked, np.array(bias, dtype=np.float32), tuple(calibrations))
    metrics = {
        code: _measured(calibrations[k], logits[:, k], label, here) for k, (code, label) in enumerate(fitted.items())
    }
    sha256 = folder_sha256(encoder) if encoder else ""
    return PromptCandidate(build(heads), metrics, examples.fingerprint, recipe, sha256)


def _weighed(
    prompts: Sequence[str], fit: NDArray[np.int64], recipe: PromptRecipe
) -> tuple[Any, NDArray[np.int64], Callable[[Heads], PromptModel]]:
    """TF-IDF of every prompt [N, F], the rows of the prompts in it, and what makes a model of heads on it."""
    from scipy.sparse import hstack

    gists = [gist(prompt) for prompt in prompts]
    by_word, vocabulary = _counted(gists, fit, words, most=recipe.words)
    by_letter, spellings = _counted(gists, fit, letters, most=recipe.letters)
    return hstack([by_word, by_letter]).tocsr(), np.arange(len(gists)), partial(PromptModel, vocabulary, spellings)


def _counted(
    gists: list[str], fit: NDArray[np.int64], count: Callable[[str], Iterable[str]], *, most: int
) -> tuple[Any, Vocabulary]:
    """TF-IDF of every text, its vocabulary and idf from the fitting set alone."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(
        analyzer=lambda text: list(count(text)), sublinear_tf=True, min_df=2, max_features=most, dtype=np.float32
    )
    try:
        vectorizer.fit([gists[row] for row in fit])
    except ValueError as error:
        raise TrainingError(f"the prompts have no words in common to learn from: {error}") from error
    grams = {gram: int(place) for gram, place in vectorizer.vocabulary_.items()}
    return vectorizer.transform(gists), Vocabulary(grams, vectorizer.idf_.astype(np.float32))


def _measured(
    calibration: Calibration,
    logits: NDArray[np.float64],
    label: NDArray[np.bool_],
    here: Mapping[str, NDArray[np.int64]],
) -> dict[str, Any]:
    counts = {name: {"n": len(rows), "positives": int(label[rows].sum())} for name, rows in here.items()}
    apart = here["test"]
    return {**evaluate(calibration.apply(logits[apart]), label[apart]), "labels": counts}
