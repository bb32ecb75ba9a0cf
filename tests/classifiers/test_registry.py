"""Registering versions, loading them again, and the commands that do it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from PIL import Image

from classifiers import cards, manifests, registry
from classifiers.base import CardError, ImageInput
from classifiers.heads import Calibration, Heads
from classifiers.manifests import Row
from classifiers.models import ClassifierVersion
from classifiers.retraining import retrain
from classifiers.training import Recipe, train_heads
from classifiers.weights import file_sha256
from tests.classifiers.graphs import colour_card, colour_table

pytestmark = pytest.mark.django_db

GREY = ImageInput(Image.new("RGB", (8, 8), (51, 51, 51)))
CATEGORIES = ("HATE", "PRIVACY")


def heads_card(folder: Path, *, version: str = "1", backbone: str = "mean-colour@1", width: int = 3) -> Path:
    heads = Heads(
        CATEGORIES,
        np.zeros((2, width), np.float32),
        np.array([-2.0, -2.0], np.float32),
        (Calibration(1.0, 0.0, "platt"),) * 2,
    )
    heads.save(folder / "first.safetensors")
    table = {
        "name": "first-heads",
        "version": version,
        "kind": "heads",
        "backbone": backbone,
        "weights": "first.safetensors",
        "sha256": file_sha256(folder / "first.safetensors"),
        "licence": "Apache-2.0",
    }
    return cards.dump(table, folder / "first.toml")


@pytest.fixture
def eyes(tmp_path: Path) -> ClassifierVersion:
    return registry.register(colour_card(tmp_path))


@pytest.fixture
def heads(eyes: ClassifierVersion, tmp_path: Path) -> ClassifierVersion:
    return registry.register(heads_card(tmp_path))


def labels(folder: Path, *, n: int = 300, seed: int = 0, **index: Any) -> Path:
    """Labels of red and green pictures as people gave them: HATE where it is red, PRIVACY where it is green."""
    vectors = np.random.default_rng(seed).random((n, 3)).astype(np.float16)
    rows = [
        Row(
            submission_id=str(i),
            category=category,
            label=int(vectors[i, k] > 0.6),
            classifier_versions=["first-heads@1"],
            split=("train", "train", "validation", "test")[i % 4],
            embedding_ref=i,
        )
        for i in range(n)
        for k, category in enumerate(CATEGORIES)
    ]
    manifests.write(rows, folder, embeddings=vectors, query={"backbone": "mean-colour@1", **index})
    return folder


def test_a_registered_version_holds_card_and_weights(eyes: ClassifierVersion, tmp_path: Path) -> None:
    assert (eyes.ref, eyes.kind, eyes.categories, eyes.embedding_size) == (
        "mean-colour@1",
        "onnx",
        ["VIOLENCE_GORE", "OTHER"],
        3,
    )
    assert eyes.weights == f"{eyes.sha256}.onnx"
    with storages["models"].open(eyes.weights) as stored:
        assert stored.read() == (tmp_path / "mean.onnx").read_bytes()


def test_registering_the_same_card_again_is_the_same_row(eyes: ClassifierVersion, tmp_path: Path) -> None:
    assert registry.register(tmp_path / "mean.toml").pk == eyes.pk
    assert ClassifierVersion.objects.count() == 1


def test_a_version_never_changes_its_content(eyes: ClassifierVersion, tmp_path: Path) -> None:
    changed = cards.dump(colour_table(tmp_path / "mean.onnx", licence="MIT"), tmp_path / "changed.toml")

    with pytest.raises(CardError, match="so raise the version"):
        registry.register(changed)


def test_a_loaded_version_scores_without_the_original_files(eyes: ClassifierVersion, tmp_path: Path) -> None:
    (tmp_path / "mean.onnx").unlink()

    classifier = registry.load(eyes)

    assert classifier.score([GREY])[0]["VIOLENCE_GORE"] == pytest.approx(0.2)
    assert registry.load(eyes) is classifier


def test_weights_changed_in_the_store_are_refused(eyes: ClassifierVersion) -> None:
    Path(storages["models"].path(eyes.weights)).write_bytes(b"something else")

    with pytest.raises(CardError, match="sha256"):
        registry.load(eyes)


class RemoteStorage:
    """A storage whose files have no local path, as S3 has none, over one that has."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def path(self, name: str) -> str:
        raise NotImplementedError("this backend has no local paths")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_weights_in_a_remote_store_are_fetched_once(
    eyes: ClassifierVersion, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA_DIR = tmp_path / "data"
    remote = RemoteStorage(storages["models"])
    monkeypatch.setattr(type(storages), "__getitem__", lambda _self, _alias: remote)

    classifier = registry.load(eyes)

    assert classifier.score([GREY])[0]["VIOLENCE_GORE"] == pytest.approx(0.2)
    assert [path.name for path in (tmp_path / "data" / "cache" / "models").iterdir()] == [eyes.weights]


def test_heads_know_their_backbone(heads: ClassifierVersion, eyes: ClassifierVersion) -> None:
    assert (heads.backbone, heads.categories, heads.embedding_size) == (eyes, list(CATEGORIES), 3)
    assert registry.load(heads).score([GREY])[0]["HATE"] == pytest.approx(1 / (1 + np.exp(2)))
    assert registry.load_heads(heads).categories == CATEGORIES


def test_heads_of_an_unregistered_backbone_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="add its card first"):
        registry.register(heads_card(tmp_path))


def test_heads_of_another_width_are_refused(eyes: ClassifierVersion, tmp_path: Path) -> None:
    with pytest.raises(CardError, match="embeddings of 4 numbers"):
        registry.register(heads_card(tmp_path, width=4))


def test_only_heads_have_heads(eyes: ClassifierVersion) -> None:
    with pytest.raises(CardError, match="no heads of its own"):
        registry.load_heads(eyes)


def test_versions_come_in_the_order_asked_or_are_named_missing(
    heads: ClassifierVersion, eyes: ClassifierVersion
) -> None:
    assert registry.versions(["first-heads@1", "mean-colour@1"]) == [heads, eyes]
    with pytest.raises(CardError, match="not registered: absent@1"):
        registry.versions(["mean-colour@1", "absent@1"])


def test_retraining_registers_the_next_version_and_measures_it(heads: ClassifierVersion, tmp_path: Path) -> None:
    result = retrain(manifests.read(labels(tmp_path / "m")), recipe=Recipe())

    assert (result.version.ref, result.skipped) == ("first-heads@2", False)
    assert result.version.backbone == heads.backbone
    assert result.version.metrics["HATE"]["auc"] > 0.95
    assert result.version.manifest_fingerprint == manifests.read(tmp_path / "m").fingerprint
    red = ImageInput(Image.new("RGB", (8, 8), (250, 0, 0)))
    assert registry.load(result.version).score([red])[0]["HATE"] > 0.5 > registry.load(heads).score([red])[0]["HATE"]


def test_nothing_is_trained_when_nothing_changed(heads: ClassifierVersion, tmp_path: Path) -> None:
    manifest = manifests.read(labels(tmp_path / "m"))
    first = retrain(manifest, recipe=Recipe())

    again = retrain(manifest, recipe=Recipe())
    other_recipe = retrain(manifest, recipe=Recipe(ridge=9.0))

    assert (again.skipped, again.version) == (True, first.version)
    assert (other_recipe.skipped, other_recipe.version.ref) == (False, "first-heads@3")


def test_labels_of_all_time_count_once_however_often_they_are_trained(heads: ClassifierVersion, tmp_path: Path) -> None:
    """The third version starts where the second did, from the first, as its manifest holds the second's labels."""
    retrain(manifests.read(labels(tmp_path / "a")), recipe=Recipe())
    more = manifests.read(labels(tmp_path / "b", n=320))

    chained = retrain(more, recipe=Recipe()).version

    direct = train_heads(more, backbone="mean-colour@1", previous=registry.load_heads(heads))
    np.testing.assert_array_equal(registry.load_heads(chained).weight, direct.heads.weight)


def test_after_a_cold_start_labels_count_once_too(eyes: ClassifierVersion, tmp_path: Path) -> None:
    """No head was there before the first labels: the one they taught is no place to start from, for they come again."""
    retrain(manifests.read(labels(tmp_path / "a")), recipe=Recipe(), name="cold", backbone=eyes.ref)
    more = manifests.read(labels(tmp_path / "b", n=320))

    second = retrain(more, recipe=Recipe(), name="cold", backbone=eyes.ref).version

    direct = train_heads(more, backbone=eyes.ref)
    np.testing.assert_array_equal(registry.load_heads(second).weight, direct.heads.weight)


def test_heads_taught_by_labels_from_elsewhere_are_a_place_to_start_from(
    eyes: ClassifierVersion, tmp_path: Path
) -> None:
    lessons = train_heads(manifests.read(labels(tmp_path / "a")), backbone=eyes.ref)
    card = lessons.write(tmp_path, name="bought", version="1", licence="MIT", trained_on="drawn scenes")
    first = registry.register(card)
    more = manifests.read(labels(tmp_path / "b", n=320))

    second = retrain(more, recipe=Recipe(), name="bought", backbone=eyes.ref).version

    direct = train_heads(more, backbone=eyes.ref, previous=registry.load_heads(first))
    np.testing.assert_array_equal(registry.load_heads(second).weight, direct.heads.weight)


def test_labels_since_a_date_build_on_the_latest_version(heads: ClassifierVersion, tmp_path: Path) -> None:
    second = retrain(manifests.read(labels(tmp_path / "a")), recipe=Recipe()).version

    third = retrain(manifests.read(labels(tmp_path / "b", n=40, seed=1, since="2026-01-01")), recipe=Recipe()).version

    assert third.metrics["HATE"]["previous"]["auc"] == pytest.approx(1.0, abs=0.1)
    assert second.pk != third.pk


def said(*arguments: object, **options: Any) -> Any:
    out = io.StringIO()
    call_command(*map(str, arguments), stdout=out, json=True, **options)
    return json.loads(out.getvalue())


def test_add_classifier_registers_a_card(tmp_path: Path) -> None:
    answer = said("add_classifier", colour_card(tmp_path))

    assert answer["version"] == "mean-colour@1"
    assert ClassifierVersion.objects.get().categories == answer["categories"]


def test_add_classifier_says_why_a_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="licence is missing") as refused:
        call_command("add_classifier", colour_card(tmp_path, licence=None))
    assert refused.value.returncode == 1

    with pytest.raises(CommandError, match="there is no file") as misused:
        call_command("add_classifier", tmp_path / "absent.toml")
    assert misused.value.returncode == 2


def test_the_train_command_trains_once(heads: ClassifierVersion, tmp_path: Path) -> None:
    folder = labels(tmp_path / "m")

    first = said("train", manifest=str(folder))
    again = said("train", manifest=str(folder))

    assert (first["version"], first["skipped"], again["version"], again["skipped"]) == (
        "first-heads@2",
        False,
        "first-heads@2",
        True,
    )
    assert first["auc"] > first["previous_auc"]
    assert "2 of 2 heads learnt from labels, AUC" in first["summary"]


def test_the_train_command_prints_figures_and_then_that_nothing_changed(
    heads: ClassifierVersion, tmp_path: Path
) -> None:
    folder, recipe = labels(tmp_path / "m"), tmp_path / "recipe.toml"
    recipe.write_text("ridge = 3.0\n")
    outputs = []

    for _ in range(2):
        out = io.StringIO()
        call_command("train", manifest=str(folder), recipe=str(recipe), name="own", stdout=out)
        outputs.append(out.getvalue())

    assert "own@1: 2 of 2 heads learnt" in outputs[0]
    assert "PRIVACY" in outputs[0]
    assert "Nothing changed: own@1" in outputs[1]


def test_the_train_command_tells_bad_use_from_too_few_labels(heads: ClassifierVersion, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no manifest") as misused:
        call_command("train", manifest=str(tmp_path / "absent"))
    assert misused.value.returncode == 2
    wrong = tmp_path / "recipe.toml"
    wrong.write_text("rigde = 3.0\n")
    with pytest.raises(CommandError, match="rigde is unknown") as misspelt:
        call_command("train", manifest=str(labels(tmp_path / "m")), recipe=str(wrong))
    assert misspelt.value.returncode == 2
    with pytest.raises(CommandError, match="review more pictures first") as failed:
        call_command("train", manifest=str(labels(tmp_path / "few", n=3)))
    assert failed.value.returncode == 1


def test_training_without_a_hint_of_the_heads_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="say which name to train") as failed:
        call_command("train", manifest=str(labels(tmp_path / "m")))
    assert failed.value.returncode == 1


def test_the_evaluate_command_measures_a_version(heads: ClassifierVersion, tmp_path: Path) -> None:
    folder = labels(tmp_path / "m")
    said("train", manifest=str(folder))

    answer = said("evaluate", manifest=str(folder), classifier="first-heads@2")

    trained = ClassifierVersion.objects.get(name="first-heads", version="2").metrics
    assert answer["metrics"]["HATE"]["auc"] == pytest.approx(trained["HATE"]["auc"], abs=1e-6)
    assert answer["split"] == "test"


def test_the_evaluate_command_tells_bad_use_from_nothing_to_measure(heads: ClassifierVersion, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="not registered") as misused:
        call_command("evaluate", manifest=str(labels(tmp_path / "m")), classifier="absent@1")
    assert misused.value.returncode == 2
    with pytest.raises(CommandError, match="no label of first-heads@1") as empty:
        call_command("evaluate", manifest=str(labels(tmp_path / "one", n=1)), classifier="first-heads@1")
    assert empty.value.returncode == 1
