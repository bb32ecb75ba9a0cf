"""Drawn scenes: what ``make demo`` moderates on a machine without any pictures or weights.

A scene is a place with a few things in it. Some things are harmless cartoon stand-ins for what a policy forbids, others
only look like them; hard scenes show them small, faint, turned, cut off or half hidden.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from classifiers.scenes.bystanders import BYSTANDERS
from classifiers.scenes.canvas import Canvas, Colour
from classifiers.scenes.offenders import OFFENDERS
from classifiers.scenes.palettes import PALETTES, Palette
from classifiers.scenes.places import PLACES, Ground, Place
from classifiers.scenes.things import Rng, Thing

CATEGORIES = ("WEAPONS_DANGEROUS", "REGULATED", "IMPERSONATION_FRAUD", "PRIVACY")
THINGS = (*OFFENDERS, *BYSTANDERS)

_STYLES = ("flat vector illustration", "ink and colour cartoon", "soft grainy print", "storybook drawing")
_LONE, _PAIR = 0.30, 0.05
"""Shares of scenes with one and with two forbidden things; the rest has none."""
_USUAL = (0.0, 0.5)
"""Hardness where none is asked for."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A thing in the picture: centre and half extent, as shares of the picture's side."""

    name: str
    x: float
    y: float
    radius: float


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """``labels`` are the categories truly shown, ``sights`` all that was set down; ``difficulty`` 0-1 of the hardest
    offender."""

    image: Image.Image
    prompt: str
    labels: frozenset[str]
    difficulty: float
    sights: tuple[Sight, ...]


@dataclass(frozen=True, slots=True)
class _Pose:
    """How hard one thing is to see."""

    scale: float
    strength: float
    cut: bool
    hidden: bool
    angle: float

    def difficulty(self, ground: Ground) -> float:
        small = 1 - self.scale / ground.largest
        return min(1.0, max(0.0, 0.75 * small + 0.9 * (1 - self.strength) + 0.25 * self.cut + 0.3 * self.hidden))


def draw(seed: int, *, size: int = 512, hardness: float | None = None, offenders: int | None = None) -> Scene:
    """The scene that ``seed`` names, ``size`` x ``size`` RGB; same arguments, same pixels.

    ``hardness`` 0 shows things large and plain, 1 mostly small, faint, turned, cut off or half hidden;
    left open, it varies from scene to scene. ``offenders`` says how many forbidden things there are; left open, two in
    three scenes have none.
    """
    if hardness is None:
        hardness = float(np.random.default_rng([seed, 1]).uniform(*_USUAL))
    if not 0 <= hardness <= 1:
        raise ValueError("hardness runs from 0 to 1")
    rng = np.random.default_rng([seed, round(hardness * 1000)])
    palette = PALETTES[int(rng.integers(len(PALETTES)))]
    place = PLACES[int(rng.integers(len(PLACES)))]
    style = int(rng.integers(len(_STYLES)))
    chosen = _choose(rng, hardness, offenders)
    # Smoothing twice costs four times the fill; at full size every second pixel is fine enough.
    canvas = Canvas(
        size, smooth=2, ink=palette.ink if style in {1, 3} else None, ink_width=(0, 0.004, 0, 0.0025)[style]
    )
    ground = place.paint(canvas, rng, palette)
    difficulties, sights = [0.0], list[Sight]()
    for x, thing in zip(_stations(rng, ground, len(chosen)), chosen, strict=True):
        pose = _pose(rng, thing, ground, hardness)
        sights += _set_down(canvas, rng, palette, ground, thing, pose, x)
        if thing.category:
            difficulties.append(pose.difficulty(ground))
    image = _finish(canvas.finished(), rng, palette, hardness, grain=style in {2, 3})
    labels = frozenset(thing.category for thing in chosen if thing.category)
    return Scene(
        image,
        _prompt(rng, place, palette, _STYLES[style], chosen),
        labels,
        max(difficulties),
        tuple(sights),
    )


def _choose(rng: Rng, hardness: float, offenders: int | None) -> list[Thing]:
    """Forbidden things first, so that harmless ones may stand before them."""
    roll = rng.random()
    count = 2 if roll < _PAIR else 1 if roll < _PAIR + _LONE else 0
    count = count if offenders is None else offenders
    forbidden = [OFFENDERS[i] for i in rng.choice(len(OFFENDERS), count, replace=False)]
    fewest = 1 if count == 0 else 0
    company = int(rng.integers(fewest, 2 + round(2 * hardness) - (count > 1)))
    return forbidden + [BYSTANDERS[i] for i in rng.choice(len(BYSTANDERS), company, replace=False)]


def _stations(rng: Rng, ground: Ground, count: int) -> list[float]:
    """Places from left to right, far enough apart, in random order."""
    if count == 0:
        return []
    width = (ground.right - ground.left) / count
    places = [ground.left + width * (i + rng.uniform(0.25, 0.75)) for i in range(count)]
    rng.shuffle(places)
    return places


def _pose(rng: Rng, thing: Thing, ground: Ground, hardness: float) -> _Pose:
    shrink = 1 - hardness * rng.beta(2.2, 1.3) * 0.82
    scale = ground.largest * rng.uniform(0.72, 1.0) * shrink
    strength = 1 - hardness * rng.beta(1.2, 3.0) * (0.9 if rng.random() < 0.6 else 0.2)
    turn = thing.turn * (1 + hardness * rng.random())
    return _Pose(
        scale=scale,
        strength=float(strength),
        cut=bool(rng.random() < 0.22 * hardness),
        hidden=bool(rng.random() < 0.3 * hardness),
        angle=rng.uniform(-turn, turn),
    )


def _set_down(c: Canvas, rng: Rng, p: Palette, ground: Ground, thing: Thing, pose: _Pose, x: float) -> list[Sight]:
    y = rng.uniform(ground.top, ground.bottom) - pose.scale * 0.6
    if pose.cut:
        x = rng.choice([-0.25, 0.25]) * pose.scale + (0 if x < 0.5 else 1)
    with c.faint(pose.strength):
        if ground.shadows:
            with c.without_ink():
                c.ellipse(
                    x, y + pose.scale * 0.98, pose.scale * 0.75, pose.scale * 0.12, _shade(c, x, y + pose.scale * 0.98)
                )
        with c.at(x, y, pose.scale, angle=pose.angle, flip=bool(rng.random() < 0.5) and "card" not in thing.name):
            thing.draw(c, rng, p)
    sights = [Sight(thing.name, x, y, pose.scale)]
    if pose.hidden:
        cover = BYSTANDERS[int(rng.integers(len(BYSTANDERS)))]
        before = Sight(cover.name, x + rng.choice([-0.5, 0.5]) * pose.scale, y + pose.scale * 0.4, pose.scale * 0.75)
        with c.at(before.x, before.y, before.radius, angle=rng.uniform(-15, 15)):
            cover.draw(c, rng, p)
        sights.append(before)
    return sights


def _shade(c: Canvas, x: float, y: float) -> Colour:
    pixels = c.image.width
    found = c.image.getpixel((min(max(int(x * pixels), 0), pixels - 1), min(max(int(y * pixels), 0), pixels - 1)))
    assert isinstance(found, tuple)
    return int(found[0] * 0.78), int(found[1] * 0.78), int(found[2] * 0.8)


def _finish(image: Image.Image, rng: Rng, p: Palette, hardness: float, *, grain: bool) -> Image.Image:
    if grain:
        side = 128
        tile = Image.fromarray(rng.integers(0, 256, (side, side), dtype=np.uint8))
        noise = Image.new("L", image.size)
        for left in range(0, image.width, side):
            for top in range(0, image.height, side):
                noise.paste(tile, (left, top))
        image = Image.blend(image, noise.convert("RGB"), rng.uniform(0.03, 0.06))
    if rng.random() < 0.5:
        veil = Image.radial_gradient("L").resize(image.size).point(lambda v: max(0, v - 110) // 3)
        image.paste(p.ink, (0, 0), veil)
    if rng.random() < 0.35 * hardness:
        image = image.filter(ImageFilter.GaussianBlur(image.width * rng.uniform(0.002, 0.007)))
    return image


def _prompt(rng: Rng, place: Place, p: Palette, style: str, things: list[Thing]) -> str:
    """Most prompts name what is shown, some do not: people leave things out, generators add them."""
    named = [thing.phrase for thing in things if rng.random() < 0.8]
    text = f"{place.phrase}, {p.mood}"
    if named:
        text += ", with " + " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
    return f"{text}, {style}"


__all__ = ["CATEGORIES", "THINGS", "Scene", "Sight", "draw"]
