"""From a label manifest to a registered candidate: which backbone, which heads before, which version next."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow.compute as pc

from classifiers import registry
from classifiers.base import CardError
from classifiers.folders import folder_sha256
from classifiers.heads import Heads, joined
from classifiers.labels import SCHEMA
from classifiers.manifests import Manifest
from classifiers.models import ClassifierVersion
from classifiers.progress import Watch
from classifiers.prompt_training import PromptRecipe, train_prompts
from classifiers.prompts.examples import Examples
from classifiers.sources import HUB, find_folder
from classifiers.training import OWN_LABELS, Recipe, train_heads
from classifiers.weights import file_sha256

if TYPE_CHECKING:
    from classifiers.finetuning import BackboneRecipe
    from classifiers.finetuning.album import Read

_KIND = "heads"
_LICENCE = "as the labels of this installation"


@dataclass(frozen=True, slots=True)
class Retraining:
    """``version`` is the candidate, or, when ``skipped``, the one trained before from the same labels and recipe."""

    version: ClassifierVersion
    skipped: bool

    def means(self) -> dict[str, float | None]:
        """AUC over the categories measured, of the candidate and of what was there before."""
        measured = [one for one in self.version.metrics.values() if one.get("auc") is not None]
        before = [one["previous"]["auc"] for one in measured if one.get("previous")]
        return {
            "auc": float(np.mean([one["auc"] for one in measured])) if measured else None,
            "previous_auc": float(np.mean(before)) if before and len(before) == len(measured) else None,
        }

    def summary(self) -> str:
        """One line for people."""
        rows = self.version.metrics.values()
        learnt = [one for one in rows if not any("unchanged" in note for note in one.get("notes", []))]
        means = self.means()
        words = f"{len(learnt)} of {len(rows)} heads learnt from labels"
        if means["auc"] is not None:
            words += f", AUC {means['auc']:.3f}"
        if means["previous_auc"] is not None:
            words += f" (before {means['previous_auc']:.3f})"
        # A figure from a handful of labels is no more than a hint: say how many stand behind it.
        held_back = sum(one["labels"]["test"]["n"] for one in rows if one.get("auc") is not None)
        return f"{words} on {held_back} labels held back" if held_back else words


COLUMNS = ("category", "label", "weight", "split", "cluster_id", "embedding_ref", "classifier_versions")


def needed(recipe: Recipe, declared: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The columns of a manifest that ``retrain`` reads."""
    if declared is not None:
        return (*COLUMNS, "submission_id")
    return (*COLUMNS, recipe.group) if recipe.grouped and recipe.group in SCHEMA.names else COLUMNS


def retrain(
    manifest: Manifest,
    *,
    recipe: Recipe,
    name: str = "",
    backbone: str = "",
    declared: Mapping[str, str] | None = None,
    watch: Watch | None = None,
    out: Path | None = None,
) -> Retraining:
    """Fit heads to the manifest and register them as the next version of ``name``; nothing is done when nothing
    changed.

    ``name`` and ``backbone`` default to those of the heads that scored the pictures. ``declared`` maps submissions to
    groups. Card, weights and ONNX are also left in ``out``. Raises CardError when the defaults cannot be told,
    TrainingError when the labels are too few, Cancelled when ``watch`` says so.
    """
    if declared is not None:
        said = json.dumps(sorted(declared.items()), ensure_ascii=False)
        recipe = replace(recipe, declared=hashlib.sha256(said.encode()).hexdigest())
    scored = _heads_that_scored(manifest)
    name = name or (scored.name if scored else "")
    backbone = backbone or str(manifest.index.get("query", {}).get("backbone") or "")
    backbone = backbone or (scored.backbone.ref if scored and scored.backbone else "")
    if not name or not backbone:
        raise CardError("no heads scored these pictures: say which name to train and on which backbone")
    eyes = registry.versions([backbone])[0]
    family = list(ClassifierVersion.objects.filter(name=name).order_by("created_at"))
    same = [
        row for row in family if row.manifest_fingerprint == manifest.fingerprint and row.recipe_digest == recipe.digest
    ]
    if same:
        return Retraining(same[-1], skipped=True)
    earlier = [row for row in family if row.kind == _KIND and row.backbone_id == eyes.pk]
    candidate = train_heads(
        manifest,
        backbone=eyes.ref,
        previous=_anchor(earlier, manifest, recipe),
        recipe=recipe,
        declared=declared,
        watch=watch,
    )
    with _folder(out) as folder:
        card = candidate.write(folder, name=name, version=_next(family), licence=_LICENCE)
        return Retraining(registry.register(card), skipped=False)


def retrain_backbone(
    manifest: Manifest,
    *,
    recipe: BackboneRecipe,
    name: str,
    read: Read,
    start: Path | None = None,
    watch: Watch | None = None,
    out: Path | None = None,
) -> Retraining | None:
    """Teach a network on the manifest's images and register it as the next version of ``name``; nothing is done when
    nothing changed. Under torchrun the first process registers, the others return None. Raises as ``retrain`` does.
    """
    from classifiers.finetuning import train_backbone

    if start is not None:
        recipe = replace(recipe, start=file_sha256(start))
    family = list(ClassifierVersion.objects.filter(name=name).order_by("created_at"))
    same = [
        row for row in family if row.manifest_fingerprint == manifest.fingerprint and row.recipe_digest == recipe.digest
    ]
    if same:
        return Retraining(same[-1], skipped=True)
    network = train_backbone(manifest, read=read, recipe=recipe, start=start, watch=watch)
    if network is None:
        return None
    with _folder(out) as folder:
        card = network.write(folder, name=name, version=_next(family), licence=_LICENCE)
        return Retraining(registry.register(card), skipped=False)


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    if out is not None:
        yield out
        return
    with TemporaryDirectory(prefix="loupe-candidate-") as folder:
        yield Path(folder)


def _heads_that_scored(manifest: Manifest) -> ClassifierVersion | None:
    refs: Counter[str] = Counter()
    versions: Any = manifest.table["classifier_versions"].combine_chunks()
    counted: Any = pc.value_counts(versions.flatten())
    for one in counted.to_pylist():
        refs[one["values"]] += one["counts"]
    for ref, _count in sorted(refs.items(), key=lambda item: (-item[1], item[0])):
        row = ClassifierVersion.objects.with_refs([ref]).filter(kind=_KIND).select_related("backbone").first()
        if row is not None:
            return row
    return None


def _anchor(earlier: list[ClassifierVersion], manifest: Manifest, recipe: Recipe) -> Heads | None:
    """The heads to start from.

    A manifest of all labels holds those that later versions have learnt from already; anchored to these, the same
    labels would count twice. So each category starts from its first head that was not taught by such labels, and where
    there is none, as after a cold start, from nothing; unless the manifest begins at some date. A category that it
    cannot teach keeps its latest head.
    """
    if not earlier:
        return None
    if manifest.index.get("query", {}).get("since"):
        latest = registry.load_heads(earlier[-1])
        return None if latest.normalised else latest
    taught = _taught(manifest, recipe.fewest)
    found: dict[str, Heads] = {}
    for row in earlier:
        heads, own = registry.load_heads(row), row.card.get("trained_on") == OWN_LABELS
        # Those trained with differential privacy read embeddings otherwise: they hold no others, and are held by none.
        for category in () if heads.normalised else heads.categories:
            if category not in taught or (category not in found and not own):
                found[category] = cast(Heads, heads.pick(category))
    return joined(list(found.values())) if found else None


def _taught(manifest: Manifest, fewest: int) -> set[str]:
    """Categories of which the training split holds so many labels of each class."""
    rows = manifest.split("train").table.select(["category", "label"]).to_pylist()
    counts = Counter((row["category"], row["label"]) for row in rows)
    return {name for name in manifest.categories if min(counts[name, 0], counts[name, 1]) >= fewest}


def _next(family: list[ClassifierVersion]) -> str:
    return str(max((int(row.version) for row in family if row.version.isdecimal()), default=0) + 1)


def describe(result: Retraining) -> dict[str, Any]:
    """What ``train --json`` prints."""
    row = result.version
    return {
        "version": row.ref,
        "skipped": result.skipped,
        "summary": result.summary(),
        "manifest_fingerprint": row.manifest_fingerprint,
        "recipe_digest": row.recipe_digest,
        **result.means(),
        "metrics": row.metrics,
    }


def retrain_prompts(examples: Examples, *, recipe: PromptRecipe, name: str, encoder: str = "") -> Retraining:
    """Teach a prompt model and register it as the next version of ``name``; nothing is done when nothing changed.
    ``encoder``: folder of a sentence encoder, or ``hub:owner/name@revision``.

    Raises TrainingError when the examples are too few, CardError when the encoder cannot be used.
    """
    family = list(ClassifierVersion.objects.filter(name=name).order_by("created_at"))
    with TemporaryDirectory(prefix="loupe-candidate-") as folder:
        reader = encoder_of(encoder, Path(folder)) if encoder else None
        digest = recipe.on(folder_sha256(reader) if reader else "")
        same = [
            row for row in family if row.manifest_fingerprint == examples.fingerprint and row.recipe_digest == digest
        ]
        if same:
            return Retraining(same[-1], skipped=True)
        candidate = train_prompts(examples, recipe=recipe, encoder=reader)
        card = candidate.write(Path(folder), name=name, version=_next(family), licence=_LICENCE)
        return Retraining(registry.register(card), skipped=False)


def encoder_of(stated: str, beside: Path) -> Path:
    """The folder meant, in ``beside``, where the candidate's card will look for it. CardError where there is none."""
    found = find_folder(stated, Path.cwd() if not stated.startswith(HUB) else beside).resolve()
    if not found.is_dir():
        raise CardError(f"{stated} is no folder: give that of a sentence encoder")
    link = beside / found.name
    if not link.exists():
        link.symlink_to(found)
    return link
