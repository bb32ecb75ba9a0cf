"""Cartoon people: grown-up, friendly, head and shoulders."""

import numpy as np

from classifiers.scenes.canvas import Canvas, Colour, mix
from classifiers.scenes.palettes import Palette

_SKINS: tuple[Colour, ...] = (
    (255, 219, 190),
    (241, 194, 152),
    (214, 158, 112),
    (161, 108, 72),
    (110, 72, 50),
    (122, 190, 170),
)
_HAIRS: tuple[Colour, ...] = ((40, 32, 34), (92, 58, 38), (190, 130, 60), (168, 60, 40), (200, 200, 205), (80, 90, 160))
_WHITE: Colour = (255, 255, 255)


def bust(c: Canvas, rng: np.random.Generator, p: Palette, *, x: float, scale: float) -> None:
    """A person from the chest up, standing on the lower edge of the picture."""
    skin, hair = _SKINS[int(rng.integers(len(_SKINS)))], _HAIRS[int(rng.integers(len(_HAIRS)))]
    coat = p.accents[int(rng.integers(4))]
    with c.at(x, 0.44, scale):
        if long_hair := bool(rng.random() < 0.45):
            c.box(-0.82, -0.6, 0.82, 0.95, hair, round_=0.5)
        c.box(-1.35, 1.15, 1.35, 2.6, coat, round_=0.55)
        c.box(-0.26, 0.7, 0.26, 1.3, mix(skin, p.ink, 0.12), round_=0.1)
        c.polygon([(-0.45, 1.15), (0.45, 1.15), (0, 1.75)], mix(p.paper, _WHITE, 0.4))
        c.ellipse(-0.7, 0.08, 0.13, 0.17, mix(skin, p.ink, 0.08))
        c.ellipse(0.7, 0.08, 0.13, 0.17, mix(skin, p.ink, 0.08))
        c.ellipse(0, 0.1, 0.7, 0.84, skin)
        _face(c, rng, p, skin, hair)
        _top(c, rng, p, hair, long_hair=long_hair)


def _face(c: Canvas, rng: np.random.Generator, p: Palette, skin: Colour, hair: Colour) -> None:
    if rng.random() < 0.2:
        c.polygon([(-0.66, 0.3), (-0.3, 0.42), (0.3, 0.42), (0.66, 0.3), (0.5, 0.86), (0, 1.06), (-0.5, 0.86)], hair)
    for side in (-1, 1):
        c.ellipse(side * 0.27, 0.08, 0.11, 0.13, _WHITE)
        with c.without_ink():
            c.circle(side * 0.27 + rng.uniform(-0.02, 0.02), 0.1, 0.055, p.ink)
            c.ellipse(side * 0.4, 0.36, 0.12, 0.08, mix(skin, (235, 110, 100), 0.35))
            c.line([(side * 0.4, -0.14), (side * 0.16, -0.16 - rng.uniform(0, 0.06))], hair, 0.06)
    with c.without_ink():
        c.line([(0, 0.12), (-0.07, 0.32), (0.05, 0.33)], mix(skin, p.ink, 0.35), 0.04)
        smile = rng.uniform(0.04, 0.16)
        c.line(
            [(-0.22, 0.52), (-0.1, 0.52 + smile), (0.1, 0.52 + smile), (0.22, 0.52)],
            mix(p.ink, (180, 50, 50), 0.5),
            0.05,
        )
    if rng.random() < 0.25:
        for side in (-1, 1):
            ring = [(side * 0.27 + 0.2 * np.cos(t), 0.09 + 0.19 * np.sin(t)) for t in np.linspace(0, 6.2832, 20)]
            c.line([(float(a), float(b)) for a, b in ring], p.ink, 0.045)
        c.line([(-0.07, 0.07), (0.07, 0.07)], p.ink, 0.045)


def _top(c: Canvas, rng: np.random.Generator, p: Palette, hair: Colour, *, long_hair: bool) -> None:
    wears = rng.random()
    if wears < 0.6 or long_hair:
        fringe = [(-0.74, 0.05), (-0.72, -0.5), (-0.4, -0.86), (0.1, -0.92), (0.55, -0.72), (0.74, -0.3), (0.74, 0.05)]
        c.polygon([*fringe, (0.55, -0.25), (0.1, -0.42), (-0.35, -0.3), (-0.58, -0.1)], hair)
    if 0.45 < wears < 0.75:
        band = p.accents[int(rng.integers(4))]
        c.polygon([(-0.7, -0.32), (-0.5, -0.9), (0.5, -0.9), (0.7, -0.32)], band)
        c.box(-0.95, -0.42, 0.95, -0.26, mix(band, p.ink, 0.3), round_=0.08)
    elif wears > 0.85:
        c.polygon([(-0.72, -0.3), (-0.6, -0.8), (0, -1.02), (0.6, -0.8), (0.72, -0.3)], p.accents[0])
        c.circle(0, -1.05, 0.14, p.paper)
