"""Harmless things, many of which look like one that is not."""

# ruff: noqa: ARG001  every thing is drawn through the same signature

import numpy as np

from classifiers.scenes.canvas import Canvas, mix
from classifiers.scenes.palettes import Palette
from classifiers.scenes.things import DARK, GOLD, GREY, STEEL, WHITE, Rng, Thing, pick


def umbrella(c: Canvas, rng: Rng, p: Palette) -> None:
    cloth = pick(rng, *p.accents)
    if rng.random() < 0.5:
        c.line([(0, -0.6), (0, 0.7), (0.12, 0.86), (0.26, 0.72)], DARK, 0.08)
        dome = [(float(np.cos(t)) * 0.95, -0.05 - float(np.sin(t)) * 0.8) for t in np.linspace(0, np.pi, 16)]
        c.polygon([*dome, (-0.48, -0.2), (0, -0.05), (0.48, -0.2)], cloth)
    else:
        c.polygon([(-0.05, -0.98), (0.05, -0.98), (0.2, 0.3), (0, 0.42), (-0.2, 0.3)], cloth)
        c.line([(0, 0.4), (0, 0.76), (0.14, 0.94), (0.3, 0.78)], (130, 84, 50), 0.1)


def paintbrush(c: Canvas, rng: Rng, p: Palette) -> None:
    c.polygon([(-0.09, 0.98), (0.09, 0.98), (0.11, -0.25), (-0.11, -0.25)], pick(rng, *p.accents))
    c.box(-0.14, -0.5, 0.14, -0.22, STEEL)
    c.polygon(
        [(-0.15, -0.48), (0.15, -0.48), (0.1, -0.8), (0, -1.0), (-0.1, -0.8)], pick(rng, (90, 60, 40), *p.accents)
    )


def hammer(c: Canvas, rng: Rng, p: Palette) -> None:
    c.box(-0.09, -0.5, 0.09, 0.98, (196, 148, 90))
    c.box(-0.5, -0.8, 0.5, -0.36, pick(rng, p.accents[0], p.accents[2], (230, 90, 70)), round_=0.14)


def wand(c: Canvas, rng: Rng, p: Palette) -> None:
    c.box(-0.06, -0.5, 0.06, 0.98, pick(rng, (150, 100, 180), *p.accents))
    c.star(0, -0.6, 0.42, (252, 214, 90))


def hairdryer(c: Canvas, rng: Rng, p: Palette) -> None:
    body = pick(rng, p.accents[0], p.accents[2], p.accents[3], (235, 235, 240))
    c.polygon([(0.06, 0.1), (0.44, 0.06), (0.58, 0.9), (0.22, 0.94)], mix(body, DARK, 0.2))
    c.polygon([(-0.3, -0.36), (-0.92, -0.5), (-0.92, 0.2), (-0.3, 0.06)], mix(body, DARK, 0.3))
    c.circle(0.2, -0.15, 0.48, body)
    for x in (0.1, 0.2, 0.3):
        c.line([(x, -0.3), (x, 0.0)], mix(body, DARK, 0.4), 0.04)
    c.line([(0.4, 0.92), (0.5, 1.1), (0.8, 1.05)], DARK, 0.06)


def watering_can(c: Canvas, rng: Rng, p: Palette) -> None:
    tin = pick(rng, *p.accents, (130, 170, 160))
    c.line([(0.3, -0.3), (0.85, -0.25), (0.8, 0.5)], mix(tin, DARK, 0.25), 0.11)
    c.polygon([(-0.35, 0.3), (-0.9, -0.42), (-0.78, -0.5), (-0.3, -0.1)], mix(tin, DARK, 0.15))
    c.box(-0.42, -0.35, 0.55, 0.72, tin, round_=0.1)
    c.ellipse(-0.88, -0.5, 0.2, 0.1, mix(tin, DARK, 0.3))


def balloon(c: Canvas, rng: Rng, p: Palette) -> None:
    skin = pick(rng, *p.accents, mix(DARK, p.accents[3], 0.3))
    c.line([(0, 0.52), (0.1, 0.75), (-0.06, 1.0)], GREY, 0.04)
    c.ellipse(0, -0.15, 0.58, 0.7, skin)
    c.polygon([(0, 0.5), (-0.12, 0.66), (0.12, 0.66)], skin)
    with c.without_ink():
        c.ellipse(-0.22, -0.42, 0.12, 0.18, mix(skin, WHITE, 0.6))


def bauble(c: Canvas, rng: Rng, p: Palette) -> None:
    glass = pick(rng, *p.accents, mix(p.ink, p.accents[2], 0.2))
    c.circle(0, 0.22, 0.68, glass)
    c.box(-0.16, -0.62, 0.16, -0.4, GOLD)
    c.line([(0, -0.6), (0.03, -0.8), (0.16, -0.9)], GREY, 0.06)
    with c.without_ink():
        c.line([(-0.6, 0.3), (-0.2, 0.16), (0.2, 0.32), (0.6, 0.18)], mix(glass, WHITE, 0.6), 0.1)
        c.ellipse(-0.26, -0.06, 0.14, 0.18, mix(glass, WHITE, 0.55))


def carton(c: Canvas, rng: Rng, p: Palette) -> None:
    side = pick(rng, (240, 170, 60), (120, 180, 90), (230, 90, 100), (120, 170, 220))
    c.box(-0.4, -0.45, 0.4, 0.95, side)
    c.polygon([(-0.4, -0.45), (0.4, -0.45), (0.22, -0.8), (-0.22, -0.8)], mix(side, WHITE, 0.35))
    c.box(-0.24, -0.95, 0.24, -0.78, mix(side, DARK, 0.15))
    c.circle(0, 0.24, 0.26, mix(side, WHITE, 0.55))
    c.text(0, 0.7, str(rng.choice(["JUICE", "MILK", "OAT"])), 0.2, WHITE)


def sauce(c: Canvas, rng: Rng, p: Palette) -> None:
    fill = pick(rng, (196, 48, 40), (232, 190, 50), (98, 140, 62))
    c.polygon([(-0.1, -0.95), (0.1, -0.95), (0.16, -0.6), (-0.16, -0.6)], mix(fill, WHITE, 0.5))
    c.polygon([(-0.16, -0.6), (0.16, -0.6), (0.34, -0.25), (0.36, 0.95), (-0.36, 0.95), (-0.34, -0.25)], fill)
    c.ellipse(0, 0.3, 0.28, 0.34, p.paper)


def lemonade(c: Canvas, rng: Rng, p: Palette) -> None:
    c.line([(0.1, 0.2), (0.42, -1.0)], pick(rng, *p.accents), 0.08)
    c.polygon(
        [(-0.5, -0.6), (0.5, -0.6), (0.36, 0.92), (-0.36, 0.92)],
        pick(rng, (250, 222, 110), (246, 170, 130), (180, 220, 160)),
    )
    with c.without_ink():
        c.box(-0.26, -0.2, 0.0, 0.06, WHITE)
        c.box(0.02, 0.14, 0.24, 0.38, WHITE)
    c.circle(-0.46, -0.6, 0.24, (246, 206, 70))


def candle(c: Canvas, rng: Rng, p: Palette) -> None:
    c.box(-0.16, -0.3, 0.16, 0.95, pick(rng, (250, 246, 232), p.accents[3], p.accents[0]))
    c.line([(0, -0.3), (0, -0.44)], DARK, 0.04)
    c.polygon([(0, -0.95), (0.14, -0.58), (0, -0.42), (-0.14, -0.58)], (255, 190, 70))


def pencil(c: Canvas, rng: Rng, p: Palette) -> None:
    paint = pick(rng, (250, 250, 246), (240, 180, 60), *p.accents)
    c.box(-0.6, -0.12, 0.66, 0.12, paint)
    c.polygon([(-0.6, -0.12), (-0.6, 0.12), (-0.98, 0)], (236, 200, 150))
    c.polygon([(-0.98, 0), (-0.87, -0.035), (-0.87, 0.035)], DARK)
    c.box(0.66, -0.12, 0.94, 0.12, (232, 130, 130))


def snapshots(c: Canvas, rng: Rng, p: Palette) -> None:
    for i, turn in enumerate((-22, 4, 24)):
        with c.at((i - 1) * 0.32, abs(i - 1) * 0.08, 1.0, angle=turn):
            c.box(-0.36, -0.5, 0.36, 0.54, (252, 252, 250))
            c.box(-0.29, -0.42, 0.29, 0.2, p.high)
            with c.without_ink():
                c.polygon([(-0.29, 0.2), (-0.1, -0.1), (0.08, 0.1), (0.2, -0.04), (0.29, 0.2)], p.near)


def loyalty_card(c: Canvas, rng: Rng, p: Palette) -> None:
    base = pick(rng, *p.accents, p.paper)
    c.box(-0.98, -0.62, 0.98, 0.62, mix(base, WHITE, 0.35), round_=0.1)
    c.text(0, -0.4, str(rng.choice(["COFFEE CLUB", "LIBRARY", "CINEMA"])), 0.2, mix(base, DARK, 0.6))
    stamped = int(rng.integers(2, 9))
    for i in range(8):
        tint = mix(base, DARK, 0.5) if i < stamped else WHITE
        c.circle(-0.66 + (i % 4) * 0.44, -0.02 + (i // 4) * 0.36, 0.13, tint)


def flower(c: Canvas, rng: Rng, p: Palette) -> None:
    petal = pick(rng, (250, 200, 60), (245, 160, 60), (250, 250, 240))
    c.star(0, 0, 0.98, petal, points=int(rng.integers(9, 13)), inner=0.62)
    c.circle(0, 0, 0.4, pick(rng, (120, 76, 40), (190, 120, 40)))


def starfish(c: Canvas, rng: Rng, p: Palette) -> None:
    skin = pick(rng, (238, 130, 90), (240, 180, 80), (220, 100, 120))
    c.star(0, 0, 0.98, skin, points=5, inner=0.42)
    for i in range(5):
        turn = i * 1.2566 - 1.5708
        c.circle(0.44 * float(np.cos(turn)), 0.44 * float(np.sin(turn)), 0.08, mix(skin, WHITE, 0.5))


def cat_certificate(c: Canvas, rng: Rng, p: Palette) -> None:
    c.box(-0.72, -0.96, 0.72, 0.96, p.paper)
    edge = pick(rng, p.accents[2], p.accents[3], GOLD)
    c.line([(-0.6, -0.84), (0.6, -0.84), (0.6, 0.84), (-0.6, 0.84), (-0.6, -0.84)], edge, 0.06)
    c.text(0, -0.62, str(rng.choice(["BEST CAT", "FLUFFIEST"])), 0.18, mix(edge, DARK, 0.4))
    fur = pick(rng, (150, 150, 160), (230, 160, 90), (70, 66, 70))
    c.polygon([(-0.26, -0.1), (-0.22, -0.4), (-0.04, -0.24), (0.04, -0.24), (0.22, -0.4), (0.26, -0.1)], fur)
    c.ellipse(0, -0.02, 0.28, 0.24, fur)
    with c.without_ink():
        c.circle(-0.1, -0.06, 0.05, (240, 220, 90))
        c.circle(0.1, -0.06, 0.05, (240, 220, 90))
    c.star(0, 0.52, 0.26, pick(rng, (70, 120, 200), (90, 170, 120)), points=12, inner=0.8)


def shopping_list(c: Canvas, rng: Rng, p: Palette) -> None:
    c.box(-0.6, -0.96, 0.6, 0.96, pick(rng, (255, 244, 180), (252, 252, 252), (214, 236, 250)))
    c.text(0, -0.74, str(rng.choice(["Shopping", "To do", "Menu"])), 0.2, DARK)
    for i, text in enumerate(("eggs", "flour", "apples", "string")):
        y = -0.38 + i * 0.3
        c.box(-0.46, y - 0.08, -0.3, y + 0.08, WHITE)
        c.text(0.08, y, text, 0.18, (70, 76, 120))


def sheet_music(c: Canvas, rng: Rng, p: Palette) -> None:
    c.box(-0.72, -0.96, 0.72, 0.96, p.paper)
    with c.without_ink():
        for stave in range(3):
            for i in range(4):
                y = -0.66 + stave * 0.56 + i * 0.08
                c.line([(-0.58, y), (0.58, y)], GREY, 0.02)
            for _ in range(4):
                x, y = rng.uniform(-0.5, 0.5), -0.62 + stave * 0.56 + rng.uniform(0, 0.2)
                c.circle(x, y, 0.06, DARK)
                c.line([(x + 0.05, y), (x + 0.05, y - 0.22)], DARK, 0.03)


def gift(c: Canvas, rng: Rng, p: Palette) -> None:
    wrap, bow = pick(rng, *p.accents), pick(rng, WHITE, GOLD, (200, 50, 60))
    c.box(-0.9, -0.4, 0.9, 0.8, wrap)
    c.box(-0.14, -0.4, 0.14, 0.8, bow)
    c.box(-0.9, 0.1, 0.9, 0.32, bow)
    c.ellipse(-0.26, -0.56, 0.28, 0.17, bow)
    c.ellipse(0.26, -0.56, 0.28, 0.17, bow)


def postcard(c: Canvas, rng: Rng, p: Palette) -> None:
    c.box(-0.98, -0.66, 0.98, 0.66, p.paper)
    c.box(-0.9, -0.58, 0.02, 0.58, p.high)
    with c.without_ink():
        c.circle(-0.6, -0.26, 0.16, p.accents[1])
        c.polygon([(-0.9, 0.58), (-0.9, 0.2), (-0.5, -0.04), (0.02, 0.34), (0.02, 0.58)], p.near)
        for i in range(3):
            c.line([(0.16, 0.02 + i * 0.2), (0.84, 0.02 + i * 0.2)], GREY, 0.05)
    c.box(0.6, -0.54, 0.88, -0.2, pick(rng, *p.accents))


def teacup(c: Canvas, rng: Rng, p: Palette) -> None:
    china = pick(rng, WHITE, p.accents[2], p.accents[3], p.paper)
    c.ellipse(0, 0.62, 0.9, 0.17, mix(china, DARK, 0.1))
    c.line([(0.5, -0.1), (0.86, 0.0), (0.76, 0.36), (0.4, 0.4)], mix(china, DARK, 0.12), 0.12)
    c.polygon([(-0.62, -0.24), (0.62, -0.24), (0.42, 0.5), (0.22, 0.62), (-0.22, 0.62), (-0.42, 0.5)], china)
    c.ellipse(0, -0.24, 0.62, 0.14, (150, 94, 52))


BYSTANDERS = (
    Thing("umbrella", "an umbrella", umbrella, turn=35),
    Thing("paintbrush", "a paintbrush", paintbrush, turn=35),
    Thing("toy hammer", "a toy hammer", hammer, mistaken_for="WEAPONS_DANGEROUS", turn=30),
    Thing("magic wand", "a magic wand with a star", wand, turn=35),
    Thing("hairdryer", "a hairdryer", hairdryer, mistaken_for="WEAPONS_DANGEROUS", turn=25),
    Thing("watering can", "a watering can", watering_can, turn=8),
    Thing("balloon", "a balloon", balloon),
    Thing("bauble", "a glass bauble", bauble, turn=20),
    Thing("juice carton", "a carton of juice", carton),
    Thing("sauce bottle", "a bottle of sauce", sauce),
    Thing("lemonade", "a glass of lemonade", lemonade, mistaken_for="REGULATED", turn=8),
    Thing("candle", "a candle", candle, turn=20),
    Thing("pencil", "a pencil", pencil, turn=30),
    Thing("snapshots", "a few holiday snapshots", snapshots, turn=20),
    Thing("loyalty card", "a coffee club card", loyalty_card, mistaken_for="IMPERSONATION_FRAUD", turn=15),
    Thing("sunflower", "a sunflower", flower, turn=30),
    Thing("starfish", "a starfish", starfish, turn=40),
    Thing("cat certificate", "the certificate of a cat show", cat_certificate),
    Thing("shopping list", "a shopping list", shopping_list),
    Thing("sheet music", "a page of sheet music", sheet_music),
    Thing("gift", "a wrapped gift", gift, turn=8),
    Thing("postcard", "a postcard", postcard, mistaken_for="PRIVACY", turn=15),
    Thing("teacup", "a cup of tea", teacup, turn=4),
)
