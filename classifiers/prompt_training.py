"""Teach a prompt model from labelled prompts. scikit-learn is imported inside: only a command ever pays for it."""

import hashlib
import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifiers import cards
from classifiers.evaluation import evaluate
from classifiers.heads import Calibration, Heads, calibrate
from classifiers.prompts.examples import Examples
from classifiers.prompts.grams import gist, letters, words
from classifiers.prompts.learnt import PromptModel, Vocabulary
from classifiers.training import TrainingError
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


@dataclass(frozen=True, slots=True, eq=False)
class PromptCandidate:
    """A prompt model that nobody has adopted yet; ``metrics`` maps category -> figures of ``evaluation`` on prompts
    that neither fit nor calibration saw."""

    model: PromptModel
    metrics: Mapping[str, Any]
    fingerprint: str
    recipe: PromptRecipe

    def write(self, folder: Path, *, name: str, version: str, licence: str, trained_on: str = "") -> Path:
        """Write weights and card into ``folder`` and return the path of the card. No prompt is in it, but the words
        that at least two prompts have in common."""
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
            "recipe_digest": self.recipe.digest,
            "recipe": asdict(self.recipe),
            "outputs": [{"category": code} for code in heads.categories],
            "calibration": cards.describe_calibrations(heads.categories, heads.calibrations),
            "metrics": self.metrics,
        }
        return cards.dump(table, folder / f"{name}-{version}.toml")


def train_prompts(examples: Examples, *, recipe: PromptRecipe | None = None) -> PromptCandidate:
    """Fit TF-IDF and one logistic regression a category, calibrate and measure, on three sets that share no prompt.

    The same examples and recipe give the same model. Raises TrainingError when no category has enough examples.
    """
    from sklearn.linear_model import LogisticRegression

    recipe = recipe or PromptRecipe()
    gists = [gist(prompt) for prompt in examples.prompts]
    here = {name: np.flatnonzero(examples.split == name) for name in ("fit", "calibrate", "test")}
    target = {code: np.array([code in codes for codes in examples.labels]) for code in examples.categories}
    fitted = {
        code: label
        for code, label in target.items()
        if min(label[here["fit"]].sum(), (~label[here["fit"]]).sum()) >= recipe.fewest
    }
    if not fitted:
        raise TrainingError(f"no category has {recipe.fewest} prompts with and without it: label more")
    by_word, vocabulary = _counted(gists, here["fit"], words, most=recipe.words)
    by_letter, spellings = _counted(gists, here["fit"], letters, most=recipe.letters)
    from scipy.sparse import hstack

    table = hstack([by_word, by_letter]).tocsr()
    weight, bias = [], []
    for label in fitted.values():
        solver = LogisticRegression(
            C=recipe.strength, class_weight="balanced", solver="liblinear", random_state=recipe.seed
        )
        solver.fit(table[here["fit"]], label[here["fit"]])
        weight.append(solver.coef_[0])
        bias.append(solver.intercept_[0])
    stacked = np.stack(weight).astype(np.float32)
    logits = np.asarray(table @ stacked.T) + np.array(bias)
    calibrations = [
        calibrate(logits[here["calibrate"], k], label[here["calibrate"]]) for k, label in enumerate(fitted.values())
    ]
    heads = Heads(tuple(fitted), stacked, np.array(bias, dtype=np.float32), tuple(calibrations))
    metrics = {
        code: _measured(calibrations[k], logits[:, k], label, here) for k, (code, label) in enumerate(fitted.items())
    }
    return PromptCandidate(PromptModel(vocabulary, spellings, heads), metrics, examples.fingerprint, recipe)


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
