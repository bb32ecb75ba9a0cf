"""Fit heads to the labels that people gave. torch is imported inside: only a worker or a command ever pays for it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from classifiers import cards
from classifiers.base import FloatArray
from classifiers.calibration import Calibration, Choice, choose
from classifiers.evaluation import at_thresholds, best_threshold, evaluate
from classifiers.fitting import FitError, Head, Labels, fit, folds, gather, out_of_fold, pictures
from classifiers.heads import Heads
from classifiers.manifests import Manifest
from classifiers.weights import file_sha256


class TrainingError(ValueError):
    """Nothing can be trained from these labels. The message says what is missing."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the outcome besides the labels.

    ``ridge`` is the precision of a Gaussian prior on the weights (of standardised embeddings), centred on the previous
    heads, or on zero when there are none. The loss is a sum over labels, so the prior is worth a fixed number of them:
    a dozen labels move a head a little, hundreds move it where they say, and nothing is forgotten about directions in
    which the new labels do not vary. ``anchor`` multiplies the ridge where there is a previous head.

    ``balance`` 0-1 is how far the rarer class is weighed up towards parity (at most ``balance_limit`` times);
    calibration undoes the shift in level. An audited label stands for many unseen ones by its weight, but is one look:
    none weighs more than ``max_share`` of its split, which trims it while labels are few and leaves it alone later.

    A category needs ``fewest`` labels of each class in the training split, else its head stays as it is. Where the
    calibration half of validation holds fewer than ``thin`` labels of the rarer class, calibration also uses
    out-of-fold logits of ``folds`` folds; with fewer than ``fewest_validation`` the calibration stays.
    ``prior_weight`` is how many labels the previous calibration is worth: labels from review come from the doubtful
    middle and say little about the level elsewhere.
    """

    ridge: float = 10.0
    anchor: float = 1.0
    balance: float = 0.5
    balance_limit: float = 10.0
    max_share: float = 0.015
    prior_weight: float = 100.0
    fewest: int = 4
    fewest_validation: int = 3
    thin: int = 50
    folds: int = 5
    iterations: int = 200

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> "Recipe":
        """A recipe from a TOML table; TrainingError for what it does not know."""
        known = {field.name: field.type for field in fields(cls)}
        for key, value in table.items():
            if key not in known:
                raise TrainingError(f"recipe: {key} is unknown; there are {', '.join(known)}")
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise TrainingError(f"recipe: {key} must be a number that is not negative")
            if known[key] is int and not isinstance(value, int):
                raise TrainingError(f"recipe: {key} must be a whole number")
        return cls(**table)

    @property
    def digest(self) -> str:
        """Hex name of the recipe."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """Heads that nobody has adopted yet. ``metrics`` maps category -> figures of ``evaluation`` plus what was kept and
    why."""

    heads: Heads
    backbone: str
    metrics: Mapping[str, Any]
    manifest_fingerprint: str
    recipe: Recipe

    def write(
        self, folder: Path, *, name: str, version: str, licence: str, trained_on: str = "", limits: str = ""
    ) -> Path:
        """Write weights and card into ``folder`` and return the path of the card. No label, prompt or person is in
        it."""
        folder.mkdir(parents=True, exist_ok=True)
        weights = folder / f"{name}-{version}.safetensors"
        part = weights.with_suffix(".part")
        self.heads.save(part)
        part.replace(weights)
        table = {
            "name": name,
            "version": version,
            "kind": "heads",
            "backbone": self.backbone,
            "weights": weights.name,
            "sha256": file_sha256(weights),
            "licence": licence,
            "trained_on": trained_on or "labels of this installation; see manifest_fingerprint",
            "limits": limits or None,
            "manifest_fingerprint": self.manifest_fingerprint,
            "recipe_digest": self.recipe.digest,
            "recipe": asdict(self.recipe),
            "calibration": cards.describe_calibrations(self.heads.categories, self.heads.calibrations),
            "metrics": self.metrics,
        }
        return cards.dump(table, folder / f"{name}-{version}.toml")


def train_heads(
    manifest: Manifest, *, backbone: str, previous: Heads | None = None, recipe: Recipe | None = None
) -> Candidate:
    """Fit one logistic head a category on the training split, calibrate on labels it never saw, measure on test.

    Calibration uses one half of the validation split; where that is thin, also the training labels, each scored by a
    head that was fitted without its fold. The other half picks a threshold. Test labels see the finished head only.
    The result has every category of ``previous`` and every one with enough labels. Where labels of either class are too
    few the earlier head or calibration is kept, and ``metrics[category]["notes"]`` says so. The same manifest, previous
    heads and recipe give the same heads. Raises TrainingError when no category can be fitted.
    """
    recipe = recipe or Recipe()
    try:
        vectors, row_of = pictures(manifest)
    except FitError as error:
        raise TrainingError(str(error)) from error
    if previous is not None and previous.embedding_size != vectors.shape[1]:
        raise TrainingError(
            f"the manifest has embeddings of {vectors.shape[1]} numbers, the previous heads want "
            f"{previous.embedding_size}: export with the backbone {backbone}"
        )
    fold = folds(manifest, row_of, count=max(recipe.folds, 1))
    labels = {name: gather(manifest, name, row_of, fold, max_share=recipe.max_share) for name in manifest.categories}
    training = {name: one["train"] for name, one in labels.items() if one["train"].fewest >= recipe.fewest}
    if not training:
        raise TrainingError(
            f"no category has {recipe.fewest} labels of each class for training: review more pictures first"
        )
    try:
        solved = fit(vectors, training, previous=previous, recipe=recipe)
        thin = {name: one for name, one in training.items() if labels[name]["calibration"].fewest < recipe.thin}
        unseen = out_of_fold(vectors, thin, previous=previous, recipe=recipe, count=recipe.folds) if thin else {}
    except FitError as error:
        raise TrainingError(str(error)) from error
    earlier = previous.categories if previous else ()
    results = {}
    for category in (*earlier, *(name for name in training if name not in earlier)):
        held = _Held(vectors, labels.get(category), unseen.get(category), previous.only(category) if previous else None)
        results[category] = held.settle(solved.get(category), recipe)
    heads = Heads(
        tuple(results),
        np.stack([one.weight for one in results.values()]).astype(np.float32),
        np.array([one.bias for one in results.values()], dtype=np.float32),
        tuple(one.calibration for one in results.values()),
    )
    metrics = {category: one.metrics for category, one in results.items()}
    return Candidate(heads, backbone, metrics, manifest.fingerprint, recipe)


@dataclass(frozen=True, slots=True, eq=False)
class _Settled:
    weight: FloatArray
    bias: float
    calibration: Calibration
    metrics: dict[str, Any]


_Curved: TypeAlias = tuple[FloatArray, float, Calibration]
"""Weight, bias and calibration of a head."""


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """What is known of one category: its labels by set, out-of-fold logits of the training ones, its head before."""

    vectors: FloatArray
    labels: Mapping[str, Labels] | None
    unseen: NDArray[np.float64] | None
    old: _Curved | None

    def settle(self, head: Head | None, recipe: Recipe) -> _Settled:
        """Calibrate and measure ``head``, or the head before when there is no new one."""
        notes: list[str] = []
        choice: Choice | None = None
        if head is None:
            assert self.old is not None
            weight, bias, calibration = self.old
            notes.append("too few labels for training: the previous head is unchanged")
        else:
            weight, bias = head
            choice = self._calibrated(weight, bias, recipe, notes)
            calibration = choice.calibration
        measured = self._measured((weight, bias, calibration), notes)
        return _Settled(weight, bias, calibration, measured | _described(calibration, choice))

    def _calibrated(self, weight: FloatArray, bias: float, recipe: Recipe, notes: list[str]) -> Choice:
        assert self.labels is not None
        apart, seen = self.labels["calibration"], self.labels["train"]
        logits, label, mass, fold = self._logits(apart, weight, bias), apart.label, apart.weight, apart.fold
        if self.unseen is not None:
            usable = ~np.isnan(self.unseen)
            logits = np.concatenate([logits, self.unseen[usable]])
            label, mass = np.concatenate([label, seen.label[usable]]), np.concatenate([mass, seen.weight[usable]])
            fold = np.concatenate([fold, seen.fold[usable]])
        before = self.old[2] if self.old else None
        if min((label == 1).sum(), (label == 0).sum()) < recipe.fewest_validation:
            if before is not None:
                notes.append("too few labels for calibration: the previous calibration is kept")
                return Choice(before, {}, len(label), int(label.sum()))
            notes.append("too few labels for calibration: only the level is fitted")
        return choose(logits, label, weights=mass, prior=before, prior_weight=recipe.prior_weight, folds=fold)

    def _logits(self, labels: Labels, weight: FloatArray, bias: float) -> NDArray[np.float64]:
        return np.asarray(self.vectors[labels.rows] @ weight + bias, dtype=np.float64)

    def _measured(self, new: _Curved, notes: list[str]) -> dict[str, Any]:
        """Figures on the test split, those of the previous head beside them, and at a threshold picked elsewhere."""
        sets = self.labels or {}
        counts = {name: {"n": len(one.label), "positives": int(one.label.sum())} for name, one in sets.items()}
        if not sets or not len(sets["test"].label):
            notes.append("no labels for testing: nothing was measured")
            return {"notes": notes, "labels": counts}
        apart = sets["test"]
        if apart.fewest < 1:
            notes.append("the test labels are of one class only: ranking cannot be measured")
        figures = evaluate(self._probabilities(apart, new), apart.label, apart.weight)
        before = evaluate(self._probabilities(apart, self.old), apart.label, apart.weight) if self.old else None
        keys = ("auc", "ap", "ece", "brier", "log_loss")
        previous = {key: before[key] for key in keys} if before else None  # type: ignore[literal-required]
        return {**figures, "picked": self._picked(new), "previous": previous, "notes": notes, "labels": counts}

    def _picked(self, new: _Curved) -> dict[str, Any] | None:
        """The threshold with the largest F1 on labels kept for that, and what it does on the test split."""
        assert self.labels is not None
        apart, test = self.labels["threshold"], self.labels["test"]
        threshold = best_threshold(self._probabilities(apart, new), apart.label, apart.weight)
        if threshold is None:
            return None
        row = at_thresholds(self._probabilities(test, new), test.label, test.weight, thresholds=[threshold])[0]
        return {"rule": "largest F1", "picked_on": len(apart.label), **row}

    def _probabilities(self, labels: Labels, head: _Curved) -> NDArray[np.float64]:
        weight, bias, calibration = head
        return calibration.apply(self._logits(labels, weight, bias))


def _described(calibration: Calibration, choice: Choice | None) -> dict[str, Any]:
    """How the curve was come by: its method, the held-out log loss of each that was tried, and on how many labels."""
    if choice is None:
        return {"calibration": {"method": calibration.method}}
    said = {"method": calibration.method, "n": choice.n, "positives": choice.positives}
    return {"calibration": {**said, "held_out_log_loss": dict(choice.held_out) or None}}
