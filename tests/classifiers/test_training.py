"""Heads learn from labels, keep what nothing new is known of, and say what they could not do."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifiers import cards, manifests
from classifiers.fitting import SETS, pictures, sets
from classifiers.heads import Calibration, Heads, sigmoid
from classifiers.manifests import Manifest, Row
from classifiers.training import Recipe, TrainingError, train_heads

SIZE = 12
DIRECTION = np.random.default_rng(42).normal(size=(2, SIZE)).astype(np.float32)


def truth(vectors: np.ndarray, k: int) -> np.ndarray:
    return np.asarray(vectors @ DIRECTION[k] > 1.0, dtype=int)


def labelled(
    folder: Path,
    n: int,
    *,
    categories: tuple[str, ...] = ("HATE", "PRIVACY"),
    seed: int = 0,
    weight: float | None = 1.0,
) -> Manifest:
    """`n` pictures whose labels follow a fixed direction of their embeddings, with a little noise."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, SIZE)).astype(np.float16)
    noisy = vectors.astype(np.float32) + rng.normal(0, 0.15, vectors.shape)
    rows = [
        Row(
            submission_id=str(i),
            category=category,
            label=int(truth(noisy[i : i + 1], k)[0]),
            weight=weight,  # type: ignore[typeddict-item]
            split=("train", "train", "train", "validation", "test")[i % 5],
            embedding_ref=i,
        )
        for i in range(n)
        for k, category in enumerate(categories)
    ]
    return manifests.write(rows, folder, embeddings=vectors)


def accuracy(heads: Heads, category: str, k: int) -> float:
    vectors = np.random.default_rng(99).normal(size=(2000, SIZE)).astype(np.float32)
    found = heads.apply(vectors)[:, heads.categories.index(category)] >= 0.5
    return float((found == truth(vectors, k)).mean())


def test_heads_learn_the_labels_and_are_measured_on_others(tmp_path: Path) -> None:
    candidate = train_heads(labelled(tmp_path, 1500), backbone="eyes@1")

    assert candidate.heads.categories == ("HATE", "PRIVACY")
    for k, category in enumerate(candidate.heads.categories):
        assert accuracy(candidate.heads, category, k) > 0.9
        figures = candidate.metrics[category]
        assert figures["auc"] > 0.95
        assert figures["ece"] < 0.08
        assert figures["labels"]["test"]["n"] == figures["n"] == 300
        assert figures["notes"] == []
        assert figures["previous"] is None


def test_calibration_thresholds_and_figures_come_from_disjoint_sets_of_clusters(tmp_path: Path) -> None:
    """Copies share a cluster; wherever one of them is used, all of them are."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(900, SIZE)).astype(np.float16)
    rows = [
        Row(
            category="HATE",
            label=int(truth(vectors[i : i + 1].astype(np.float32), 0)[0]),
            cluster_id=f"cluster-{i // 3}",
            split=("train", "validation", "test")[i // 3 % 3],
            embedding_ref=i,
        )
        for i in range(900)
    ]
    manifest = manifests.write(rows, tmp_path, embeddings=vectors)
    _vectors, row_of = pictures(manifest)

    belongs = sets(manifest, row_of)

    homes = {name: {i // 3 for i in np.flatnonzero(belongs == name)} for name in SETS}
    assert all(homes.values())
    assert sum(map(len, homes.values())) == len(set.union(*homes.values())) == 300
    counts = train_heads(manifest, backbone="eyes@1").metrics["HATE"]["labels"]
    assert {name: one["n"] for name, one in counts.items()} == {name: 3 * len(homes[name]) for name in SETS}


def test_the_card_says_how_the_curve_was_chosen_and_what_a_threshold_does_on_test_labels(tmp_path: Path) -> None:
    candidate = train_heads(labelled(tmp_path, 1500), backbone="eyes@1")

    figures = candidate.metrics["HATE"]
    tried = figures["calibration"]["held_out_log_loss"]
    assert tried[figures["calibration"]["method"]] == min(tried.values())
    assert figures["calibration"]["method"] == candidate.heads.calibrations[0].method
    picked = figures["picked"]
    assert picked["precision"] > 0.8
    assert picked["recall"] > 0.8
    assert picked["recall_interval"][0] < picked["recall"] < picked["recall_interval"][1]
    assert figures["log_loss"] < 0.3


def test_the_same_labels_and_recipe_give_the_same_heads(tmp_path: Path) -> None:
    manifest = labelled(tmp_path, 300)

    a, b = (train_heads(manifest, backbone="eyes@1") for _ in range(2))

    np.testing.assert_array_equal(a.heads.weight, b.heads.weight)
    assert a.heads.calibrations == b.heads.calibrations
    assert a.metrics == b.metrics


def test_labels_without_weight_count_once(tmp_path: Path) -> None:
    a = train_heads(labelled(tmp_path / "a", 300), backbone="eyes@1")
    b = train_heads(labelled(tmp_path / "b", 300, weight=None), backbone="eyes@1")

    np.testing.assert_array_equal(a.heads.weight, b.heads.weight)


def test_few_labels_move_previous_heads_little(tmp_path: Path) -> None:
    previous = train_heads(labelled(tmp_path / "a", 3000), backbone="eyes@1").heads
    few = labelled(tmp_path / "b", 30, seed=5)

    anchored = train_heads(few, backbone="eyes@1", previous=previous)
    alone = train_heads(few, backbone="eyes@1")

    for k, category in enumerate(previous.categories):
        assert accuracy(anchored.heads, category, k) > accuracy(previous, category, k) - 0.05
        assert accuracy(anchored.heads, category, k) > accuracy(alone.heads, category, k)


def test_many_labels_overrule_previous_heads(tmp_path: Path) -> None:
    wrong = Heads(("HATE", "PRIVACY"), -DIRECTION, np.zeros(2, np.float32), (Calibration(1.0, 0.0, "platt"),) * 2)

    candidate = train_heads(labelled(tmp_path, 2000), backbone="eyes@1", previous=wrong)

    assert accuracy(candidate.heads, "HATE", 0) > 0.9
    figures = candidate.metrics["HATE"]
    assert figures["previous"]["auc"] < 0.1
    assert figures["auc"] > 0.95


def test_a_category_without_new_labels_keeps_its_head(tmp_path: Path) -> None:
    previous = train_heads(labelled(tmp_path / "a", 500), backbone="eyes@1").heads
    only_hate = labelled(tmp_path / "b", 200, categories=("HATE",), seed=3)

    candidate = train_heads(only_hate, backbone="eyes@1", previous=previous)

    kept = candidate.heads.only("PRIVACY")
    before = previous.only("PRIVACY")
    assert kept is not None
    assert before is not None
    np.testing.assert_array_equal(kept[0], before[0])
    assert kept[1:] == before[1:]
    assert candidate.metrics["PRIVACY"]["notes"][0] == "too few labels for training: the previous head is unchanged"


def test_a_category_with_labels_of_one_class_keeps_its_head(tmp_path: Path) -> None:
    previous = train_heads(labelled(tmp_path / "a", 500), backbone="eyes@1").heads
    manifest = labelled(tmp_path / "b", 100, seed=3)
    rows: list[Any] = [row | {"label": 1} if row["category"] == "HATE" else row for row in manifest.table.to_pylist()]
    vectors = np.random.default_rng(3).normal(size=(100, SIZE)).astype(np.float16)
    one_sided = manifests.write(rows, tmp_path / "c", embeddings=vectors)

    candidate = train_heads(one_sided, backbone="eyes@1", previous=previous)

    assert "the previous head is unchanged" in candidate.metrics["HATE"]["notes"][0]
    assert "one class only" in candidate.metrics["HATE"]["notes"][1]


def test_a_new_category_joins_the_earlier_ones(tmp_path: Path) -> None:
    previous = train_heads(labelled(tmp_path / "a", 300, categories=("HATE",)), backbone="eyes@1").heads

    candidate = train_heads(labelled(tmp_path / "b", 300, seed=2), backbone="eyes@1", previous=previous)

    assert candidate.heads.categories == ("HATE", "PRIVACY")


def test_a_thin_validation_split_keeps_the_previous_calibration(tmp_path: Path) -> None:
    previous = train_heads(labelled(tmp_path / "a", 500), backbone="eyes@1").heads
    manifest = labelled(tmp_path / "b", 120, seed=3)
    rows: list[Any] = [
        row | {"split": "train" if row["split"] == "validation" else row["split"]} for row in manifest.table.to_pylist()
    ]
    vectors = np.random.default_rng(3).normal(size=(120, SIZE)).astype(np.float16)
    unvalidated = manifests.write(rows, tmp_path / "c", embeddings=vectors)

    candidate = train_heads(unvalidated, backbone="eyes@1", previous=previous, recipe=Recipe(folds=0))

    assert candidate.heads.calibrations == previous.calibrations
    assert candidate.metrics["HATE"]["notes"] == ["too few labels for calibration: the previous calibration is kept"]


def test_a_thin_validation_split_is_helped_out_by_training_labels_of_other_folds(tmp_path: Path) -> None:
    manifest = labelled(tmp_path, 200)

    helped = train_heads(manifest, backbone="eyes@1").heads.only("HATE")
    alone = train_heads(manifest, backbone="eyes@1", recipe=Recipe(folds=0)).heads.only("HATE")

    assert helped is not None
    assert alone is not None
    np.testing.assert_array_equal(helped[0], alone[0])
    assert helped[2] != alone[2]


def test_missing_labels_are_unknown_not_negative(tmp_path: Path) -> None:
    """Half of the violating pictures lose their label; read as 0 they would pull the probabilities down by half."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(3000, SIZE)).astype(np.float16)
    label = truth(vectors.astype(np.float32), 0)
    hidden = (label == 1) & (rng.random(3000) < 0.5)
    rows = [
        Row(
            category="HATE",
            label=None if hidden[i] else int(label[i]),
            split=("train", "validation", "test")[i % 3],
            embedding_ref=i,
        )
        for i in range(3000)
    ]

    candidate = train_heads(manifests.write(rows, tmp_path, embeddings=vectors), backbone="eyes@1")

    sure = vectors[hidden].astype(np.float32)
    assert candidate.heads.apply(sure).mean() > 0.85
    counts = {split: one["n"] for split, one in candidate.metrics["HATE"]["labels"].items()}
    assert sum(counts.values()) == 3000 - hidden.sum()


def test_audit_weights_restore_the_level_of_all_traffic(tmp_path: Path) -> None:
    """Only one in ten of the approved is labelled; its weight of ten brings the calibration back."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(24_000, SIZE)).astype(np.float16)
    logits = vectors.astype(np.float32) @ DIRECTION[0] - 1.0
    label = (rng.random(24_000) < sigmoid(logits)).astype(int)
    chance = np.where(logits < 0, 0.1, 1.0)
    rows = [
        Row(
            category="HATE",
            label=int(label[i]),
            weight=float(1 / chance[i]),
            split=("train", "validation", "test")[i % 3],
            embedding_ref=int(i),
        )
        for i in np.flatnonzero(rng.random(24_000) < chance)
    ]

    heads = train_heads(manifests.write(rows, tmp_path, embeddings=vectors), backbone="eyes@1").heads

    assert heads.apply(vectors.astype(np.float32)).mean() == pytest.approx(label.mean(), abs=0.02)


def test_a_candidate_is_written_as_a_card_that_reads_back(tmp_path: Path) -> None:
    manifest = labelled(tmp_path / "m", 300)
    candidate = train_heads(manifest, backbone="eyes@1", recipe=Recipe(ridge=2.0))

    path = candidate.write(tmp_path / "out", name="heads", version="2", licence="Apache-2.0")

    card = cards.read(path)
    again = Heads.load(card.weights)
    np.testing.assert_array_equal(again.weight, candidate.heads.weight)
    assert card.table["manifest_fingerprint"] == manifest.fingerprint
    assert card.table["recipe_digest"] == Recipe(ridge=2.0).digest
    assert card.table["recipe"]["ridge"] == 2.0
    assert card.metrics["HATE"]["auc"] == candidate.metrics["HATE"]["auc"]
    assert set(tomllib.loads(path.read_text())["calibration"]["parameters"]) == {"HATE", "PRIVACY"}


def test_what_cannot_be_trained_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="review more pictures first"):
        train_heads(labelled(tmp_path / "a", 3), backbone="eyes@1")
    bare = manifests.write([Row(category="HATE", label=1, split="train")], tmp_path / "b")
    with pytest.raises(TrainingError, match="export it with embeddings"):
        train_heads(bare, backbone="eyes@1")
    other = Heads(("HATE",), np.ones((1, 5), np.float32), np.zeros(1, np.float32), (Calibration(),))
    with pytest.raises(TrainingError, match="embeddings of 12 numbers, the previous heads want 5"):
        train_heads(labelled(tmp_path / "c", 100), backbone="eyes@1", previous=other)


def test_a_recipe_is_named_by_its_content() -> None:
    assert Recipe.parse({"ridge": 2, "folds": 3}) == Recipe(ridge=2, folds=3)
    assert Recipe.parse({}).digest == Recipe().digest
    assert Recipe(ridge=2.0).digest != Recipe().digest


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"rigde": 1.0}, "rigde is unknown"),
        ({"ridge": -1.0}, "not negative"),
        ({"ridge": "much"}, "must be a number"),
        ({"folds": 1.5}, "whole number"),
        ({"balance": True}, "must be a number"),
    ],
)
def test_a_wrong_recipe_is_refused(table: dict[str, object], reason: str) -> None:
    with pytest.raises(TrainingError, match=reason):
        Recipe.parse(table)
