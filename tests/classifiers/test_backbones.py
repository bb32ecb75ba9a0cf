"""Feeding networks, exporting them, and living through forks."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from classifiers import cards
from classifiers.backbones.onnx import OnnxClassifier
from classifiers.backbones.pixels import tensor
from classifiers.base import CardError, ImageInput
from classifiers.registry import load_card
from classifiers.shapes import InputSpec
from classifiers.weights import file_sha256
from tests.classifiers.graphs import colour_card

RAMP = ImageInput(Image.linear_gradient("L").convert("RGB"))


def test_pixels_are_scaled_and_normalised_by_channel() -> None:
    image = ImageInput(Image.new("RGB", (9, 5), (255, 51, 0)))

    found = tensor([image], InputSpec(size=4, scale=1 / 255, mean=(0.5, 0.1, 0.0), std=(0.5, 0.1, 1.0)))

    assert found.shape == (1, 3, 4, 4)
    np.testing.assert_allclose(found[0, :, 0, 0], [1.0, 1.0, 0.0], atol=1e-6)


def test_channels_may_come_last() -> None:
    found = tensor([ImageInput(Image.new("RGB", (4, 4), (255, 0, 0)))], InputSpec(size=2, layout="NHWC"))

    np.testing.assert_allclose(found[0, 0, 0], [1, 0, 0])


def test_crop_keeps_the_middle_and_pad_keeps_all() -> None:
    wide = Image.new("RGB", (30, 10), (0, 0, 0))
    wide.paste((255, 255, 255), (10, 0, 20, 10))

    cropped = tensor([ImageInput(wide)], InputSpec(size=10, resize="crop", interpolation="box"))
    padded = tensor([ImageInput(wide)], InputSpec(size=30, resize="pad", interpolation="nearest"))

    assert cropped.min() == 1.0
    assert padded[0, 0, :10].max() == 0.0
    assert padded[0, 0, 15, 15] == 1.0


def test_other_modes_are_converted() -> None:
    assert tensor([ImageInput(Image.new("L", (5, 5), 255))], InputSpec(size=2)).min() == 1.0


def test_a_session_is_opened_late_and_with_one_thread(tmp_path: Path) -> None:
    classifier = OnnxClassifier(cards.read(colour_card(tmp_path)))

    assert classifier._session is None
    options = classifier.session()[0].get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert classifier.session() is classifier.session()


def answer(classifier: OnnxClassifier, queue: SimpleQueue[Any]) -> None:
    queue.put((os.getpid(), classifier.score([RAMP])[0]["OTHER"]))


def test_a_forked_worker_opens_its_own_session(tmp_path: Path) -> None:
    classifier = OnnxClassifier(cards.read(colour_card(tmp_path)))
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    worker = context.Process(target=answer, args=(classifier, queue))
    worker.start()
    worker.join(30)

    pid, score = queue.get()

    assert worker.exitcode == 0
    assert pid != os.getpid()
    assert score == pytest.approx(classifier.score([RAMP])[0]["OTHER"])


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_torchvision_imports_after_the_ops_module() -> None:
    code = """
import classifiers.backbones.torchvision_ops, torch, torchvision
print(torchvision.models.get_model('shufflenet_v2_x0_5', weights=None)(torch.zeros(2, 3, 64, 64)).shape[1])
"""
    assert run_python(code) == "1000"


def test_reading_cards_needs_no_torch_and_no_django() -> None:
    code = """
import sys
import classifiers.registry, classifiers.heads, classifiers.hashes, classifiers.manifests, classifiers.scenes
import classifiers.training, classifiers.demo_eyes
print(sorted({'torch', 'torchvision', 'onnxruntime', 'django'} & set(sys.modules)))
"""
    assert run_python(code) == "[]"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random but fixed weights of a registered architecture, in safetensors."""
    import classifiers.backbones.torchvision_ops  # noqa: F401, I001
    import torch
    from safetensors.torch import save_file
    from torchvision.models import get_model

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("torchvision")
    save_file(get_model("shufflenet_v2_x0_5", weights=None, num_classes=3).state_dict(), folder / "net.safetensors")
    return folder


def torchvision_card(folder: Path, **changes: Any) -> Path:
    table: dict[str, Any] = {
        "name": "shuffle",
        "version": "1",
        "kind": "torchvision",
        "architecture": "shufflenet_v2_x0_5",
        "weights": "net.safetensors",
        "sha256": file_sha256(folder / "net.safetensors"),
        "licence": "Apache-2.0",
        "input": {"size": 32},
        "embedding": {"output": "embedding", "size": 1024},
        "outputs": [{"name": "logits", "classes": ["a", "b", "c"], "activation": "softmax"}],
        "categories": [{"code": "OTHER", "expression": "a + b"}],
    }
    return cards.dump(table | changes, folder / "net.toml")


def test_a_torchvision_network_is_served_from_its_export(network: Path) -> None:
    from classifiers.backbones.torchvision import TorchClassifier, open_card

    card = cards.read(torchvision_card(network))
    images = [RAMP, ImageInput(Image.new("RGB", (40, 40), (200, 30, 90))), RAMP]

    served = open_card(card).run(images)

    assert len(list(network.glob("*.onnx"))) == 1
    eager = TorchClassifier(card, device="cpu").run(images)
    assert served.embeddings is not None
    assert eager.embeddings is not None
    # the reference runs in bfloat16, which keeps three digits
    np.testing.assert_allclose(served.probabilities, eager.probabilities, atol=0.02)
    correlation = np.corrcoef(served.embeddings.ravel(), eager.embeddings.ravel())[0, 1]
    assert correlation > 0.99


def test_the_export_is_made_once(network: Path) -> None:
    card = torchvision_card(network)
    load_card(card)
    exported = next(iter(network.glob("*.onnx")))
    before = exported.stat().st_mtime_ns

    load_card(card)

    assert exported.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"architecture": "resnet_of_dreams"}, "torchvision has no 'resnet_of_dreams'"),
        ({"architecture": "resnet18"}, "does not fit resnet18"),
        ({"input": {"size": 32, "layout": "NHWC"}}, "NCHW"),
        ({"outputs": [{"name": "x", "classes": ["a"]}, {"name": "y", "classes": ["b"]}]}, "one output"),
    ],
)
def test_a_wrong_torchvision_card_is_refused(network: Path, changes: dict[str, Any], reason: str) -> None:
    categories = [{"code": "OTHER", "expression": "a"}]

    with pytest.raises(CardError, match=reason):
        load_card(torchvision_card(network, **{"categories": categories, **changes}))
