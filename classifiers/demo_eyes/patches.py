"""Pictures to learn from: patches that hold one thing each, cut from drawn scenes. Pillow and numpy only."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifiers.scenes import THINGS, Scene, draw

SIDE = 160
"""Pixels a side of a whole picture as the network sees it."""
PATCH = 48
_COLUMN = {thing.name: i for i, thing in enumerate(THINGS)}
_CHUNK = 64
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """``pixels`` uint8 [N, PATCH, PATCH, 3]; ``things`` uint8 [N, len(THINGS)], 1 where a thing's centre is inside."""

    pixels: NDArray[np.uint8]
    things: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Album:
    """Whole scenes: ``pixels`` uint8 [N, SIDE, SIDE, 3], what each truly shows, and its prompt."""

    pixels: NDArray[np.uint8]
    labels: list[frozenset[str]]
    prompts: list[str]


def patches(scenes: int, *, seed: int, workers: int) -> Iterator[Patches]:
    """Patches of ``scenes`` scenes of every hardness, a few hundred at a time; seeded, whatever the number of workers."""
    yield from _spread(partial(_patches_of, seed=seed), scenes, workers)


def album(scenes: int, *, seed: int, hardness: tuple[float, float], workers: int = 1) -> Album:
    """``scenes`` whole scenes with hardness between the two bounds."""
    parts = list(_spread(partial(_album_of, seed=seed, hardness=hardness), scenes, workers))
    return Album(
        np.concatenate([part.pixels for part in parts]),
        [labels for part in parts for labels in part.labels],
        [prompt for part in parts for prompt in part.prompts],
    )


def _spread(work: Callable[[range], _T], scenes: int, workers: int) -> Iterator[_T]:
    chunks = [range(start, min(start + _CHUNK, scenes)) for start in range(0, scenes, _CHUNK)]
    if workers <= 1:
        yield from map(work, chunks)
        return
    # Spawned, not forked: the caller may hold threads (torch, a web server) that do not survive a fork.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, chunks)


def _patches_of(chunk: range, *, seed: int) -> Patches:
    cut = [
        patch
        for i in chunk
        for rng in [np.random.default_rng([seed, i])]
        for patch in _cut(draw(seed + i, size=SIDE, hardness=float(rng.uniform(0, 1))), rng)
    ]
    return Patches(np.stack([pixels for pixels, _ in cut]), np.stack([things for _, things in cut]))


def _album_of(chunk: range, *, seed: int, hardness: tuple[float, float]) -> Album:
    scenes = [
        draw(seed + i, size=SIDE, hardness=float(np.random.default_rng([seed, i]).uniform(*hardness))) for i in chunk
    ]
    return Album(
        np.stack([np.asarray(scene.image) for scene in scenes]),
        [scene.labels for scene in scenes],
        [scene.prompt for scene in scenes],
    )


def _cut(scene: Scene, rng: np.random.Generator) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """A patch around each thing, near or at half scale as its size asks, and one around nothing in particular."""
    centres = [(sight.x, sight.y, sight.radius) for sight in scene.sights]
    centres.append((rng.uniform(0.15, 0.85), rng.uniform(0.15, 0.85), rng.choice([0.05, 0.2])))
    for x, y, radius in centres:
        pixels = 2 * radius * SIDE
        far = pixels >= 40 or (pixels > 22 and rng.random() < 0.5)
        side = PATCH * (2 if far else 1) * rng.uniform(0.8, 1.25)
        shift = rng.uniform(-0.14, 0.14, 2) * side
        left = min(max(x * SIDE + shift[0] - side / 2, 0), SIDE - side)
        top = min(max(y * SIDE + shift[1] - side / 2, 0), SIDE - side)
        box = (left, top, left + side, top + side)
        image = scene.image.resize((PATCH, PATCH), Image.Resampling.BILINEAR, box=box)
        things = np.zeros(len(THINGS), np.uint8)
        for sight in scene.sights:
            if left - 2 <= sight.x * SIDE <= left + side + 2 and top - 2 <= sight.y * SIDE <= top + side + 2:
                things[_COLUMN[sight.name]] = 1
        yield np.asarray(image), things
