"""Where a CUDA device is at hand: images a second in bfloat16 with decoding on CPU threads, against the forward pass
alone on pictures that lie on the device. Without one, a line says so.

    .venv/bin/python -m bench.gpu_triage [--device cpu]      # cpu: only to see that this file works
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.harness import emit, machine
from bench.house import timed

if TYPE_CHECKING:
    from classifiers.backbones.torchvision import TorchClassifier
    from classifiers.base import ImageInput

ARCHITECTURE: Final = "efficientnet_b0"
BATCH: Final = 256
IMAGES: Final = 4096
ROUNDS: Final = 3
AHEAD: Final = 2  # batches


def main(arguments: Sequence[str]) -> None:
    import torch

    parser = argparse.ArgumentParser(prog="python -m bench.gpu_triage")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    device = parser.parse_args(arguments).device
    if device == "cuda" and not torch.cuda.is_available():
        emit("gpu_triage", "gpu.devices", 0, "devices", n=0, params={"why": "no CUDA device is at hand", **machine()})
        return
    count, batch = (IMAGES, BATCH) if device == "cuda" else (64, 16)
    name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    params = {"device": name, "architecture": ARCHITECTURE, "batch": batch, "decode": "JPEG 1024 px", **machine()}
    files = [picture(seed) for seed in range(16)]
    with tempfile.TemporaryDirectory() as folder:
        eyes = opened(Path(folder), device)
        work = [files[index % len(files)] for index in range(count)]
        full_run(eyes, work[:batch], batch)  # the network is built, kernels are chosen
        full = statistics.median(timed(full_run, eyes, work, batch) for _round in range(ROUNDS))
        alone = statistics.median(timed(forward_alone, eyes, count, batch, device) for _round in range(ROUNDS))
    emit("gpu_triage", "gpu.images_per_s", count / full, "1/s", n=count, params=params)
    emit("gpu_triage", "gpu.forward_images_per_s", count / alone, "1/s", n=count, params=params)
    emit("gpu_triage", "gpu.of_forward", alone / full, "ratio", n=count, params=params)


def opened(folder: Path, device: str) -> TorchClassifier:
    """A network of the usual size with weights drawn by lot: speed does not hang on what it has learnt."""
    import classifiers.backbones.torchvision_ops  # noqa: F401, I001  must come before torchvision
    import torchvision
    from safetensors.torch import save_file

    from classifiers import cards
    from classifiers.backbones.torchvision import TorchClassifier
    from classifiers.weights import file_sha256

    network = torchvision.models.get_model(ARCHITECTURE, num_classes=2)
    save_file(network.state_dict(), folder / "weights.safetensors")
    table = {
        "name": "by-lot",
        "version": "1",
        "kind": "torchvision",
        "architecture": ARCHITECTURE,
        "num_classes": 2,
        "weights": "weights.safetensors",
        "sha256": file_sha256(folder / "weights.safetensors"),
        "licence": "Apache-2.0",
        "input": {"size": 224, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
        "outputs": [{"name": "logits", "classes": ["fine", "other"], "activation": "softmax"}],
        "embedding": {"output": "embedding", "size": 1280},
        "categories": [{"code": "OTHER", "expression": "other"}],
    }
    return TorchClassifier(cards.read(cards.dump(table, folder / "card.toml")), device=device)


def picture(seed: int) -> bytes:
    import numpy as np
    from PIL import Image

    small = np.random.default_rng(seed).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(small).resize((1024, 768), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def looked(data: bytes) -> ImageInput:
    """As triage looks at a derivative, and fingerprinted as there."""
    from PIL import Image

    from classifiers import hashes
    from classifiers.base import ImageInput
    from moderation.triage.looking import LOOK

    with Image.open(io.BytesIO(data)) as image:
        image.draft("RGB", (LOOK, LOOK))
        seen = image.convert("RGB")
    hashes.pdq_dihedral(seen)
    return ImageInput(seen)


def batches(work: Sequence[bytes], size: int, threads: ThreadPoolExecutor) -> Iterator[list[ImageInput]]:
    """Decoded on the threads, two batches ahead of who takes them."""
    waiting: list[list[Future[ImageInput]]] = []
    for start in range(0, len(work), size):
        waiting.append([threads.submit(looked, data) for data in work[start : start + size]])
        if len(waiting) > AHEAD:
            yield [each.result() for each in waiting.pop(0)]
    for batch in waiting:
        yield [each.result() for each in batch]


def full_run(eyes: Any, work: Sequence[bytes], size: int) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for batch in batches(work, size, threads):
            eyes.run(batch)


def forward_alone(eyes: Any, count: int, size: int, device: str) -> None:
    import torch

    batch = torch.zeros((size, 3, 224, 224), device=device).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode(), torch.autocast(device, dtype=torch.bfloat16):
        results = [eyes._network(batch)[-1].sum() for _batch in range(-(-count // size))]
        torch.stack(results).cpu()  # waits until all is done


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("SECRET_KEY", "bench")
    import django

    django.setup()
    main(sys.argv[1:])
