"""Heads by stochastic gradients: with hidden units, and with an adversary that reads groups from scores.

torch is imported inside. What one epoch does follows from the seed and its number alone, so a training that goes on
from a checkpoint ends in the same weights.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from classifiers.base import FloatArray
from classifiers.calibration import log_loss, sigmoid
from classifiers.evaluation import auc
from classifiers.fitting import FitError, Labels, Problem, cross_entropy, logits_of, problem
from classifiers.heads import Calibration, Heads, Hidden
from classifiers.progress import Point
from classifiers.training.checkpoints import Checkpoints
from classifiers.training.groups import Groups
from classifiers.training.recipes import Recipe

if TYPE_CHECKING:
    import torch

THIN = 20
"""Labels of the rarer class, over all categories, below which validation says too little to stop by."""


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """Heads, and the epoch they are of."""

    heads: dict[str, Heads]
    epochs: int


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """How a network is taught: what stops it early (labels ``apart``; none: all ``epochs`` are run), who is told, and
    where checkpoints go."""

    epochs: int
    apart: Mapping[str, Labels] | None
    stage: str
    kept: Checkpoints
    told: Callable[[Point, float], None]


def fit_network(
    vectors: FloatArray,
    labels: Mapping[str, Labels],
    *,
    previous: Heads | None,
    recipe: Recipe,
    groups: Groups | None,
    course: Course,
) -> Learnt:
    """A head a category: the linear part starts from the previous head and is held to it, hidden units add to it."""
    stated = problem(vectors, labels, previous=previous, recipe=recipe)
    return _Network(vectors, stated, recipe, groups if recipe.adversarial else None).learn(course)


def judge(
    heads: Mapping[str, Heads], vectors: FloatArray, apart: Mapping[str, Labels]
) -> tuple[float | None, float | None]:
    """Mean log loss by category on labels apart, and the mean AUC; None where they hold one class only."""
    lost, ranked = [], []
    for name, head in heads.items():
        one = apart.get(name)
        if one is None or one.fewest == 0:
            continue
        said = sigmoid(logits_of(head, vectors[one.rows]))
        lost.append(log_loss(said, one.label, one.weight))
        if (area := auc(said, one.label, one.weight)) is not None:
            ranked.append(area)
    return float(np.mean(lost)) if lost else None, float(np.mean(ranked)) if ranked else None


class _Network:
    def __init__(self, vectors: FloatArray, stated: Problem, recipe: Recipe, groups: Groups | None) -> None:
        import torch

        self.vectors, self.stated, self.recipe, self.groups = vectors, stated, recipe, groups
        self.pictures = torch.from_numpy(np.flatnonzero(stated.mass.sum(axis=1) > 0))
        self.x, self.target, self.mass = map(torch.from_numpy, (vectors, stated.target, stated.mass))
        self.mean, self.spread = torch.from_numpy(stated.mean), torch.from_numpy(stated.spread)
        self.start, self.ridge = torch.from_numpy(stated.start), torch.from_numpy(stated.ridge)
        self.weights = self._begun()
        self.solver = torch.optim.Adam(list(self.weights.values()), lr=recipe.learning_rate)
        self.total = float(stated.mass.sum())

    def _begun(self) -> "dict[str, torch.Tensor]":
        """At the start the hidden units add nothing, so the network is the previous head."""
        import torch

        rng = torch.Generator().manual_seed(self.recipe.seed)
        k, size = self.stated.start.shape[0], self.stated.start.shape[1] - 1
        weights = {"linear": self.start.clone()}
        if self.recipe.kind == "mlp":
            units = self.recipe.hidden
            weights["units"] = torch.randn(units, size, generator=rng) * (2 / size) ** 0.5
            weights["levels"] = torch.zeros(units)
            weights["out"] = torch.zeros(k, units)
        if self.groups is not None:
            weights["adversary"] = torch.zeros(k, len(self.groups.names), 2)
        return {name: value.requires_grad_() for name, value in weights.items()}

    def learn(self, course: Course) -> Learnt:
        import torch

        best, best_at, lowest, first = self._copy(), 0, float("inf"), 1
        if (kept := course.kept.load(course.stage)) is not None:
            best, best_at, lowest, first = self._restore(*kept)
        judged = course.apart is not None and sum(one.fewest for one in course.apart.values()) >= THIN
        for epoch in range(first, course.epochs + 1):
            if judged and epoch - 1 - best_at >= self.recipe.patience:
                break
            loss = self._epoch(epoch)
            if not np.isfinite(loss):
                raise FitError("the fit did not settle: lower learning_rate in the recipe")
            point = Point(epoch, loss)
            if judged and course.apart is not None:
                seen, ranked = judge(self._heads(), self.vectors, course.apart)
                assert seen is not None
                point = Point(epoch, loss, seen, ranked)
                if seen < lowest:
                    best, best_at, lowest = self._copy(), epoch, seen
            else:
                best, best_at = self._copy(), epoch
            self._keep(course, epoch, best, best_at, lowest)
            course.told(point, epoch / course.epochs)
        with torch.no_grad():
            for name, value in best.items():
                self.weights[name].copy_(value)
        return Learnt(self._heads(), best_at)

    def _epoch(self, number: int) -> float:
        import torch

        # Its own generator an epoch: nothing of an earlier one is needed to go on.
        rng = torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + number)
        order, lost = torch.randperm(len(self.pictures), generator=rng), 0.0
        batches = order.split(self.recipe.batch)
        for batch in batches:
            rows = self.pictures[batch]
            logits = self._logits((self.x[rows] - self.mean) / self.spread)
            loss = cross_entropy(logits, self.target[rows], self.mass[rows], focal=self.recipe.focal)
            lost += float(loss.detach())
            whole = loss + self._pull() / len(batches) + self._adversary(logits, rows)
            self.solver.zero_grad()
            # By the mean weight a picture, so that a step is as long whatever the weights sum to.
            (whole / (self.total / len(self.pictures) * len(rows))).backward()
            self.solver.step()
        return lost / self.total

    def _logits(self, seen: "torch.Tensor") -> "torch.Tensor":
        import torch

        linear = self.weights["linear"]
        logits = seen @ linear[:, :-1].T + linear[:, -1]
        if "out" in self.weights:
            units = torch.relu(seen @ self.weights["units"].T + self.weights["levels"])
            logits = logits + units @ self.weights["out"].T
        return logits

    def _pull(self) -> "torch.Tensor":
        """The prior: the linear part is held to where it started, the hidden part to zero."""
        pull = (self.ridge * (self.weights["linear"] - self.start) ** 2).sum()
        for name in ("units", "out"):
            if name in self.weights:
                pull = pull + self.recipe.ridge * (self.weights[name] ** 2).sum()
        return 0.5 * pull

    def _adversary(self, logits: "torch.Tensor", rows: "torch.Tensor") -> "torch.Tensor":
        """Its loss at telling the group from each score; the scores get its gradient turned round, so that they tell
        less."""
        import torch

        if self.groups is None:
            return torch.zeros(())
        strength = self.recipe.adversarial
        group = torch.from_numpy(self.groups.of_picture)[rows]
        # Forwards the score itself, backwards the gradient times -strength (Ganin and Lempitsky 2015).
        turned = logits.detach() * (1 + strength) - logits * strength
        losses = torch.zeros(())
        for k in range(logits.shape[1]):
            known = (group >= 0) & (self.mass[rows, k] > 0)
            if known.any():
                score = torch.sigmoid(turned[known, k])
                seen = torch.stack([torch.ones_like(score), score], dim=1) @ self.weights["adversary"][k].T
                told = torch.nn.functional.cross_entropy(seen, group[known], reduction="none")
                losses = losses + (told * self.mass[rows, k][known]).sum()
        return losses

    def _heads(self) -> dict[str, Heads]:
        arrays = {name: value.detach().numpy().copy() for name, value in self.weights.items()}
        linear = self.stated.heads(arrays["linear"])
        if "out" not in arrays:
            return linear
        units = (arrays["units"] / self.stated.spread).astype(np.float32)
        levels = (arrays["levels"] - units @ self.stated.mean).astype(np.float32)
        return {
            name: Heads((name,), head.weight, head.bias, (Calibration(),), hidden=Hidden(units, levels, out[None]))
            for (name, head), out in zip(linear.items(), arrays["out"], strict=True)
        }

    def _copy(self) -> "dict[str, torch.Tensor]":
        return {name: value.detach().clone() for name, value in self.weights.items()}

    def _keep(
        self, course: Course, epoch: int, best: "Mapping[str, torch.Tensor]", best_at: int, lowest: float
    ) -> None:
        tensors = {f"now.{name}": value for name, value in self._copy().items()}
        tensors |= {f"best.{name}": value for name, value in best.items()}
        for name, weight in self.weights.items():
            tensors |= {f"solver.{name}.{part}": value for part, value in self.solver.state[weight].items()}
        said = {"epoch": epoch, "best_at": best_at, "lowest": lowest if np.isfinite(lowest) else None}
        course.kept.save(course.stage, tensors, said)

    def _restore(
        self, tensors: "dict[str, torch.Tensor]", said: Mapping[str, Any]
    ) -> "tuple[dict[str, torch.Tensor], int, float, int]":
        import torch

        with torch.no_grad():
            for name, weight in self.weights.items():
                weight.copy_(tensors[f"now.{name}"])
                start = f"solver.{name}."
                self.solver.state[weight] = {
                    part.removeprefix(start): value for part, value in tensors.items() if part.startswith(start)
                }
        best = {name: tensors[f"best.{name}"] for name in self.weights}
        lowest = float("inf") if said["lowest"] is None else float(said["lowest"])
        return best, int(said["best_at"]), lowest, int(said["epoch"]) + 1
