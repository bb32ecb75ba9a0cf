"""Labels by set, and penalised logistic regression of many heads at once. torch is imported inside."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from classifiers.base import FloatArray
from classifiers.heads import Calibration, Heads, Stack
from classifiers.manifests import Manifest

Head: TypeAlias = tuple[FloatArray, float]
Told: TypeAlias = Callable[[int, float], None]
"""Hears of a look at the loss: which one, and the mean."""
Solve: TypeAlias = Callable[[Mapping[str, "Labels"], int], Mapping[str, Heads]]
"""Heads from labels without a fold, which is named."""


_COLUMNS = 256
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
    @property
    def focal(self) -> float: ...


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

    def times(self, factor: NDArray[np.float64]) -> "Labels":
        """The same labels, each weighing so many times what it did."""
        return replace(self, weight=self.weight * factor)


def silent(_look: int, _loss: float) -> None:
    """Listens to nothing."""


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

    def drawn(name: str) -> int:
        return hashlib.sha256(f"{purpose}:{name}".encode()).digest()[0] % count

    code, names = manifest.coded("cluster_id")
    of_cluster = np.array([drawn(name) for name in names] or [0], dtype=np.int64)
    fold: NDArray[np.int64] = of_cluster[code]
    alone = np.isin(code, [-1, *(k for k, name in enumerate(names) if not name)])
    if alone.any():
        rows, back = np.unique(row_of[alone], return_inverse=True)
        fold[alone] = np.array([drawn(f"picture {row}") for row in rows], dtype=np.int64)[back]
    return fold


def sets(manifest: Manifest, row_of: NDArray[np.int64]) -> NDArray[Any]:
    """For each row one of ``SETS``: train, test, or the half of validation its cluster lies in.

    Heads are fitted on the first, calibrated on the second, thresholds picked on the third, and all of it measured on
    the last: no near-duplicate lies in two of them.
    """
    code, names = manifest.coded("split")
    split = np.array([*names, ""], dtype=object)[code]
    half = folds(manifest, row_of, count=2, purpose="half")
    apart = np.array(["calibration", "threshold"], dtype=object)[half]
    return np.where(split == "validation", apart, split)


def gather(
    manifest: Manifest,
    row_of: NDArray[np.int64],
    fold: NDArray[np.int64],
    *,
    max_share: float,
    propensity: float = 1.0,
) -> dict[str, dict[str, Labels]]:
    """The known labels by category and set, no weight above ``max_share`` of its set's sum; weights are taken to the
    power of ``propensity``."""
    label, weight = manifest.column("label").astype(np.float64), manifest.column("weight").astype(np.float64)
    weight = np.where(np.isnan(weight), 1.0, weight)
    known = ~np.isnan(label) & (weight > 0) & (row_of >= 0)
    belongs, (code, codes) = sets(manifest, row_of), manifest.coded("category")
    place = {one: belongs == one for one in SETS}
    weight = weight if propensity == 1 else weight**propensity
    found: dict[str, dict[str, Labels]] = {}
    for category in manifest.categories:
        mine = known & (code == codes.index(category))
        found[category] = {}
        for one in SETS:
            here = np.flatnonzero(mine & place[one])
            w = weight[here]
            if len(w):
                # A label with a large weight stands for many unseen ones, but is one look: trimmed, it cannot rule.
                w = np.minimum(w, max(w.min(), max_share * w.sum()))
            found[category][one] = Labels(row_of[here], label[here], w, fold[here])
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What is to be solved, as arrays: for P pictures and K categories ``target`` and ``mass`` [P, K] (a label nobody
    gave has mass 0), and ``start`` and ``ridge`` [K, D + 1] of heads on standardised embeddings, the bias last."""

    names: tuple[str, ...]
    mean: FloatArray
    spread: FloatArray
    target: FloatArray
    mass: FloatArray
    start: FloatArray
    ridge: FloatArray

    def heads(self, found: NDArray[Any]) -> dict[str, Heads]:
        """Weights [K, D + 1] on standardised embeddings as a head each on raw ones. FitError where they ran away."""
        if not np.isfinite(found).all():
            raise FitError("the fit did not settle: raise ridge in the recipe")
        solved = {}
        for k, name in enumerate(self.names):
            weight = (found[k, :-1] / self.spread).astype(np.float32)
            bias = np.array([float(found[k, -1] - weight @ self.mean)], dtype=np.float32)
            solved[name] = Heads((name,), weight[None], bias, (Calibration(),))
        return solved


def problem(vectors: FloatArray, labels: Mapping[str, Labels], *, previous: Heads | None, recipe: Strength) -> Problem:
    """Heads start from the previous ones and are held to them, if those are linear; without any the bias is free."""
    names = tuple(labels)
    # By columns, some at a time: the deviations of all would be as large as the embeddings themselves.
    parts = [vectors[:, start : start + _COLUMNS].std(axis=0) for start in range(0, vectors.shape[1], _COLUMNS)]
    mean, spread = vectors.mean(axis=0), np.concatenate(parts)
    # Numbers that never vary here say nothing; dividing by a floor keeps them from blowing up elsewhere.
    spread = np.maximum(spread, 1e-3 * max(float(spread.max()), 1e-6))
    target = np.zeros((len(vectors), len(names)), dtype=np.float32)
    mass, start = np.zeros_like(target), np.zeros((len(names), vectors.shape[1] + 1), dtype=np.float32)
    ridge = np.full_like(start, recipe.ridge)
    ridge[:, -1] = 0.0
    for k, name in enumerate(names):
        one = labels[name]
        weighed = balanced(one, recipe)
        target[one.rows, k] = one.label.astype(np.float32)
        mass[one.rows, k] = weighed.astype(np.float32)
        share = float(np.clip(np.average(one.label, weights=weighed), 0.02, 0.98))
        start[k, -1] = np.log(share / (1 - share))
        if (old := anchor(previous, name)) is not None:
            start[k, :-1] = old[0] * spread
            start[k, -1] = old[1] + float(old[0] @ mean)
            ridge[k] = recipe.ridge * recipe.anchor
    return Problem(names, mean, spread, target, mass, start, ridge)


def anchor(previous: Heads | None, name: str) -> Head | None:
    """The weight [D] and bias of the head before, where it can hold a linear one: it has no hidden units and reads raw
    embeddings."""
    old = previous.pick(name) if previous is not None else None
    if old is None or old.hidden is not None or old.normalised:
        return None
    return old.weight[0], float(old.bias[0])


def cross_entropy(logits: Any, target: Any, mass: Any, *, focal: float) -> Any:
    """The sum of the weighted log losses; with ``focal`` above 0 each times (1 - p)^focal, p of what is so (Lin et al.
    2017)."""
    import torch

    if focal == 0:
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, target, weight=mass, reduction="sum")
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (mass * (1 - torch.exp(-loss)) ** focal * loss).sum()


def fit(
    vectors: FloatArray, labels: Mapping[str, Labels], *, previous: Heads | None, recipe: Strength, watch: Told = silent
) -> dict[str, Heads]:
    """One linear head a category, by L-BFGS on all labels at once. ``watch`` hears of each look at the loss.

    Embeddings are standardised for the fit, and the heads rewritten for raw ones. Without a previous head the bias is
    free; with one it is held as the weights are.
    """
    import torch

    stated = problem(vectors, labels, previous=previous, recipe=recipe)
    target, mass, start, ridge, centre, scale, x = (
        torch.from_numpy(part)
        for part in (stated.target, stated.mass, stated.start, stated.ridge, stated.mean, stated.spread, vectors)
    )
    theta = start.clone().requires_grad_()
    solver = torch.optim.LBFGS([theta], max_iter=recipe.iterations, tolerance_grad=1e-6, line_search_fn="strong_wolfe")
    total, looks = float(stated.mass.sum()), count()

    def closure() -> Any:
        solver.zero_grad()
        # Standardising the heads instead of the embeddings spares a copy of them all.
        raw = theta[:, :-1] / scale
        logits = x @ raw.T + (theta[:, -1] - raw @ centre)
        loss = cross_entropy(logits, target, mass, focal=recipe.focal)
        loss = loss + 0.5 * (ridge * (theta - start) ** 2).sum()
        loss.backward()
        watch(next(looks), float(loss.detach()) / total)
        return loss

    solver.step(closure)
    return stated.heads(theta.detach().numpy())


def out_of_fold(
    vectors: FloatArray, labels: Mapping[str, Labels], *, solve: Solve, count: int
) -> dict[str, NDArray[np.float64]]:
    """For each category the logits of its labels, each by a head that ``solve`` fitted without that label's fold.

    NaN where the rest of the folds held one class only.
    """
    logits = {name: np.full(len(one.label), np.nan) for name, one in labels.items()}
    for fold in range(count):
        rest = {name: one.where(one.fold != fold) for name, one in labels.items()}
        rest = {name: one for name, one in rest.items() if one.fewest > 0}
        if not rest:
            continue
        for name, head in solve(rest, fold).items():
            here = labels[name].fold == fold
            logits[name][here] = logits_of(head, vectors[labels[name].rows[here]])
    return logits


def logits_of(head: Heads, vectors: FloatArray) -> NDArray[np.float64]:
    """What one head says of embeddings [N, D], before calibration."""
    if head.hidden is None and not head.normalised:
        return np.asarray(vectors @ head.weight[0] + head.bias[0], dtype=np.float64)
    return Stack((head,)).logits(vectors)[0][:, 0]


def balanced(labels: Labels, recipe: Strength) -> NDArray[np.float64]:
    """Weights with the rarer class weighed up, of the same sum."""
    positive, negative = (float(labels.weight[labels.label == value].sum()) for value in (1, 0))
    rarer = 1 if positive < negative else 0
    gain = min((max(positive, negative) / min(positive, negative)) ** recipe.balance, recipe.balance_limit)
    weighed = np.where(labels.label == rarer, gain, 1.0) * labels.weight
    return np.asarray(weighed * (labels.weight.sum() / weighed.sum()))
