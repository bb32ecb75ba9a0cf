"""A whole network is taught on images, goes on after a kill, and on two processes by torchrun."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from PIL import Image
from safetensors.numpy import load_file

from classifiers import cards, manifests, registry
from classifiers.backbones.onnx import OnnxClassifier
from classifiers.base import ImageInput
from classifiers.finetuning import BackboneRecipe, Network, train_backbone
from classifiers.finetuning.album import in_folder
from classifiers.manifests import Manifest, Row
from classifiers.models import ClassifierVersion
from classifiers.progress import Cancelled
from classifiers.training import TrainingError
from tests.architecture import PROJECT
from tests.classifiers.planted import SPLITS
from tests.classifiers.test_recipes import Notebook

QUICK = BackboneRecipe(size=32, epochs=3, batch=16, learning_rate=2e-3)


def pictures(folder: Path, n: int = 120) -> Manifest:
    """Red ones violate, blue ones do not."""
    rng = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    rows = []
    for i in range(n):
        red = i % 2 == 0
        pixels = rng.integers(0, 90, (40, 40, 3))
        pixels[..., 0 if red else 2] += 150
        Image.fromarray(pixels.astype(np.uint8)).save(folder / "images" / f"{i}.png")
        split = SPLITS[i // 2 % 10]
        rows.append(Row(submission_id=str(i), image=f"{i}.png", category="HATE", label=int(red), split=split))
    return manifests.write(rows, folder / "manifest")


def taught(manifest: Manifest, recipe: BackboneRecipe = QUICK, watch: Notebook | None = None) -> Network:
    found = train_backbone(manifest, read=in_folder(manifest.folder.parent / "images"), recipe=recipe, watch=watch)
    assert found is not None
    return found


def test_a_killed_teaching_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    manifest = pictures(tmp_path)
    whole = taught(manifest)
    with pytest.raises(Cancelled):
        taught(manifest, watch=Notebook(tmp_path / "kept", most=2))

    rest = Notebook(tmp_path / "kept")
    resumed = taught(manifest, watch=rest)

    assert [point.step for point in rest.points] == [3]
    for name, value in whole.serving.state.items():
        assert np.array_equal(value.numpy(), resumed.serving.state[name].numpy()), name
    assert resumed.metrics == whole.metrics


@pytest.mark.slow
@pytest.mark.django_db
def test_the_command_registers_a_network_that_tells_red_from_blue(tmp_path: Path) -> None:
    pictures(tmp_path)

    call_command(
        "train",
        kind="backbone",
        manifest=tmp_path / "manifest",
        images=str(tmp_path / "images"),
        architecture="shufflenet_v2_x0_5",
        recipe=recipe_file(tmp_path, "size = 32\nepochs = 6\nbatch = 16\nlearning_rate = 0.001\n"),
        out=tmp_path / "out",
        json=True,
    )

    version = ClassifierVersion.objects.get(name="backbone")
    assert (version.kind, version.categories, version.embedding_size) == ("torchvision", ["HATE"], 1024)
    assert version.metrics["HATE"]["auc"] > 0.9
    inputs = [ImageInput(Image.new("RGB", (40, 40), colour)) for colour in ((200, 40, 40), (40, 40, 200))]
    served = registry.load(version).score(inputs)
    assert served[0]["HATE"] > served[1]["HATE"]
    card = tmp_path / "out" / "backbone-1.toml"
    twin = OnnxClassifier(cards.read(card), weights=tmp_path / "out" / "backbone-1.onnx").score(inputs)
    assert [one["HATE"] for one in twin] == pytest.approx([one["HATE"] for one in served], abs=1e-5)


def recipe_file(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


def test_images_that_are_missing_or_elsewhere_are_told(tmp_path: Path) -> None:
    manifest = pictures(tmp_path, 40)
    (tmp_path / "images" / "0.png").unlink()

    with pytest.raises(TrainingError, match=r"image 0\.png cannot be read"):
        taught(manifest)
    with pytest.raises(OSError, match="leads out of"):
        in_folder(tmp_path / "images")("../manifest/manifest.json")
    with pytest.raises(TrainingError, match="torchvision has no architecture"):
        taught(pictures(tmp_path / "b", 40), BackboneRecipe(architecture="eyes"))


PROGRAM = """
import json, sys
from pathlib import Path
from classifiers import manifests
from classifiers.finetuning import BackboneRecipe, train_backbone
from classifiers.finetuning.album import in_folder

root, recipe = Path(sys.argv[1]), BackboneRecipe.parse(json.loads(sys.argv[2]))
network = train_backbone(manifests.read(root / "manifest"), read=in_folder(root / "images"), recipe=recipe)
if network is not None:
    network.write(root / "out", name="net", version="1", licence="none")
"""


@pytest.mark.slow
def test_two_processes_by_torchrun_teach_one_network(tmp_path: Path) -> None:
    pictures(tmp_path)
    program = tmp_path / "teach.py"
    program.write_text(PROGRAM)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", str(program)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"}

    command += [str(tmp_path), json.dumps(QUICK.describe())]
    subprocess.run(command, cwd=PROJECT, env=environment, check=True, timeout=100)

    tensors = load_file(tmp_path / "out" / "net-1.safetensors")
    assert all(np.isfinite(value).all() for value in tensors.values())
    card = cards.read(tmp_path / "out" / "net-1.toml")
    assert json.dumps(card.table["metrics"]["HATE"]["labels"]["train"]) == '{"n": 84, "positives": 42}'
    assert (tmp_path / "out" / "net-1.onnx").is_file()
