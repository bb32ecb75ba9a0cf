"""Where a scene happens. Each place paints the whole canvas and says where things may stand."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from classifiers.scenes.canvas import Canvas, Colour, mix
from classifiers.scenes.figures import bust
from classifiers.scenes.palettes import Palette

Rng = np.random.Generator
WHITE: Colour = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Ground:
    """The box (left, top, right, bottom) in which things may be set down, and how large they may be."""

    left: float
    top: float
    right: float
    bottom: float
    largest: float = 0.24
    shadows: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    phrase: str
    paint: Callable[[Canvas, Rng, Palette], Ground]


def _sun(c: Canvas, rng: Rng, p: Palette) -> None:
    x, y, r = rng.uniform(0.12, 0.88), rng.uniform(0.1, 0.26), rng.uniform(0.05, 0.09)
    with c.without_ink():
        c.circle(x, y, r * 1.5, mix(p.high, p.accents[1], 0.25))
        c.circle(x, y, r, mix(p.accents[1], WHITE, 0.45))
        for _ in range(int(rng.integers(0, 4))):
            cx, cy, w = rng.uniform(0, 1), rng.uniform(0.06, 0.3), rng.uniform(0.05, 0.1)
            tint = mix(p.low, WHITE, 0.55)
            c.ellipse(cx, cy, w, w * 0.34, tint)
            c.ellipse(cx - w * 0.4, cy - w * 0.22, w * 0.42, w * 0.36, tint)
            c.ellipse(cx + w * 0.3, cy - w * 0.26, w * 0.5, w * 0.42, tint)


def _ridge(c: Canvas, rng: Rng, level: float, rough: float, fill: Colour) -> None:
    phase, tall = rng.uniform(0, 6.3, 3), rough * rng.uniform(0.4, 1.0, 3)
    points = [
        (i / 24, level + sum(tall[k] * math.sin((k + 1) * 2.2 * i / 24 + phase[k]) / (k + 1) for k in range(3)))
        for i in range(25)
    ]
    c.polygon([(-0.02, 1.02), (-0.02, points[0][1]), *points, (1.02, points[-1][1]), (1.02, 1.02)], fill)


def _tree(c: Canvas, rng: Rng, p: Palette, x: float, y: float, size: float) -> None:
    c.box(x - size * 0.08, y - size * 0.5, x + size * 0.08, y, p.wood)
    leaf = mix(p.near, p.accents[2], rng.uniform(0, 0.4))
    if rng.random() < 0.5:
        for i in range(3):
            w, top = size * (0.42 - i * 0.09), y - size * (0.35 + i * 0.3)
            c.polygon([(x - w, top), (x + w, top), (x, top - size * 0.45)], mix(leaf, WHITE, i * 0.07))
    else:
        c.circle(x - size * 0.2, y - size * 0.7, size * 0.28, leaf)
        c.circle(x + size * 0.2, y - size * 0.68, size * 0.27, mix(leaf, p.ink, 0.08))
        c.circle(x, y - size * 0.9, size * 0.32, mix(leaf, WHITE, 0.1))


def _house(c: Canvas, rng: Rng, p: Palette, x: float, y: float, size: float) -> None:
    c.box(x - size / 2, y - size * 0.6, x + size / 2, y, mix(p.wall, WHITE, 0.2))
    roof = p.accents[int(rng.integers(4))]
    c.polygon([(x - size * 0.62, y - size * 0.58), (x + size * 0.62, y - size * 0.58), (x, y - size * 1.05)], roof)
    c.box(x - size * 0.1, y - size * 0.34, x + size * 0.12, y, p.wood)
    for dx in (-0.32, 0.3):
        c.box(
            x + size * (dx - 0.09),
            y - size * 0.44,
            x + size * (dx + 0.09),
            y - size * 0.24,
            mix(p.accents[1], WHITE, 0.5),
        )


def landscape(c: Canvas, rng: Rng, p: Palette) -> Ground:
    c.gradient(p.high, p.low, until=0.7)
    _sun(c, rng, p)
    _ridge(c, rng, 0.48, 0.09, mix(p.far, p.low, 0.5))
    _ridge(c, rng, 0.56, 0.05, p.far)
    for _ in range(int(rng.integers(0, 3))):
        _house(c, rng, p, rng.uniform(0.1, 0.9), rng.uniform(0.6, 0.66), rng.uniform(0.08, 0.14))
    _ridge(c, rng, 0.66, 0.03, p.near)
    for _ in range(int(rng.integers(2, 6))):
        _tree(c, rng, p, rng.uniform(0.02, 0.98), rng.uniform(0.66, 0.8), rng.uniform(0.1, 0.26))
    with c.without_ink():
        for _ in range(int(rng.integers(0, 14))):
            c.circle(
                rng.uniform(0, 1), rng.uniform(0.76, 1), rng.uniform(0.005, 0.011), p.accents[int(rng.integers(4))]
            )
    return Ground(0.14, 0.68, 0.86, 0.9)


def beach(c: Canvas, rng: Rng, p: Palette) -> Ground:
    c.gradient(p.high, p.low, until=0.5)
    _sun(c, rng, p)
    c.box(-0.02, 0.46, 1.02, 0.75, mix(p.accents[2], p.high, 0.25))
    with c.without_ink():
        for _ in range(9):
            x, y, w = rng.uniform(0, 1), rng.uniform(0.49, 0.63), rng.uniform(0.02, 0.08)
            c.line([(x, y), (x + w, y)], mix(p.accents[2], WHITE, 0.5), 0.006)
    if rng.random() < 0.7:
        with c.at(rng.uniform(0.15, 0.85), 0.48, rng.uniform(0.06, 0.11)):
            c.polygon([(-1, 0), (1, 0), (0.7, 0.42), (-0.7, 0.42)], p.wood)
            c.polygon([(0.05, -0.08), (0.05, -1.5), (0.95, -0.08)], mix(p.paper, WHITE, 0.5))
            c.polygon([(-0.05, -0.08), (-0.05, -1.2), (-0.7, -0.08)], p.accents[0])
    _ridge(c, rng, 0.66, 0.015, mix((238, 214, 165), p.low, 0.25))
    if rng.random() < 0.6:
        with c.at(rng.choice([0.08, 0.92]), 0.9, 0.3, angle=rng.uniform(-8, 8)):
            c.line([(0, 0), (0.1, -0.8), (0, -1.6)], p.wood, 0.11)
            for turn in (-150, -110, -70, -30, 10):
                with c.at(0, -1.6, 1, angle=turn):
                    c.polygon([(0, -0.07), (0.45, -0.16), (0.85, 0.1), (0.4, 0.06)], mix(p.near, (70, 140, 90), 0.5))
    return Ground(0.16, 0.7, 0.84, 0.9)


def room(c: Canvas, rng: Rng, p: Palette) -> Ground:
    c.gradient(mix(p.wall, WHITE, 0.1), mix(p.wall, p.ink, 0.08), until=0.72)
    with c.without_ink():
        if rng.random() < 0.5:
            for i in range(12):
                c.box(i / 11 - 0.02, 0, i / 11, 0.7, mix(p.wall, p.accents[3], 0.14))
    c.box(-0.02, 0.68, 1.02, 1.02, mix(p.wood, p.low, 0.35))
    with c.without_ink():
        for i in range(1, 5):
            c.line([(0, 0.68 + i * 0.075), (1, 0.68 + i * 0.075)], mix(p.wood, p.low, 0.2), 0.004)
    x = rng.uniform(0.2, 0.5)
    c.box(x - 0.15, 0.12, x + 0.15, 0.46, mix(p.wood, WHITE, 0.35))
    c.box(x - 0.13, 0.14, x + 0.13, 0.44, p.high)
    with c.without_ink():
        c.polygon([(x - 0.13, 0.44), (x - 0.13, 0.36), (x - 0.02, 0.31), (x + 0.13, 0.38), (x + 0.13, 0.44)], p.far)
    c.box(x - 0.006, 0.14, x + 0.006, 0.44, mix(p.wood, WHITE, 0.35))
    for side in (-1, 1):
        edge = x + side * 0.14
        c.polygon(
            [(edge, 0.1), (edge + side * 0.07, 0.1), (edge + side * 0.09, 0.5), (edge + side * 0.02, 0.5)], p.accents[0]
        )
    if rng.random() < 0.75:
        fx = x + rng.uniform(0.32, 0.42)
        c.box(fx - 0.08, 0.18, fx + 0.08, 0.38, p.wood)
        c.box(fx - 0.065, 0.195, fx + 0.065, 0.365, mix(p.accents[2], p.paper, 0.5))
        c.circle(fx, 0.28, 0.035, p.accents[1])
    sofa = p.accents[int(rng.integers(4))]
    sx = rng.uniform(0.5, 0.72)
    c.box(sx - 0.24, 0.48, sx + 0.24, 0.68, mix(sofa, p.ink, 0.12), round_=0.05)
    c.box(sx - 0.28, 0.57, sx + 0.28, 0.76, sofa, round_=0.04)
    c.box(sx - 0.03, 0.5, sx + 0.1, 0.62, mix(sofa, WHITE, 0.45), round_=0.02)
    c.ellipse(0.5, 0.9, rng.uniform(0.34, 0.5), 0.09, mix(p.accents[3], p.paper, 0.45))
    if rng.random() < 0.6:
        c.line([(0.93, 0.72), (0.93, 0.3)], p.ink, 0.012)
        c.polygon([(0.86, 0.32), (1.0, 0.32), (0.965, 0.18), (0.895, 0.18)], mix(p.accents[1], WHITE, 0.4))
    return Ground(0.14, 0.72, 0.86, 0.9)


def street(c: Canvas, rng: Rng, p: Palette) -> Ground:
    c.gradient(p.high, p.low, until=0.8)
    _sun(c, rng, p)
    x = -0.05
    while x < 1.0:
        width, top = rng.uniform(0.13, 0.24), rng.uniform(0.16, 0.44)
        face = mix(p.accents[int(rng.integers(4))], p.wall, rng.uniform(0.35, 0.75))
        c.box(x, top, x + width, 0.74, face)
        lit = mix(p.accents[1], WHITE, 0.5)
        columns, rows = int(rng.integers(2, 4)), int((0.64 - top) / 0.09)
        for i in range(columns):
            for j in range(rows):
                wx, wy = x + width * (i + 0.5) / columns, top + 0.05 + j * 0.09
                c.box(
                    wx - 0.016,
                    wy - 0.02,
                    wx + 0.016,
                    wy + 0.025,
                    lit if rng.random() < 0.55 else mix(face, p.ink, 0.45),
                )
        if rng.random() < 0.5:
            c.polygon(
                [(x, 0.64), (x + width, 0.64), (x + width + 0.015, 0.69), (x - 0.015, 0.69)],
                p.accents[int(rng.integers(4))],
            )
        x += width
    c.box(-0.02, 0.73, 1.02, 0.8, mix(p.paper, p.ink, 0.3))
    c.box(-0.02, 0.8, 1.02, 1.02, mix(p.ink, p.low, 0.3))
    with c.without_ink():
        for i in range(6):
            c.box(i * 0.2 - 0.02, 0.905, i * 0.2 + 0.08, 0.918, mix(p.paper, p.ink, 0.15))
    if rng.random() < 0.6:
        lx = rng.uniform(0.06, 0.94)
        c.line([(lx, 0.8), (lx, 0.36)], p.ink, 0.014)
        c.circle(lx, 0.35, 0.026, mix(p.accents[1], WHITE, 0.6))
    if rng.random() < 0.55:
        with c.at(rng.uniform(0.15, 0.85), 0.83, 0.12, flip=bool(rng.random() < 0.5)):
            paint = p.accents[int(rng.integers(4))]
            c.box(-1, -0.5, 1, 0.05, paint, round_=0.18)
            c.polygon([(-0.6, -0.48), (-0.35, -0.95), (0.35, -0.95), (0.65, -0.48)], mix(paint, WHITE, 0.35))
            for wheel in (-0.55, 0.55):
                c.circle(wheel, 0.08, 0.22, p.ink)
                c.circle(wheel, 0.08, 0.1, p.paper)
    return Ground(0.14, 0.66, 0.86, 0.9)


def still_life(c: Canvas, rng: Rng, p: Palette) -> Ground:
    c.gradient(mix(p.wall, p.ink, 0.25), mix(p.wall, p.low, 0.4), until=0.66)
    cloth = mix(p.accents[int(rng.integers(4))], p.paper, rng.uniform(0.3, 0.7))
    c.box(-0.02, 0.6, 1.02, 1.02, mix(p.wood, WHITE, 0.1))
    c.polygon([(0.08, 0.62), (0.92, 0.62), (1.02, 1.02), (-0.02, 1.02)], cloth)
    if rng.random() < 0.5:
        with c.without_ink():
            for i in range(1, 6):
                c.line([(0.08 + i * 0.14, 0.62), (-0.02 + i * 0.173, 1.02)], mix(cloth, WHITE, 0.4), 0.02)
    x = rng.choice([0.24, 0.76]) + rng.uniform(-0.06, 0.06)
    vase = p.accents[2]
    for _ in range(int(rng.integers(3, 6))):
        tip = (x + rng.uniform(-0.12, 0.12), rng.uniform(0.16, 0.34))
        c.line([(x, 0.48), tip], mix(p.near, (60, 120, 70), 0.5), 0.008)
        petal = p.accents[int(rng.integers(4))]
        for turn in range(5):
            c.circle(tip[0] + 0.026 * math.cos(turn * 1.257), tip[1] + 0.026 * math.sin(turn * 1.257), 0.02, petal)
        c.circle(*tip, 0.015, p.accents[1])
    c.polygon(
        [(x - 0.05, 0.42), (x + 0.05, 0.42), (x + 0.085, 0.58), (x + 0.05, 0.69), (x - 0.05, 0.69), (x - 0.085, 0.58)],
        vase,
    )
    bx = 1 - x + rng.uniform(-0.04, 0.04)
    for _ in range(int(rng.integers(3, 6))):
        fruit = [(214, 72, 60), (240, 170, 60), (150, 180, 70), (110, 70, 120)][int(rng.integers(4))]
        c.circle(bx + rng.uniform(-0.09, 0.09), rng.uniform(0.55, 0.6), rng.uniform(0.03, 0.045), fruit)
    c.polygon(
        [(bx - 0.15, 0.6), (bx + 0.15, 0.6), (bx + 0.08, 0.7), (bx - 0.08, 0.7)], mix(p.paper, p.accents[2], 0.25)
    )
    return Ground(0.18, 0.7, 0.82, 0.88, 0.28)


def portrait(c: Canvas, rng: Rng, p: Palette) -> Ground:
    c.gradient(p.high, p.low)
    with c.without_ink():
        if rng.random() < 0.6:
            tint = mix(p.low, p.accents[int(rng.integers(4))], 0.35)
            c.circle(0.5, 0.42, rng.uniform(0.34, 0.42), tint)
    bust(c, rng, p, x=rng.uniform(0.4, 0.6), scale=rng.uniform(0.24, 0.3))
    return Ground(0.16, 0.68, 0.84, 0.86, 0.26, shadows=False)


def poster(c: Canvas, rng: Rng, p: Palette) -> Ground:
    field = p.accents[int(rng.integers(4))]
    c.gradient(field, mix(field, p.ink, 0.3))
    with c.without_ink():
        style = int(rng.integers(3))
        if style == 0:
            for i in range(0, 18, 2):
                a, b = i * math.tau / 18, (i + 1) * math.tau / 18
                far = [(0.5 + 1.2 * math.cos(t), 0.55 + 1.2 * math.sin(t)) for t in (a, b)]
                c.polygon([(0.5, 0.55), *far], mix(field, p.paper, 0.2))
        elif style == 1:
            for i in range(5, 0, -1):
                c.circle(0.5, 0.58, i * 0.1, mix(field, p.accents[1] if i % 2 else p.paper, 0.35))
        else:
            for i in range(7):
                c.polygon(
                    [(i / 4 - 0.6, 1.02), (i / 4 - 0.45, 1.02), (i / 4 + 0.2, -0.02), (i / 4 + 0.05, -0.02)],
                    mix(field, p.paper, 0.14),
                )
    c.box(0.08, 0.06, 0.92, 0.22, p.paper, round_=0.02)
    c.text(
        0.5,
        0.14,
        str(rng.choice(["SUMMER FAIR", "JAZZ NIGHT", "GRAND TOUR", "OPEN DAY", "MOON CIRCUS", "BOOK WEEK"])),
        0.09,
        p.ink,
    )
    c.text(0.5, 0.94, str(rng.choice(["doors at seven", "free entry", "this weekend", "all welcome"])), 0.05, p.paper)
    return Ground(0.28, 0.45, 0.72, 0.75, 0.34, shadows=False)


def chart(c: Canvas, rng: Rng, p: Palette) -> Ground:
    c.gradient(p.paper, mix(p.paper, p.low, 0.3))
    c.text(
        0.5,
        0.08,
        str(rng.choice(["Visitors a month", "Rainfall", "Cups of tea", "Bicycles sold", "Birds counted"])),
        0.055,
        p.ink,
    )
    with c.without_ink():
        for i in range(5):
            c.line([(0.12, 0.2 + i * 0.15), (0.92, 0.2 + i * 0.15)], mix(p.paper, p.ink, 0.18), 0.003)
    if rng.random() < 0.6:
        n = int(rng.integers(4, 8))
        for i in range(n):
            tall = rng.uniform(0.12, 0.55)
            left = 0.14 + i * 0.78 / n
            c.box(left, 0.8 - tall, left + 0.5 / n, 0.8, p.accents[i % 4])
    else:
        start = rng.uniform(0, 6)
        shares = np.cumsum(rng.dirichlet(np.full(4, 2.0)))
        for k in range(3, -1, -1):
            arc = [start + math.tau * shares[k] * t / 24 for t in range(25)]
            c.polygon([(0.5, 0.5), *((0.5 + 0.27 * math.cos(t), 0.5 + 0.27 * math.sin(t)) for t in arc)], p.accents[k])
    c.line([(0.12, 0.16), (0.12, 0.8), (0.93, 0.8)], p.ink, 0.008)
    return Ground(0.2, 0.5, 0.8, 0.86, 0.22, shadows=False)


PLACES = (
    Place("a hilly landscape with a few trees", landscape),
    Place("a quiet beach with a sailing boat", beach),
    Place("a cosy living room", room),
    Place("a city street", street),
    Place("a still life with flowers and fruit", still_life),
    Place("a portrait of a cheerful character", portrait),
    Place("a bold festival poster", poster),
    Place("an infographic with a chart", chart),
)
