"""Harmless cartoon stand-ins for what a policy forbids. Only the labels are grave."""

# ruff: noqa: ARG001  every thing is drawn through the same signature

import numpy as np

from classifiers.scenes.canvas import Canvas, mix
from classifiers.scenes.palettes import Palette
from classifiers.scenes.things import DARK, GOLD, GREY, STEEL, WHITE, Rng, Thing, pick


def sword(c: Canvas, rng: Rng, p: Palette) -> None:
    length = rng.uniform(0.8, 1.0)
    blade = mix(STEEL, p.high, 0.08)
    c.polygon([(-0.2, 0.4), (-0.18, -0.72 * length), (0, -length), (0.18, -0.72 * length), (0.2, 0.4)], blade)
    with c.without_ink():
        c.polygon([(0, 0.38), (0, -0.9 * length), (0.14, -0.7 * length), (0.16, 0.38)], mix(blade, DARK, 0.25))
    c.box(-0.52, 0.36, 0.52, 0.54, GOLD, round_=0.07)
    c.box(-0.11, 0.52, 0.11, 0.86, pick(rng, (120, 50, 40), (60, 60, 110), DARK))
    c.circle(0, 0.9, 0.16, GOLD)


def raygun(c: Canvas, rng: Rng, p: Palette) -> None:
    body = pick(rng, p.accents[0], p.accents[2], (150, 160, 175), (190, 70, 60))
    c.polygon([(0.1, 0.1), (0.52, 0.05), (0.74, 0.86), (0.34, 0.92)], mix(body, DARK, 0.45))
    c.polygon([(0.1, -0.46), (0.72, -0.86), (0.58, -0.38)], mix(body, WHITE, 0.3))
    c.ellipse(0.18, -0.15, 0.58, 0.36, body)
    c.polygon([(-0.36, -0.28), (-0.8, -0.22), (-0.8, -0.06), (-0.36, 0.0)], mix(body, DARK, 0.25))
    for i in range(3):
        c.ellipse(-0.42 - i * 0.17, -0.14, 0.07, 0.3 - i * 0.05, GOLD)
    c.circle(-0.92, -0.14, 0.15, pick(rng, (255, 90, 80), (90, 220, 170), (250, 220, 90)))
    c.circle(0.24, -0.16, 0.15, mix(p.accents[1], WHITE, 0.3))
    c.polygon([(-0.9, -0.2), (-1.2, -0.3), (-1.16, -0.12), (-1.5, -0.1), (-1.16, 0.04), (-1.2, 0.2)], (255, 232, 90))


def bomb(c: Canvas, rng: Rng, p: Palette) -> None:
    c.circle(0, 0.22, 0.68, mix(DARK, p.ink, 0.4))
    with c.without_ink():
        c.ellipse(-0.26, -0.06, 0.15, 0.2, (150, 152, 165))
    with c.at(0.36, -0.36, 1.0, angle=35):
        c.box(-0.18, -0.16, 0.18, 0.12, GREY)
    c.line([(0.45, -0.48), (0.52, -0.72), (0.74, -0.78)], (190, 150, 100), 0.07)
    c.star(0.8, -0.82, 0.24, (255, 205, 70), points=7)
    with c.without_ink():
        c.circle(0.8, -0.82, 0.09, (255, 245, 190))


def wine_bottle(c: Canvas, rng: Rng, p: Palette) -> None:
    glass = pick(rng, (38, 84, 58), (72, 30, 44), (92, 70, 30), (40, 60, 80))
    c.polygon(
        [
            (-0.13, -0.95),
            (0.13, -0.95),
            (0.13, -0.48),
            (0.32, -0.2),
            (0.32, 0.95),
            (-0.32, 0.95),
            (-0.32, -0.2),
            (-0.13, -0.48),
        ],
        glass,
    )
    c.box(-0.15, -1.0, 0.15, -0.72, pick(rng, (150, 30, 45), GOLD, (30, 30, 40)))
    c.box(-0.32, 0.08, 0.32, 0.66, p.paper)
    c.text(0, 0.27, "VIN", 0.2, DARK)
    with c.without_ink():
        c.line([(-0.18, 0.48), (0.18, 0.48)], GOLD, 0.05)
        c.line([(-0.2, -0.1), (-0.2, 0.0)], WHITE, 0.06)


def cigarette(c: Canvas, rng: Rng, p: Palette) -> None:
    tilt = rng.uniform(-0.08, 0.08)
    c.polygon([(-0.85, -0.2), (0.4, -0.2 + tilt), (0.4, 0.2 + tilt), (-0.85, 0.2)], (250, 250, 246))
    c.polygon([(0.36, -0.2 + tilt), (0.98, -0.2 + tilt), (0.98, 0.2 + tilt), (0.36, 0.2 + tilt)], (226, 140, 60))
    c.box(-0.98, -0.2, -0.74, 0.2, (96, 90, 90))
    with c.without_ink():
        c.ellipse(-0.98, 0.0, 0.12, 0.19, (255, 96, 40))
        smoke = mix(p.low, (214, 214, 222), 0.75)
        wave = [(-0.9 + 0.2 * np.sin(t * 1.4), -0.3 - t * 0.15) for t in np.linspace(0, 5, 12)]
        c.line([(float(a), float(b)) for a, b in wave], smoke, 0.16)


def cards(c: Canvas, rng: Rng, p: Palette) -> None:
    red, black = (206, 44, 52), (34, 34, 44)
    for i, turn in enumerate((-24, 0, 24)):
        suit = red if (i + int(rng.integers(2))) % 2 else black
        with c.at((i - 1) * 0.34, abs(i - 1) * 0.08, 1.0, angle=turn):
            c.box(-0.34, -0.55, 0.34, 0.55, (252, 252, 250), round_=0.08)
            if suit == red:
                c.polygon([(0, 0.24), (-0.2, -0.02), (-0.1, -0.18), (0, -0.08), (0.1, -0.18), (0.2, -0.02)], suit)
            else:
                c.polygon([(0, -0.25), (0.2, 0.05), (0, 0.24), (-0.2, 0.05)], suit)
            c.text(-0.22, -0.4, str(rng.choice(["A", "K", "Q", "7"])), 0.22, suit)


def beer(c: Canvas, rng: Rng, p: Palette) -> None:
    c.line([(0.4, -0.3), (0.78, -0.25), (0.78, 0.4), (0.4, 0.5)], mix(WHITE, p.high, 0.3), 0.14)
    c.polygon(
        [(-0.52, -0.5), (0.52, -0.5), (0.45, 0.9), (-0.45, 0.9)],
        pick(rng, (240, 172, 40), (214, 130, 40), (120, 66, 34)),
    )
    with c.without_ink():
        for x in (-0.22, 0.06, 0.3):
            c.line([(x, -0.1), (x, 0.7)], mix((240, 190, 90), WHITE, 0.35), 0.07)
    for x in (-0.42, -0.12, 0.2, 0.44):
        c.circle(x, -0.56 - 0.06 * (x > 0), 0.22, (255, 250, 235))


def id_card(c: Canvas, rng: Rng, p: Palette) -> None:
    c.box(-0.98, -0.62, 0.98, 0.62, mix(WHITE, p.accents[2], 0.16), round_=0.1)
    head = pick(rng, (44, 76, 140), (150, 40, 52), (36, 106, 84))
    c.box(-0.98, -0.62, 0.98, -0.3, head, round_=0.08)
    c.text(0, -0.46, str(rng.choice(["IDENTITY", "PASS CARD", "AGENT", "LICENCE"])), 0.22, WHITE)
    c.box(-0.84, -0.18, -0.26, 0.5, mix(p.high, WHITE, 0.4))
    c.circle(-0.55, 0.06, 0.17, (226, 172, 134))
    c.box(-0.78, 0.26, -0.32, 0.5, p.accents[0], round_=0.1)
    with c.without_ink():
        for i in range(4):
            c.line([(-0.12, -0.1 + i * 0.16), (rng.uniform(0.35, 0.7), -0.1 + i * 0.16)], GREY, 0.07)
    c.star(0.74, 0.38, 0.18, GOLD, points=8, inner=0.7)


def badge(c: Canvas, rng: Rng, p: Palette) -> None:
    metal = pick(rng, GOLD, GOLD, (190, 196, 205))
    field = pick(rng, (44, 66, 120), (120, 36, 44))
    shield = [
        (-0.72, -0.74),
        (0, -0.96),
        (0.72, -0.74),
        (0.74, 0.1),
        (0.5, 0.64),
        (0, 0.98),
        (-0.5, 0.64),
        (-0.74, 0.1),
    ]
    c.polygon(shield, metal)
    c.polygon([(x * 0.82, y * 0.82) for x, y in shield], field)
    c.box(-0.74, -0.46, 0.74, -0.12, mix(metal, WHITE, 0.25), round_=0.06)
    c.text(0, -0.29, str(rng.choice(["POLICE", "MARSHAL", "AGENT"])), 0.26, DARK)
    c.star(0, 0.32, 0.38, metal, points=int(rng.choice([5, 6])), inner=0.5)


def sealed_letter(c: Canvas, rng: Rng, p: Palette) -> None:
    c.box(-0.72, -0.96, 0.72, 0.96, p.paper)
    crest = pick(rng, (44, 66, 120), (120, 36, 44), DARK)
    c.polygon([(-0.16, -0.86), (0.16, -0.86), (0.16, -0.62), (0, -0.48), (-0.16, -0.62)], crest)
    c.text(0, -0.36, "OFFICIAL", 0.19, crest)
    with c.without_ink():
        for i in range(5):
            c.line([(-0.52, -0.14 + i * 0.13), (0.52 if i < 4 else 0.1, -0.14 + i * 0.13)], (150, 150, 160), 0.045)
    wax = pick(rng, (184, 32, 42), (160, 26, 60), (44, 66, 120))
    c.polygon([(0.2, 0.66), (0.12, 1.1), (0.34, 0.98), (0.54, 1.1), (0.5, 0.66)], mix(wax, DARK, 0.3))
    c.star(0.35, 0.6, 0.32, wax, points=14, inner=0.82)
    c.star(0.35, 0.6, 0.14, mix(wax, WHITE, 0.35))


def form(c: Canvas, rng: Rng, p: Palette) -> None:
    c.box(-0.72, -0.96, 0.72, 0.96, (252, 252, 252))
    tint = pick(rng, (70, 110, 180), (60, 140, 120), (90, 90, 110))
    c.box(-0.72, -0.96, 0.72, -0.7, tint)
    c.text(0, -0.83, str(rng.choice(["PATIENT FORM", "TAX FORM", "APPLICATION"])), 0.16, WHITE)
    rows = (("NAME", "Ada Sample"), ("BORN", "01.02.1903"), ("NO.", "555-0142-77"), ("TEL.", "555 0100"))
    for i, (label, value) in enumerate(rows):
        y = -0.5 + i * 0.3
        c.text(-0.48, y, label, 0.11, tint)
        c.box(-0.24, y - 0.1, 0.62, y + 0.1, mix(tint, WHITE, 0.82))
        c.text(0.19, y, value, 0.13, (30, 36, 90))
    with c.without_ink():
        c.line([(0.0, 0.78), (0.12, 0.68), (0.2, 0.82), (0.32, 0.7), (0.42, 0.8), (0.6, 0.74)], (30, 36, 120), 0.04)


def address_label(c: Canvas, rng: Rng, p: Palette) -> None:
    c.box(-0.98, -0.7, 0.98, 0.7, (204, 160, 110))
    with c.without_ink():
        c.box(-0.14, -0.68, 0.14, 0.68, (222, 190, 146))
    c.box(-0.72, -0.48, 0.72, 0.5, (253, 253, 250))
    for i, text in enumerate(("Ms A. Sample", "12 Elm Road", "Anytown 90210")):
        c.text(-0.12, -0.3 + i * 0.2, text, 0.15, DARK)
    x = -0.6
    while x < 0.6:
        width = rng.uniform(0.02, 0.06)
        with c.without_ink():
            c.box(x, 0.26, x + width, 0.44, DARK)
        x += width + rng.uniform(0.03, 0.06)


OFFENDERS = (
    Thing("sword", "a knight's sword", sword, "WEAPONS_DANGEROUS", turn=35),
    Thing("raygun", "a ray gun going zap", raygun, "WEAPONS_DANGEROUS", turn=25),
    Thing("bomb", "a round cartoon bomb with a burning fuse", bomb, "WEAPONS_DANGEROUS", turn=20),
    Thing("wine bottle", "a bottle of wine", wine_bottle, "REGULATED", turn=12),
    Thing("cigarette", "a smoking cigarette", cigarette, "REGULATED", turn=30),
    Thing("cards", "a hand of playing cards", cards, "REGULATED", turn=20),
    Thing("beer", "a pint of beer", beer, "REGULATED", turn=8),
    Thing("id card", "an official-looking identity card", id_card, "IMPERSONATION_FRAUD", turn=15),
    Thing("badge", "a police badge", badge, "IMPERSONATION_FRAUD", turn=15),
    Thing("sealed letter", "an official letter with a wax seal", sealed_letter, "IMPERSONATION_FRAUD", turn=12),
    Thing("form", "a filled-in form with a name and numbers", form, "PRIVACY", turn=12),
    Thing("address label", "a parcel with a home address on its label", address_label, "PRIVACY", turn=12),
)
