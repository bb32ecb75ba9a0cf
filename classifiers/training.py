"""Fit heads to the labels that people gave. torch is imported inside: only a worker or a command ever pays for it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers import cards
from classifiers.base import FloatArray
from classifiers.evaluation import evaluate
from classifiers.heads import Calibration, Heads, calibrate
from classifiers.manifests import Manifest
from classifiers.weights import file_sha256


class TrainingError(ValueError):
    """Nothing can be trained from these labels. The message says what is missing."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the outcome besides the labels.

    ``ridge`` is the precision of a Gaussian prior on the weights (of standardised embeddings), centred on the previous
    heads, or on zero when there are none. The loss is a sum over labels, so the prior is worth a fixed number of them: a
    dozen labels move a head a little, hundreds move it where they say, and nothing is forgotten about directions in which
    the new labels do not vary. ``anchor`` multiplies the ridge where there is a previous head; below 1 new labels win sooner.
    ``balance`` 0-1 is how far the rarer class is weighed up towards parity (at most ``balance_limit`` times); calibration
    undoes the shift in level. ``prior_weight`` is how many labels the previous calibration is worth.
    A category needs ``fewest`` labels of each class in the training split, else its head stays as it is.
    """

    ridge: float = 1.0
    anchor: float = 1.0
    balance: float = 0.5
    balance_limit: float = 10.0
    prior_weight: float = 4.0
    fewest: int = 4
    fewest_validation: int = 3
    iterations: int = 200
    seed: int = 0

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
    """Heads that nobody has adopted yet. ``metrics`` maps category -> figures of ``evaluation`` plus what was kept and why."""

    heads: Heads
    backbone: str
    metrics: Mapping[str, Any]
    manifest_fingerprint: str
    recipe: Recipe

    def write(
        self, folder: Path, *, name: str, version: str, licence: str, trained_on: str = "", limits: str = ""
    ) -> Path:
        """Write weights and card into ``folder`` and return the path of the card. No label, prompt or person is in it."""
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


@dataclass(frozen=True, slots=True, eq=False)
class _Labels:
    """Known labels of one category in one split: embeddings by row, 0/1, weights."""

    rows: NDArray[np.int64]
    label: NDArray[np.float64]
    weight: NDArray[np.float64]

    @property
    def fewest(self) -> int:
        return int(min((self.label == 1).sum(), (self.label == 0).sum())) if len(self.label) else 0


def train_heads(
    manifest: Manifest, *, backbone: str, previous: Heads | None = None, recipe: Recipe | None = None
) -> Candidate:
    """Fit one logistic head a category on the training split, calibrate on validation, measure on test.

    The result has every category of ``previous`` and every one with enough labels. Where a split has too few labels of either
    class the earlier head or calibration is kept, and ``metrics[category]["notes"]`` says so. The same manifest, previous
    heads and recipe give the same heads. Raises TrainingError when no category can be fitted.
    """
    recipe = recipe or Recipe()
    vectors, row_of = _pictures(manifest)
    if previous is not None and previous.embedding_size != vectors.shape[1]:
        raise TrainingError(
            f"the manifest has embeddings of {vectors.shape[1]} numbers, the previous heads want "
            f"{previous.embedding_size}: export with the backbone {backbone}"
        )
    labels = {name: _labels(manifest, name, row_of) for name in manifest.categories}
    earlier = previous.categories if previous else ()
    fitted = [c for c in labels if labels[c]["train"].fewest >= recipe.fewest]
    if not fitted:
        raise TrainingError(
            f"no category has {recipe.fewest} labels of each class for training: review more pictures first"
        )
    categories = (*earlier, *(c for c in fitted if c not in earlier))
    solved = _fit(vectors, {c: labels[c]["train"] for c in fitted}, previous=previous, recipe=recipe)
    weights, biases, calibrations, metrics = [], [], [], dict[str, Any]()
    for category in categories:
        notes: list[str] = []
        old = previous.only(category) if previous else None
        if category in solved:
            weight, bias = solved[category]
        else:
            assert old is not None
            weight, bias = old[0], old[1]
            notes.append("too few labels for training: the previous head is unchanged")
        split = labels.get(category)
        calibration = _calibrate(
            vectors, weight, bias, split, old, fitted=category in solved, recipe=recipe, notes=notes
        )
        weights.append(weight)
        biases.append(bias)
        calibrations.append(calibration)
        metrics[category] = _measure(vectors, weight, bias, calibration, split, notes=notes)
    heads = Heads(categories, np.stack(weights).astype(np.float32), np.array(biases, np.float32), tuple(calibrations))
    return Candidate(heads, backbone, metrics, manifest.fingerprint, recipe)


def _pictures(manifest: Manifest) -> tuple[FloatArray, NDArray[np.int64]]:
    """Distinct embeddings [P, D], and for each row of the manifest its place among them."""
    references = manifest.table["embedding_ref"]
    if manifest.embeddings is None or references.null_count:
        raise TrainingError("the manifest has labels without embeddings: export it with embeddings")
    unique, inverse = np.unique(references.to_numpy(), return_inverse=True)
    return manifest.embeddings.rows(unique), inverse.astype(np.int64)


def _labels(manifest: Manifest, category: str, row_of: NDArray[np.int64]) -> dict[str, _Labels]:
    label, weight = manifest.column("label").astype(np.float64), manifest.column("weight").astype(np.float64)
    weight = np.where(np.isnan(weight), 1.0, weight)
    known = (manifest.column("category") == category) & ~np.isnan(label) & (weight > 0)
    found = {}
    for split in ("train", "validation", "test"):
        here = np.flatnonzero(known & (manifest.column("split") == split))
        w = weight[here]
        if len(w):
            # Kish's effective size: unequal weights carry less information than as many equal ones.
            w = w * (w.sum() / (w**2).sum())
        found[split] = _Labels(row_of[here], label[here], w)
    return found


def _fit(
    vectors: FloatArray, labels: Mapping[str, _Labels], *, previous: Heads | None, recipe: Recipe
) -> dict[str, tuple[FloatArray, float]]:
    """Penalised logistic regression of all categories at once; labels nobody gave have weight 0."""
    import torch

    names = list(labels)
    mean, spread = vectors.mean(axis=0), vectors.std(axis=0)
    # Numbers that never vary here say nothing; dividing by a floor keeps them from blowing up elsewhere.
    spread = np.maximum(spread, 1e-3 * max(float(spread.max()), 1e-6))
    x = torch.from_numpy((vectors - mean) / spread)
    target, mass = torch.zeros(len(vectors), len(names)), torch.zeros(len(vectors), len(names))
    start, ridge = torch.zeros(len(names), vectors.shape[1] + 1), torch.full((len(names), 1), recipe.ridge)
    for k, name in enumerate(names):
        one = labels[name]
        target[one.rows, k] = torch.from_numpy(one.label.astype(np.float32))
        mass[one.rows, k] = torch.from_numpy(_balanced(one, recipe).astype(np.float32))
        share = float(np.clip(np.average(one.label, weights=_balanced(one, recipe)), 0.02, 0.98))
        start[k, -1] = np.log(share / (1 - share))
        if previous is not None and (old := previous.only(name)) is not None:
            start[k, :-1] = torch.from_numpy(old[0] * spread)
            start[k, -1] = old[1] + float(old[0] @ mean)
            ridge[k] *= recipe.anchor
    theta = start.clone().requires_grad_()
    solver = torch.optim.LBFGS([theta], max_iter=recipe.iterations, tolerance_grad=1e-6, line_search_fn="strong_wolfe")

    def closure() -> Any:
        solver.zero_grad()
        logits = x @ theta[:, :-1].T + theta[:, -1]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, target, weight=mass, reduction="sum")
        loss = loss + 0.5 * (ridge * (theta[:, :-1] - start[:, :-1]) ** 2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    torch.manual_seed(recipe.seed)
    solver.step(closure)
    found = theta.detach().numpy()
    if not np.isfinite(found).all():
        raise TrainingError("the fit did not settle: raise ridge in the recipe")
    solved = {}
    for k, name in enumerate(names):
        weight = (found[k, :-1] / spread).astype(np.float32)
        solved[name] = (weight, float(found[k, -1] - weight @ mean))
    return solved


def _balanced(labels: _Labels, recipe: Recipe) -> NDArray[np.float64]:
    positive, negative = (float(labels.weight[labels.label == value].sum()) for value in (1, 0))
    rarer = 1 if positive < negative else 0
    gain = min((max(positive, negative) / min(positive, negative)) ** recipe.balance, recipe.balance_limit)
    weighed = np.where(labels.label == rarer, gain, 1.0) * labels.weight
    return np.asarray(weighed * (labels.weight.sum() / weighed.sum()))


def _calibrate(
    vectors: FloatArray,
    weight: FloatArray,
    bias: float,
    labels: Mapping[str, _Labels] | None,
    old: tuple[FloatArray, float, Calibration] | None,
    *,
    fitted: bool,
    recipe: Recipe,
    notes: list[str],
) -> Calibration:
    before = old[2] if old else None
    if not fitted or labels is None:
        assert before is not None
        return before
    held_out = labels["validation"]
    if held_out.fewest < recipe.fewest_validation:
        if before is not None:
            notes.append("too few labels for calibration: the previous calibration is kept")
            return before
        notes.append("too few labels for calibration: probabilities are raw")
    logits = vectors[held_out.rows] @ weight + bias
    return calibrate(logits, held_out.label, weights=held_out.weight, prior=before, prior_weight=recipe.prior_weight)


def _measure(
    vectors: FloatArray,
    weight: FloatArray,
    bias: float,
    calibration: Calibration,
    labels: Mapping[str, _Labels] | None,
    *,
    notes: list[str],
) -> dict[str, Any]:
    counts = {split: {"n": len(one.label), "positives": int(one.label.sum())} for split, one in (labels or {}).items()}
    if labels is None or not len(labels["test"].label):
        notes.append("no labels for testing: nothing was measured")
        return {"notes": notes, "labels": counts}
    held_out = labels["test"]
    if held_out.fewest < 1:
        notes.append("the test labels are of one class only: ranking cannot be measured")
    probabilities = calibration.apply(vectors[held_out.rows] @ weight + bias)
    return {**evaluate(probabilities, held_out.label, held_out.weight), "notes": notes, "labels": counts}
