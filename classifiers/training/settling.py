"""What is done with a fitted head: it is calibrated, given a threshold, and measured, each on labels of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.base import FloatArray
from classifiers.calibration import Calibration, Choice, choose
from classifiers.evaluation import at_thresholds, best_threshold, evaluate
from classifiers.fitting import Labels, logits_of
from classifiers.heads import Heads
from classifiers.training.groups import Groups, gaps
from classifiers.training.recipes import Recipe

KEPT = "too few labels for training: the previous head is unchanged"


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """A head with its curve, and its figures."""

    head: Heads
    metrics: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """What is known of one category: its labels by set, out-of-fold logits of the training ones, its head before."""

    vectors: FloatArray
    labels: Mapping[str, Labels] | None
    unseen: NDArray[np.float64] | None
    old: Heads | None
    groups: Groups | None = None

    def settle(self, head: Heads | None, recipe: Recipe) -> Settled:
        """Calibrate and measure ``head``, or the head before when there is no new one."""
        notes: list[str] = []
        choice: Choice | None = None
        if head is None:
            assert self.old is not None
            head = self.old
            notes.append(KEPT)
        else:
            choice = self._calibrated(head, recipe, notes)
            head = replace(head, calibrations=(choice.calibration,))
        measured = self._measured(head, notes)
        return Settled(head, measured | _described(head.calibrations[0], choice))

    def _calibrated(self, head: Heads, recipe: Recipe, notes: list[str]) -> Choice:
        assert self.labels is not None
        apart, seen = self.labels["calibration"], self.labels["train"]
        logits, label, mass, fold = self._logits(apart, head), apart.label, apart.weight, apart.fold
        if self.unseen is not None:
            usable = ~np.isnan(self.unseen)
            logits = np.concatenate([logits, self.unseen[usable]])
            label, mass = np.concatenate([label, seen.label[usable]]), np.concatenate([mass, seen.weight[usable]])
            fold = np.concatenate([fold, seen.fold[usable]])
        # A curve before is on the logits of a head before: under differential privacy there is none.
        before = self.old.calibrations[0] if self.old and not recipe.private else None
        if min((label == 1).sum(), (label == 0).sum()) < recipe.fewest_validation:
            if before is not None:
                notes.append("too few labels for calibration: the previous calibration is kept")
                return Choice(before, {}, len(label), int(label.sum()))
            notes.append("too few labels for calibration: only the level is fitted")
        return choose(logits, label, weights=mass, prior=before, prior_weight=recipe.prior_weight, folds=fold)

    def _logits(self, labels: Labels, head: Heads) -> NDArray[np.float64]:
        return logits_of(head, self.vectors[labels.rows])

    def _measured(self, new: Heads, notes: list[str]) -> dict[str, Any]:
        """Figures on the test split, those of the previous head beside them, and at a threshold picked elsewhere."""
        sets = self.labels or {}
        counts = {name: {"n": len(one.label), "positives": int(one.label.sum())} for name, one in sets.items()}
        if not sets or not len(sets["test"].label):
            notes.append("no labels for testing: nothing was measured")
            return {"notes": notes, "labels": counts}
        apart = sets["test"]
        if apart.fewest < 1:
            notes.append("the test labels are of one class only: ranking cannot be measured")
        said = self._probabilities(apart, new)
        figures = evaluate(said, apart.label, apart.weight)
        before = evaluate(self._probabilities(apart, self.old), apart.label, apart.weight) if self.old else None
        keys = ("auc", "ap", "ece", "brier", "log_loss")
        previous = {key: before[key] for key in keys} if before else None  # type: ignore[literal-required]
        picked = self._picked(new)
        found = {**figures, "picked": picked, "previous": previous, "notes": notes, "labels": counts}
        return found | self._by_group(said, apart, picked)

    def _by_group(
        self, said: NDArray[np.float64], apart: Labels, picked: Mapping[str, Any] | None
    ) -> dict[str, dict[str, Any]]:
        if self.groups is None:
            return {}
        threshold = picked["threshold"] if picked else 0.5
        return {"groups": gaps(said >= threshold, apart, self.groups, threshold=threshold)}

    def _picked(self, new: Heads) -> dict[str, Any] | None:
        """The threshold with the largest F1 on labels kept for that, and what it does on the test split."""
        assert self.labels is not None
        apart, test = self.labels["threshold"], self.labels["test"]
        threshold = best_threshold(self._probabilities(apart, new), apart.label, apart.weight)
        if threshold is None:
            return None
        row = at_thresholds(self._probabilities(test, new), test.label, test.weight, thresholds=[threshold])[0]
        return {"rule": "largest F1", "picked_on": len(apart.label), **row}

    def _probabilities(self, labels: Labels, head: Heads) -> NDArray[np.float64]:
        return head.calibrations[0].apply(self._logits(labels, head))


def _described(calibration: Calibration, choice: Choice | None) -> dict[str, Any]:
    """How the curve was come by: its method, the held-out log loss of each that was tried, and on how many labels."""
    if choice is None:
        return {"calibration": {"method": calibration.method}}
    said = {"method": calibration.method, "n": choice.n, "positives": choice.positives}
    return {"calibration": {**said, "held_out_log_loss": dict(choice.held_out) or None}}
