"""Heads with differential privacy: DP-SGD by Opacus, which is an extra. Everything is imported inside."""

import secrets
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from math import exp
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from classifiers.base import FloatArray
from classifiers.fitting import FitError, Labels, cross_entropy
from classifiers.heads import Calibration, Heads
from classifiers.progress import Point
from classifiers.training.faults import TrainingError
from classifiers.training.networks import Course, judge
from classifiers.training.recipes import Recipe

if TYPE_CHECKING:
    import torch

ACCOUNTANT = "prv"
TOLERANCE = 0.01
SHARE = 0.1
"""Of the pictures in an expected batch: large batches drown less in noise, and a tenth leaves steps enough."""
RATE = 2.0


@dataclass(frozen=True, slots=True)
class Privacy:
    """What a training may be said to have kept to itself; every number of it goes into the card."""

    epsilon: float
    delta: float
    accountant: str
    noise_multiplier: float
    max_grad_norm: float
    sample_rate: float
    steps: int
    pictures: int
    unit: str = "one picture of the training split with all its labels, added or removed"

    def describe(self) -> dict[str, Any]:
        return {**asdict(self), "covered": COVERED, "not_covered": NOT_COVERED, "statement": self.statement()}

    def statement(self) -> str:
        """In plain words."""
        return (
            f"Whoever has these weights, and knows every other label, can hardly tell whether a given picture was "
            f"learnt from: any conclusion about it is at most {exp(self.epsilon):,.0f} times likelier than if it had "
            f"not been there (epsilon {self.epsilon:.2f}), but for a chance of {self.delta:.0e} (delta). A bound for "
            f"the worst case: what attacks are able to do in practice is less, and copies of one picture count each "
            f"for itself."
        )


COVERED = "weights and biases of the heads, against the pictures of the training split"
NOT_COVERED = (
    "the calibration (two numbers a category, or the knots of a curve) and the picked threshold, which come without "
    "noise from the validation split; all figures, which come from the test split; how many labels there were, and "
    "which categories had enough. Pictures of those two splits have no guarantee; those of the training split had no "
    "part in any of it but the counts."
)


def fit_private(
    vectors: FloatArray,
    labels: Mapping[str, Labels],
    *,
    recipe: Recipe,
    course: Course,
    noise: int | None = None,
) -> tuple[dict[str, Heads], Privacy]:
    """A linear head a category on embeddings divided by their length, by DP-SGD with Poisson sampling for all epochs.

    Nothing of the labels is used but through clipped, noised gradients: no class weights, no standardising, no early
    stop, no previous heads. Lots and noise come from a seed that is drawn in secret and kept nowhere after the
    training, for who knew it could take the noise away again; ``noise`` gives it, for tests. Raises TrainingError where
    Opacus is missing or the budget cannot be kept.
    """
    import torch

    accountants, grad_sample, optimizers = _opacus()
    names = tuple(labels)
    target = torch.zeros(len(vectors), len(names))
    mass = torch.zeros_like(target)
    for k, one in enumerate(labels.values()):
        target[one.rows, k] = torch.from_numpy(one.label.astype(np.float32))
        mass[one.rows, k] = torch.from_numpy(one.weight.astype(np.float32))
    pictures = torch.nonzero(mass.sum(dim=1)).flatten()
    n = len(pictures)
    delta = recipe.delta or min(1e-5, 0.1 / n)
    if delta >= 1 / n:
        raise TrainingError(f"delta {delta:g} on {n} pictures may give one away whole: at most {1 / n:.1e}")
    rate = min(1.0, max(SHARE, recipe.batch / n))
    steps = max(1, round(course.epochs / rate))
    sigma = _noise(recipe.target_epsilon, delta, rate, steps)
    model = grad_sample.GradSampleModule(torch.nn.Linear(vectors.shape[1], len(names)), loss_reduction="sum")
    with torch.no_grad():
        for value in model.parameters():
            value.zero_()
    rng = torch.Generator().manual_seed(secrets.randbits(62) if noise is None else noise)
    solver = optimizers.DPOptimizer(
        torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9),
        noise_multiplier=sigma,
        max_grad_norm=recipe.max_grad_norm,
        expected_batch_size=max(1, round(n * rate)),
        loss_reduction="mean",
        generator=rng,
    )
    state = _State(model, solver, rng, course)
    mean = torch.zeros(len(names), vectors.shape[1] + 1)
    begun = state.restore(mean)
    for step in range(begun + 1, steps + 1):
        rows = pictures[torch.rand(n, generator=rng) < rate]
        loss = cross_entropy(model(_directions(vectors[rows.numpy()])), target[rows], mass[rows], focal=recipe.focal)
        solver.zero_grad()
        loss.backward()
        solver.step()
        with torch.no_grad():
            now = torch.cat([model._module.weight, model._module.bias[:, None]], dim=1)
            # The mean over the second half of the steps is as private as the steps are, and less shaken by the noise.
            if (late := step - steps // 2) > 0:
                mean += (now - mean) / late
        if step % max(1, steps // 50) == 0 or step == steps:
            state.keep(step, mean)
            course.told(_judged(step, _heads(names, mean.numpy()), vectors, course.apart or {}), step / steps)
    found = mean.numpy()
    if not np.isfinite(found).all():
        raise FitError("the fit did not settle: lower max_grad_norm in the recipe")
    heads = _heads(names, found)
    spent = _spent(accountants, sigma, delta, rate, steps)
    return heads, Privacy(spent, delta, ACCOUNTANT, float(sigma), recipe.max_grad_norm, rate, steps, n)


@lru_cache(maxsize=64)
def _noise(target: float, delta: float, rate: float, steps: int) -> float:
    """The least noise multiplier that keeps to the budget, and stays within TOLERANCE below it; seconds to find."""
    accountants, _, _ = _opacus()
    try:
        with _quiet():
            found = accountants.utils.get_noise_multiplier(
                target_epsilon=target,
                target_delta=delta,
                sample_rate=rate,
                steps=steps,
                accountant=ACCOUNTANT,
                epsilon_tolerance=TOLERANCE,
            )
    except ValueError as error:
        raise TrainingError(f"epsilon {target:g} cannot be kept: {error}") from error
    return float(found)


def _spent(accountants: Any, sigma: float, delta: float, rate: float, steps: int) -> float:
    ledger = accountants.create_accountant(mechanism=ACCOUNTANT)
    ledger.history = [(sigma, rate, steps)]
    with _quiet():
        return float(ledger.get_epsilon(delta=delta))


@contextmanager
def _quiet() -> Iterator[None]:
    """The first guess of how far the accountant must look, by another accountant, may be a loose one; it says so."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Optimal order is the largest alpha", category=UserWarning)
        yield


def _heads(names: Sequence[str], found: NDArray[Any]) -> dict[str, Heads]:
    return {
        name: Heads((name,), found[[k], :-1].copy(), found[[k], -1].reshape(1).copy(), (Calibration(),), True)
        for k, name in enumerate(names)
    }


def _judged(step: int, heads: Mapping[str, Heads], vectors: FloatArray, apart: Mapping[str, Labels]) -> Point:
    """By labels that are not private alone: the loss on those that are would tell of them on the page that shows it."""
    return Point(step, None, *judge(heads, vectors, apart))


def _directions(vectors: FloatArray) -> "torch.Tensor":
    """Each embedding by its own length: what standardising would need, means and spreads, is not private."""
    import torch

    seen = torch.from_numpy(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))
    return seen.requires_grad_()  # Opacus' hooks warn where nothing asks for a gradient


def _opacus() -> tuple[Any, Any, Any]:
    try:
        from opacus import accountants, grad_sample, optimizers
        from opacus.accountants import utils  # noqa: F401 - reached through its package
    except ImportError as error:
        raise TrainingError("differential privacy needs Opacus: pip install 'loupe[privacy]'") from error
    return accountants, grad_sample, optimizers


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """All that the next step depends on."""

    model: Any
    solver: Any
    rng: "torch.Generator"
    course: Course

    def keep(self, step: int, mean: "torch.Tensor") -> None:
        tensors = {f"now.{name}": value.detach() for name, value in self._weights().items()}
        state = self.solver.original_optimizer.state
        tensors |= {f"moving.{name}": state[value]["momentum_buffer"] for name, value in self._weights().items()}
        self.course.kept.save(self.course.stage, tensors | {"mean": mean, "rng": self.rng.get_state()}, {"step": step})

    def restore(self, mean: "torch.Tensor") -> int:
        """The step that was reached; 0 where nothing was kept."""
        import torch

        if (kept := self.course.kept.load(self.course.stage)) is None:
            return 0
        tensors, said = kept
        with torch.no_grad():
            mean.copy_(tensors["mean"])
            for name, value in self._weights().items():
                value.copy_(tensors[f"now.{name}"])
                self.solver.original_optimizer.state[value] = {"momentum_buffer": tensors[f"moving.{name}"]}
        self.rng.set_state(tensors["rng"])
        return int(said["step"])

    def _weights(self) -> "dict[str, torch.nn.Parameter]":
        return dict(self.model._module.named_parameters())
