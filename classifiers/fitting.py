"""Penalised logistic regression of many heads at once. torch is imported inside."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from classifiers.base import FloatArray
from classifiers.heads import Heads
from classifiers.manifests import Manifest

Head: TypeAlias = tuple[FloatArray, float]
"""Weight [D] and bias."""


SETS = ("train", "calibration", "threshold", "test")


class FitError(ValueError):
    """The labels cannot be fitted. The message says why."""


class Strength(Protocol):
    """What of a recipe the fit needs; see ``training.Recipe``."""

    @property
    def ridge(self) -> float: ...
    @property
    def anchor(self) -> float: ...
    @property
    def balance(self) -> float: ...
    @property
    def balance_limit(self) -> float: ...
    @property
    def iterations(self) -> int: ...


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Known labels of one category in one set: pictures by row, 0/1, weights, and the fold of each one's cluster."""

    rows: NDArray[np.int64]
    label: NDArray[np.float64]
    weight: NDArray[np.float64]
    fold: NDArray[np.int64]

    @property
    def fewest(self) -> int:
        """Labels of the rarer class."""
        return int(min((self.label == 1).sum(), (self.label == 0).sum())) if len(self.label) else 0

    def where(self, chosen: NDArray[np.bool_]) -> "Labels":
        return Labels(self.rows[chosen], self.label[chosen], self.weight[chosen], self.fold[chosen])


def pictures(manifest: Manifest) -> tuple[FloatArray, NDArray[np.int64]]:
    """Distinct embeddings [P, D], and for each row of the manifest its place among them, -1 where it has none."""
    references = manifest.column("embedding_ref").astype(np.float64)
    stored = ~np.isnan(references)
    if manifest.embeddings is None or not stored.any():
        raise FitError("no label of the manifest has an embedding: export it with embeddings")
    unique, inverse = np.unique(references[stored].astype(np.int64), return_inverse=True)
    row_of = np.full(len(manifest), -1, dtype=np.int64)
    row_of[stored] = inverse
    return manifest.embeddings.rows(unique), row_of


def folds(manifest: Manifest, row_of: NDArray[np.int64], *, count: int, purpose: str = "fold") -> NDArray[np.int64]:
    """A fold for each row, the same for all of a near-duplicate cluster (of a picture, where no cluster is given).
    Folds for another purpose are drawn anew."""
    names = [cluster or f"picture {row}" for cluster, row in zip(manifest.column("cluster_id"), row_of, strict=True)]
    fold_of = {name: hashlib.sha256(f"{purpose}:{name}".encode()).digest()[0] % count for name in set(names)}
    return np.array([fold_of[name] for name in names], dtype=np.int64)


def sets(manifest: Manifest, row_of: NDArray[np.int64]) -> NDArray[Any]:
    """For each row one of ``SETS``: train, test, or the half of validation its cluster lies in.

    Heads are fitted on the first, calibrated on the second, thresholds picked on the third, and all of it measured on
    the last: no near-duplicate lies in two of them.
    """
    split = manifest.column("split").astype(object)
    half = folds(manifest, row_of, count=2, purpose="half")
    apart = np.where(half == 0, "calibration", "threshold").astype(object)
    return np.where(split == "validation", apart, split)


def gather(
    manifest: Manifest, category: str, row_of: NDArray[np.int64], fold: NDArray[np.int64], *, max_share: float
) -> dict[str, Labels]:
    """The known labels of a category by set, no weight above ``max_share`` of their sum."""
    label, weight = manifest.column("label").astype(np.float64), manifest.column("weight").astype(np.float64)
    weight = np.where(np.isnan(weight), 1.0, weight)
    known = (manifest.column("category") == category) & ~np.isnan(label) & (weight > 0) & (row_of >= 0)
    found, belongs = {}, sets(manifest, row_of)
    for one in SETS:
        here = np.flatnonzero(known & (belongs == one))
        w = weight[here]
        if len(w):
            # A label with a large weight stands for many unseen ones, but is one look: trimmed, it cannot rule alone.
            w = np.minimum(w, max(w.min(), max_share * w.sum()))
        found[one] = Labels(row_of[here], label[here], w, fold[here])
    return found


def fit(
    vectors: FloatArray, labels: Mapping[str, Labels], *, previous: Heads | None, recipe: Strength
) -> dict[str, Head]:
    """One head a category, by L-BFGS on all labels at once; a label nobody gave has weight 0.

    Embeddings are standardised for the fit, and the heads rewritten for raw ones. Without a previous head the bias is
    free; with one it is held as the weights are.
    """
    import torch

    names = list(labels)
    mean, spread = vectors.mean(axis=0), vectors.std(axis=0)
    # Numbers that never vary here say nothing; dividing by a floor keeps them from blowing up elsewhere.
    spread = np.maximum(spread, 1e-3 * max(float(spread.max()), 1e-6))
    x, centre, scale = torch.from_numpy(vectors), torch.from_numpy(mean), torch.from_numpy(spread)
    target, mass = torch.zeros(len(vectors), len(names)), torch.zeros(len(vectors), len(names))
    start = torch.zeros(len(names), vectors.shape[1] + 1)
    ridge = torch.full_like(start, recipe.ridge)
    ridge[:, -1] = 0.0
    for k, name in enumerate(names):
        one = labels[name]
        weighed = _balanced(one, recipe)
        target[one.rows, k] = torch.from_numpy(one.label.astype(np.float32))
        mass[one.rows, k] = torch.from_numpy(weighed.astype(np.float32))
        share = float(np.clip(np.average(one.label, weights=weighed), 0.02, 0.98))
        start[k, -1] = np.log(share / (1 - share))
        if previous is not None and (old := previous.only(name)) is not None:
            start[k, :-1] = torch.from_numpy(old[0] * spread)
            start[k, -1] = old[1] + float(old[0] @ mean)
            ridge[k] = recipe.ridge * recipe.anchor
    theta = start.clone().requires_grad_()
    solver = torch.optim.LBFGS([theta], max_iter=recipe.iterations, tolerance_grad=1e-6, line_search_fn="strong_wolfe")

    def closure() -> Any:
        solver.zero_grad()
        # Standardising the heads instead of the embeddings spares a copy of them all.
        raw = theta[:, :-1] / scale
        logits = x @ raw.T + (theta[:, -1] - raw @ centre)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, target, weight=mass, reduction="sum")
        loss = loss + 0.5 * (ridge * (theta - start) ** 2).sum()
        loss.backward()
        return loss

    solver.step(closure)
    found = theta.detach().numpy()
    if not np.isfinite(found).all():
        raise FitError("the fit did not settle: raise ridge in the recipe")
    solved = {}
    for k, name in enumerate(names):
        weight = (found[k, :-1] / spread).astype(np.float32)
        solved[name] = (weight, float(found[k, -1] - weight @ mean))
    return solved


def out_of_fold(
    vectors: FloatArray, labels: Mapping[str, Labels], *, previous: Heads | None, recipe: Strength, count: int
) -> dict[str, NDArray[np.float64]]:
    """For each category the logits of its labels, each by a head that was fitted without that label's fold.

    NaN where the rest of the folds held one class only.
    """
    logits = {name: np.full(len(one.label), np.nan) for name, one in labels.items()}
    for fold in range(count):
        rest = {name: one.where(one.fold != fold) for name, one in labels.items()}
        rest = {name: one for name, one in rest.items() if one.fewest > 0}
        if not rest:
            continue
        for name, (weight, bias) in fit(vectors, rest, previous=previous, recipe=recipe).items():
            here = labels[name].fold == fold
            logits[name][here] = vectors[labels[name].rows[here]] @ weight + bias
    return logits


def _balanced(labels: Labels, recipe: Strength) -> NDArray[np.float64]:
    """Weights with the rarer class weighed up, of the same sum."""
    positive, negative = (float(labels.weight[labels.label == value].sum()) for value in (1, 0))
    rarer = 1 if positive < negative else 0
    gain = min((max(positive, negative) / min(positive, negative)) ** recipe.balance, recipe.balance_limit)
    weighed = np.where(labels.label == rarer, gain, 1.0) * labels.weight
    return np.asarray(weighed * (labels.weight.sum() / weighed.sum()))
