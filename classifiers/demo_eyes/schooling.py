"""Teaching the demo's backbone. Imports torch: import it late."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classifiers.backbones.export import export_onnx
from classifiers.demo_eyes.network import Eyes, Finder
from classifiers.demo_eyes.patches import SIDE, Lessons, patches, whole
from classifiers.scenes import THINGS

import torch  # isort: skip  after network, which puts torchvision's house in order

if TYPE_CHECKING:
    from classifiers.demo_eyes import Schooling

_RATE = 4e-3
_DRAWN, _PATCHES, _WHOLE = 0.2, 0.55, 0.92
"""Shares of the time after which drawing, patches and whole scenes are done, for the progress bar."""


def teach(path: Path, *, seed: int, schooling: "Schooling", progress: Callable[[float], None]) -> int:
    """Draw, train and export to ``path`` (ONNX, input ``image``, output ``embedding``); returns the embedding's
    size."""

    def between(low: float, high: float) -> Callable[[float], None]:
        return lambda done: progress(low + (high - low) * done)

    cut = patches(schooling.patch_scenes, seed=seed, workers=schooling.workers, progress=between(0, 0.6 * _DRAWN))
    scenes = whole(
        schooling.whole_scenes,
        seed=seed + 10_000_000,
        workers=schooling.workers,
        progress=between(0.6 * _DRAWN, _DRAWN),
    )
    with _few_threads():
        finder = _newborn(seed)
        _train(
            finder, finder, cut, steps=schooling.patch_steps, batch=64, seed=seed, progress=between(_DRAWN, _PATCHES)
        )
        _train(
            finder,
            finder.at_two_scales,
            scenes,
            steps=schooling.whole_steps,
            batch=16,
            seed=seed + 1,
            progress=between(_PATCHES, _WHOLE),
        )
        finder.eval()
        eyes = Eyes(finder)
        export_onnx(eyes, path, size=SIDE, output_names=["embedding"])
    progress(1.0)
    return 2 * len(THINGS)


def _newborn(seed: int) -> Finder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        finder = Finder(len(THINGS))
    finder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return finder


def _train(
    finder: Finder,
    look: Callable[[torch.Tensor], torch.Tensor],
    lessons: Lessons,
    *,
    steps: int,
    batch: int,
    seed: int,
    progress: Callable[[float], None],
) -> None:
    """Teach ``finder`` to name the things in the lessons, through ``look``; the same seed picks the same lessons."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(finder.parameters(), _RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=steps, pct_start=0.08)
    things = torch.from_numpy(lessons.things).float()
    gain = torch.tensor(3.0)
    half = _has_fast_half()
    for step in range(steps):
        rows = torch.randint(0, len(things), (batch,), generator=generator)
        images = _varied(lessons.pixels[rows.numpy()], generator)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            evidence = look(images)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(evidence.float(), things[rows], pos_weight=gain)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        progress((step + 1) / steps)


def _varied(pixels: NDArray[np.uint8], generator: torch.Generator) -> torch.Tensor:
    """uint8 [N, S, S, 3] -> float [N, 3, S, S] in about -1 … 1, now and then mirrored, each in its own light."""
    if torch.rand(1, generator=generator) < 0.5:
        pixels = pixels[:, :, ::-1]
    images = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
    light, tint = (torch.rand(len(images), 3, 1, 1, generator=generator) - 0.5 for _ in range(2))
    return images * (1 + 0.4 * light) + 0.3 * tint


def _has_fast_half() -> bool:
    """Whether this processor multiplies bfloat16 in hardware, which makes training half as long again as fast."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


@contextmanager
def _few_threads() -> Iterator[None]:
    """Half of the cores: two busy-waiting threads on two cores that others use too are twenty times slower than one."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))
    try:
        yield
    finally:
        torch.set_num_threads(before)
