"""Pictures to learn from: patches that hold one thing each, cut from drawn scenes. Pillow and numpy only."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifiers.scenes import THINGS, Scene, draw

SIDE = 160
"""Pixels a side of a whole picture as the network sees it."""
PATCH = 48
Progress: TypeAlias = Callable[[float], None]

_COLUMN = {thing.name: i for i, thing in enumerate(THINGS)}
_MISTAKEN = {thing.name: thing.mistaken_for for thing in THINGS}
_CROWD = 3
"""Forbidden things a scene: a full table yields more patches a second than life does."""
_HARDNESS = (0.0, 0.8)
"""What can hardly be made out teaches little."""
_CHUNK = 64


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """``pixels`` uint8 [N, S, S, 3]; ``things`` uint8 [N, len(THINGS)], 1 where one is to be seen."""

    pixels: NDArray[np.uint8]
    things: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Album:
    """Scenes to label: ``pixels`` uint8 [N, SIDE, SIDE, 3], what each truly shows, its prompt, and the labels of a
    hasty eye that takes every second look-alike for the real thing.
    """

    pixels: NDArray[np.uint8]
    labels: list[frozenset[str]]
    hasty: list[frozenset[str]]
    prompts: list[str]


def patches(scenes: int, *, seed: int, workers: int, progress: Progress) -> Lessons:
    """Patches [N, PATCH, PATCH, 3] of ``scenes`` full scenes; seeded, whatever the number of workers."""
    return _joined(_spread(partial(_patches_of, seed=seed), scenes, workers, progress))


def whole(scenes: int, *, seed: int, workers: int, progress: Progress) -> Lessons:
    """Whole scenes [N, SIDE, SIDE, 3] with none, one or two forbidden things."""
    return _joined(_spread(partial(_whole_of, seed=seed), scenes, workers, progress))


def album(scenes: int, *, seed: int, hardness: tuple[float, float]) -> Album:
    """``scenes`` scenes as life brings them, with hardness between the two bounds."""
    drawn = [draw(seed + i, size=SIDE, hardness=_hardness(seed, i, hardness)) for i in range(scenes)]
    return Album(
        np.stack([np.asarray(scene.image) for scene in drawn]),
        [scene.labels for scene in drawn],
        [_hasty(scene, np.random.default_rng([seed, i, 3])) for i, scene in enumerate(drawn)],
        [scene.prompt for scene in drawn],
    )


def _hasty(scene: Scene, rng: np.random.Generator) -> frozenset[str]:
    seen = {_MISTAKEN.get(sight.name) for sight in scene.sights if rng.random() < 0.5}
    return scene.labels | {code for code in seen if code is not None}


def _spread(work: Callable[[range], Lessons], scenes: int, workers: int, progress: Progress) -> Iterator[Lessons]:
    chunks = [range(start, min(start + _CHUNK, scenes)) for start in range(0, scenes, _CHUNK)]
    if workers <= 1:
        for done, chunk in enumerate(chunks, start=1):
            yield work(chunk)
            progress(done / len(chunks))
        return
    # Spawned, not forked: the caller may hold threads (torch, a web server) that do not survive a fork.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for done, lessons in enumerate(pool.map(work, chunks), start=1):
            yield lessons
            progress(done / len(chunks))


def _joined(parts: Iterator[Lessons]) -> Lessons:
    found = list(parts)
    return Lessons(np.concatenate([part.pixels for part in found]), np.concatenate([part.things for part in found]))


def _hardness(seed: int, i: int, bounds: tuple[float, float]) -> float:
    return float(np.random.default_rng([seed, i]).uniform(*bounds))


def _patches_of(chunk: range, *, seed: int) -> Lessons:
    cut = [
        patch
        for i in chunk
        for rng in [np.random.default_rng([seed, i, 2])]
        for patch in _cut(
            draw(
                seed + i,
                size=SIDE,
                hardness=_hardness(seed, i, _HARDNESS),
                offenders=int(rng.integers(1, _CROWD + 1)),
            ),
            rng,
        )
    ]
    return Lessons(np.stack([pixels for pixels, _ in cut]), np.stack([things for _, things in cut]))


def _whole_of(chunk: range, *, seed: int) -> Lessons:
    scenes = [draw(seed + i, size=SIDE, hardness=_hardness(seed, i, _HARDNESS), offenders=i % 3) for i in chunk]
    things = np.zeros((len(scenes), len(THINGS)), np.uint8)
    for row, scene in zip(things, scenes, strict=True):
        for sight in scene.sights:
            if sight.name in _COLUMN:
                row[_COLUMN[sight.name]] = 1
    return Lessons(np.stack([np.asarray(scene.image) for scene in scenes]), things)


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
            inside = left - 2 <= sight.x * SIDE <= left + side + 2 and top - 2 <= sight.y * SIDE <= top + side + 2
            if inside and sight.name in _COLUMN:
                things[_COLUMN[sight.name]] = 1
        yield np.asarray(image), things
