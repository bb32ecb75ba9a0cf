"""One training from start to end: labels by category and set, a solver, and what is settled of each head."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.base import CardError, FloatArray
from classifiers.fitting import FitError, Labels, Told, fit, folds, gather, out_of_fold, pictures, silent
from classifiers.heads import Calibration, Heads, joined
from classifiers.manifests import Manifest, give_back
from classifiers.progress import Point, Watch
from classifiers.training import groups as grouping
from classifiers.training.candidates import Candidate
from classifiers.training.checkpoints import Checkpoints
from classifiers.training.faults import TrainingError
from classifiers.training.groups import Groups
from classifiers.training.networks import Course, Learnt, fit_network
from classifiers.training.private import Privacy, fit_private
from classifiers.training.recipes import Recipe
from classifiers.training.settling import Held

FIT_SHARE = 0.8
"""Of the work, as far as a bar shows it: the first fit. The rest are out-of-fold fits."""


def train_heads(
    manifest: Manifest,
    *,
    backbone: str,
    previous: Heads | None = None,
    recipe: Recipe | None = None,
    declared: Mapping[str, str] | None = None,
    watch: Watch | None = None,
) -> Candidate:
    """Fit one head a category on the training split, calibrate on labels it never saw, measure on test.

    Calibration uses one half of the validation split; where that is thin, also the training labels, each scored by a
    head that was fitted without its fold. The other half picks a threshold, and stops networks early. Test labels see
    the finished head only. The result has every category of ``previous`` and every one with enough labels. Where labels
    of either class are too few the earlier head or calibration is kept, and ``metrics[category]["notes"]`` says so.
    The same manifest, previous heads and recipe give the same heads, but for a private recipe, whose noise is secret:
    that one knows no previous heads, and leaves out what has too few labels. ``declared`` maps submissions to groups,
    in place of the recipe's column. Raises TrainingError when no category can be fitted, Cancelled when ``watch`` says.
    """
    recipe, watch = recipe or Recipe(), watch or Watch()
    watch.reach("reading", 0.0)
    give_back()
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
    # Trimmed by the sum of all weights, one label's weight would tell of the others.
    most = 1.0 if recipe.private else recipe.max_share
    labels = gather(manifest, row_of, fold, max_share=most, propensity=recipe.propensity)
    training = {name: one["train"] for name, one in labels.items() if one["train"].fewest >= recipe.fewest}
    if not training:
        raise TrainingError(
            f"no category has {recipe.fewest} labels of each class for training: review more pictures first"
        )
    groups = groups_of(manifest, row_of, recipe, declared)
    if recipe.reweigh and groups is not None:
        training = {name: one.times(grouping.reweighing(one, groups)) for name, one in training.items()}
    kept = Checkpoints(watch.folder, key=f"{manifest.fingerprint}:{recipe.digest}")
    lesson = Lesson(vectors, labels, previous if not recipe.private else None, recipe, groups, watch, kept)
    try:
        solved = lesson.fit(training)
        unseen = lesson.unseen(training)
    except FitError as error:
        raise TrainingError(str(error)) from error
    watch.reach("measuring", 0.98)
    earlier = previous.categories if previous and not recipe.private else ()
    results = {}
    for category in (*earlier, *(name for name in training if name not in earlier)):
        old = previous.pick(category) if previous else None
        held = Held(vectors, labels.get(category), unseen.get(category), old, groups)
        results[category] = held.settle(solved.get(category), recipe)
    try:
        heads = joined([one.head for one in results.values()])
    except CardError as error:
        raise TrainingError(str(error)) from error
    metrics = {category: one.metrics for category, one in results.items()}
    return Candidate(heads, backbone, metrics, manifest.fingerprint, recipe, lesson.privacy)


def groups_of(
    manifest: Manifest, row_of: NDArray[np.int64], recipe: Recipe, declared: Mapping[str, str] | None
) -> Groups | None:
    """The declared groups, where the recipe needs them or a file gives them."""
    if not recipe.grouped and declared is None:
        return None
    return grouping.gather(manifest, row_of, column=recipe.group, declared=declared)


@dataclass(eq=False)
class Lesson:
    """Which solver a recipe asks for, and what it needs."""

    vectors: FloatArray
    labels: Mapping[str, Mapping[str, Labels]]
    previous: Heads | None
    recipe: Recipe
    groups: Groups | None
    watch: Watch
    kept: Checkpoints
    privacy: Privacy | None = None
    epochs: int = 0
    thin: tuple[str, ...] = field(default=())

    def fit(self, training: Mapping[str, Labels]) -> Mapping[str, Heads]:
        calibration = {name: self.labels[name]["calibration"].fewest for name in training}
        few = not self.recipe.private and self.recipe.folds > 1
        self.thin = tuple(name for name, n in calibration.items() if few and n < self.recipe.thin)
        share = FIT_SHARE if self.thin else 0.95
        self.watch.reach("fitting", 0.02)
        if self.recipe.private:
            course = self._course("fit", self.recipe.epochs, share)
            heads, self.privacy = fit_private(self.vectors, training, recipe=self.recipe, course=course)
            return heads
        if self._linear:
            return self._solved("fit", training, watch=lambda look, loss: self._looked(look, loss, share))
        course = self._course("fit", self.recipe.epochs, share)
        learnt = self._network(training, course)
        self.epochs = learnt.epochs
        return learnt.heads

    def unseen(self, training: Mapping[str, Labels]) -> dict[str, NDArray[np.float64]]:
        """Out-of-fold logits of the categories whose calibration labels are few."""
        if not self.thin:
            return {}
        thin = {name: training[name] for name in self.thin}

        def solve(rest: Mapping[str, Labels], fold: int) -> Mapping[str, Heads]:
            self.watch.reach("fitting without each fold", FIT_SHARE + 0.18 * fold / self.recipe.folds)
            if self._linear:
                return self._solved(f"fold-{fold}", rest)
            # As long as the heads themselves were taught: without labels apart there is nothing to stop by.
            quiet = Course(max(self.epochs, 1), None, f"fold-{fold}", self.kept, lambda _point, _share: None)
            return self._network(rest, quiet).heads

        return out_of_fold(self.vectors, thin, solve=solve, count=self.recipe.folds)

    @property
    def _linear(self) -> bool:
        return self.recipe.kind == "linear" and not self.recipe.adversarial

    def _network(self, training: Mapping[str, Labels], course: Course) -> Learnt:
        return fit_network(
            self.vectors, training, previous=self.previous, recipe=self.recipe, groups=self.groups, course=course
        )

    def _solved(self, stage: str, training: Mapping[str, Labels], *, watch: Told = silent) -> dict[str, Heads]:
        """By L-BFGS. Solved once, it is kept whole: half a solution is worth nothing to it."""
        import torch

        if (found := self.kept.load(stage)) is not None:
            tensors, _said = found
            return {name: _kept_head(tensors, name) for name in training}
        heads = fit(self.vectors, training, previous=self.previous, recipe=self.recipe, watch=watch)
        tensors = {f"weight.{name}": torch.from_numpy(head.weight) for name, head in heads.items()}
        tensors |= {f"bias.{name}": torch.from_numpy(head.bias) for name, head in heads.items()}
        self.kept.save(stage, tensors, {})
        return heads

    def _looked(self, look: int, loss: float, share: float) -> None:
        # Most line searches take one look, some two.
        done = min(1.0, look / (1.1 * self.recipe.iterations))
        self.watch.point(Point(look, loss))
        self.watch.reach("fitting", 0.02 + (share - 0.02) * done)

    def _course(self, stage: str, epochs: int, share: float) -> Course:
        apart = {name: one["threshold"] for name, one in self.labels.items()}

        def told(point: Point, done: float) -> None:
            self.watch.point(point)
            self.watch.reach("fitting", 0.02 + (share - 0.02) * done)

        return Course(epochs, apart, stage, self.kept, told)


def _kept_head(tensors: Mapping[str, Any], name: str) -> Heads:
    return Heads((name,), tensors[f"weight.{name}"].numpy(), tensors[f"bias.{name}"].numpy(), (Calibration(),))
