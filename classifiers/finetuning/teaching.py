"""One training of a network from start to end."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classifiers.base import FloatArray
from classifiers.calibration import Calibration, log_loss, sigmoid
from classifiers.evaluation import auc
from classifiers.finetuning.album import Album, Read, gathered
from classifiers.finetuning.candidates import Network
from classifiers.finetuning.recipes import IMAGENET, BackboneRecipe
from classifiers.fitting import FitError, Labels
from classifiers.heads import Heads
from classifiers.manifests import Manifest
from classifiers.progress import Point, Watch
from classifiers.shapes import InputSpec
from classifiers.training.checkpoints import Checkpoints
from classifiers.training.recipes import Recipe
from classifiers.training.settling import Held

if TYPE_CHECKING:
    import torch


def train_backbone(
    manifest: Manifest,
    *,
    read: Read,
    recipe: BackboneRecipe | None = None,
    start: Path | None = None,
    watch: Watch | None = None,
) -> Network | None:
    """Teach a network on the images of the training split, calibrate and measure it as heads are; it yields an
    embedding and a probability for each category with enough labels.

    Under torchrun every process calls this; all teach, the first returns the network and the others None. With a
    ``watch`` that has a folder, a training that was killed goes on after its last whole epoch, to the same weights.
    Raises TrainingError for labels or images that do not do, Cancelled when ``watch`` says.
    """
    from classifiers.finetuning.network import Group, Pupil

    recipe, watch = recipe or BackboneRecipe(), watch or Watch()
    watch.reach("reading", 0.0)
    album = gathered(manifest, recipe, read)
    spec = InputSpec(recipe.size, name="image", mean=IMAGENET[0], std=IMAGENET[1])
    group = Group()
    kept = Checkpoints(watch.folder, key=f"{manifest.fingerprint}:{recipe.digest}")
    with group.together():
        pupil = Pupil(album, recipe, spec, group, start)
        best, best_at, lowest, first = pupil.state(), 0, float("inf"), 1
        if (found := pupil.restore(kept)) is not None:
            best, said = found
            best_at, lowest, first = said["best_at"], said["lowest"] or float("inf"), said["epoch"] + 1
        for epoch in range(first, recipe.epochs + 1):
            if epoch - 1 - best_at >= recipe.patience:
                break
            loss = 0.0
            for share, loss in pupil.epoch(epoch):  # noqa: B007 - the last one counts
                watch.reach("teaching", 0.9 * (epoch - 1 + share) / recipe.epochs)
            loss = group.summed(loss) / group.size
            if not np.isfinite(loss):
                raise FitError("the network did not settle: lower learning_rate in the recipe")
            seen, ranked = judged(pupil.logits, album) if group.rank == 0 else (None, None)
            # Without validation labels every epoch is the best so far.
            height = group.agreed(lowest - 1 if seen is None else seen)
            if height < lowest:
                best, best_at, lowest = pupil.state(), epoch, height
            if group.rank == 0:
                low = lowest if np.isfinite(lowest) else None
                pupil.keep(kept, epoch, best, {"best_at": best_at, "lowest": low})
            watch.point(Point(epoch, loss, seen, ranked))
        if group.rank:
            return None
    watch.reach("measuring", 0.92)
    return settled(album, recipe, spec, best, manifest.fingerprint)


def judged(logits: Callable[[NDArray[np.int64]], FloatArray], album: Album) -> tuple[float | None, float | None]:
    """Mean log loss and AUC over categories, on the validation half that thresholds are picked on."""
    lost, ranked = [], []
    apart = {name: album.labels[name]["threshold"] for name in album.categories}
    rows = np.unique(np.concatenate([one.rows for one in apart.values()]))
    table = logits(rows) if len(rows) else np.empty((0, len(apart)), np.float32)
    for k, one in enumerate(apart.values()):
        if one.fewest:
            said = sigmoid(table[np.searchsorted(rows, one.rows), k])
            lost.append(log_loss(said, one.label, one.weight))
            ranked.append(auc(said, one.label, one.weight) or 0.0)
    return (float(np.mean(lost)), float(np.mean(ranked))) if lost else (None, None)


def settled(
    album: Album, recipe: BackboneRecipe, spec: InputSpec, best: "Mapping[str, torch.Tensor]", fingerprint: str
) -> Network:
    """The network as it will serve, its last layer calibrated and measured like any heads on its embedding."""
    from classifiers.finetuning.serving import Serving

    serving = Serving(best, recipe, album.categories)
    rows = album.used()
    vectors = serving.embeddings(album, rows, spec)
    weight, bias = serving.last_layer()
    metrics, curves = {}, []
    for k, category in enumerate(album.categories):
        head = Heads((category,), weight[[k]], bias[[k]], (Calibration(),))
        held = Held(vectors, {name: moved(one, rows) for name, one in album.labels[category].items()}, None, None)
        found = held.settle(head, Recipe(fewest_validation=recipe.fewest_validation, folds=0))
        metrics[category] = found.metrics
        curves.append(found.head.calibrations[0])
    return Network(serving, tuple(album.categories), tuple(curves), metrics, fingerprint, recipe, vectors.shape[1])


def moved(labels: Labels, rows: NDArray[np.int64]) -> Labels:
    """The same labels by place among ``rows``; those of other images, which were learnt from, are kept in number."""
    places = np.searchsorted(rows, labels.rows)
    return Labels(np.minimum(places, max(len(rows) - 1, 0)), labels.label, labels.weight, labels.fold)
