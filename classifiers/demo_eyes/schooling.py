"""Teaching the demo's backbone. Imports torch: import it late."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from classifiers.demo_eyes.network import Eyes, Finder
from classifiers.demo_eyes.patches import SIDE, Patches, patches
from classifiers.backbones.export import export_onnx
from classifiers.scenes import THINGS

import torch  # isort: skip  after network, which puts torchvision's house in order

if TYPE_CHECKING:
    from classifiers.demo_eyes import Schooling

_RATE = 4e-3
_DRAWING = 0.15
"""Share of the time that drawing takes, for the progress bar."""


def teach(path: Path, *, seed: int, schooling: "Schooling", progress: Callable[[float], None]) -> int:
    """Draw, train and export to ``path`` (ONNX, input ``image``, output ``embedding``); returns the embedding's size."""
    found, drawn = [], 0
    for part in patches(schooling.scenes, seed=seed, workers=schooling.workers):
        found.append(part)
        drawn += 1
        progress(_DRAWING * min(1.0, drawn * 64 / schooling.scenes))
    lessons = Patches(np.concatenate([p.pixels for p in found]), np.concatenate([p.things for p in found]))
    finder = train_finder(
        lessons,
        steps=schooling.steps,
        batch=schooling.batch,
        seed=seed,
        progress=lambda done: progress(_DRAWING + (0.92 - _DRAWING) * done),
    )
    eyes = Eyes(finder)
    export_onnx(eyes, path, size=SIDE, output_names=["embedding"])
    progress(1.0)
    with torch.inference_mode():
        return int(eyes(torch.zeros(1, 3, SIDE, SIDE))[0].shape[1])


def train_finder(
    lessons: Patches, *, steps: int, batch: int, seed: int, progress: Callable[[float], None] = lambda done: None
) -> Finder:
    """A ``Finder`` that tells the things in the patches apart; the same seed gives the same network on the same machine."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        finder = Finder(len(THINGS)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(finder.parameters(), _RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=steps, pct_start=0.05)
    things = torch.from_numpy(lessons.things).float()
    gain = torch.tensor(3.0)
    for step in range(steps):
        rows = torch.randint(0, len(things), (batch,), generator=generator)
        pixels = lessons.pixels[rows.numpy()]
        if torch.rand(1, generator=generator) < 0.5:
            pixels = pixels[:, :, ::-1]
        images = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(finder(images), things[rows], pos_weight=gain)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        progress((step + 1) / steps)
    return finder.eval()
