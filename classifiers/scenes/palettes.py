"""Colour worlds of the drawn scenes."""

from dataclasses import dataclass

from classifiers.scenes.canvas import Colour


@dataclass(frozen=True, slots=True)
class Palette:
    """``mood`` is how a prompt would call it."""

    mood: str
    high: Colour
    low: Colour
    far: Colour
    near: Colour
    wall: Colour
    wood: Colour
    accents: tuple[Colour, Colour, Colour, Colour]
    ink: Colour
    paper: Colour = (250, 246, 236)


def _rgb(text: str) -> Colour:
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def _palette(mood: str, colours: str, *, paper: str = "faf6ec") -> Palette:
    high, low, far, near, wall, wood, a, b, c, d, ink = map(_rgb, colours.split())
    return Palette(mood, high, low, far, near, wall, wood, (a, b, c, d), ink, _rgb(paper))


PALETTES = (
    _palette("bright morning", "6ec1e4 d8f0f2 8fc49a 5a9e6f f4e3c8 a9714b e4572e f3a712 3b8ea5 a23b72 2b2d42"),
    _palette("golden hour", "f79d65 fbe3b5 d98f5c 8c5e3c f6d7a7 7f4f24 d1495b edae49 00798c 6d597a 3d2c2e"),
    _palette("dusk", "4a4e8c f2a48f 6d5b8f 3f3b65 c9a9c6 5b3b4e ff6f59 f2c14e 43aa8b b56576 241f3d"),
    _palette(
        "moonlit night", "16213e 31497a 27406b 1b2d4f 3d4f7a 4a3b52 f4d35e ee964b 5fa8d3 c97c9d 0c1226", paper="e4e2dc"
    ),
    _palette("misty", "b8c6cb e5eaea a3b5b0 7d958c dfe3dd 8b7d6b b5838d e5989b 6d97a8 9a8c98 3c4a4f"),
    _palette("spring", "a7d8f0 f7f3e3 b5d99c 7fb069 fbe5e1 b08968 ef6f6c f7b267 5aa9a4 b388c9 3a4454"),
    _palette("desert heat", "f4a259 fde8c9 e0a458 bc6c25 f5e1c0 9c6644 c8553d f28f3b 588b8b 8a5a83 432818"),
    _palette("winter", "a9bcd0 eef4f8 cfdde6 9fb8c9 e8eef2 7c6a5d d64550 f0c05a 3d7ea6 6b7aa1 2c3e50"),
    _palette(
        "neon evening", "2b1b4d 7b2d8b 4b2a7b 2d1b55 52307c 3f2d56 ff4d8d ffd23f 3bceac 9b5de5 120a24", paper="ece6f4"
    ),
    _palette("retro seventies", "e9c46a fbeecb c9a24b 7f6b3a efd9a8 8d5524 d95f3b f4a53f 2a7f78 8c4a5e 3a2a1d"),
    _palette("pastel", "c9e4f5 fdf1f5 cfe8d5 a8d5ba fde7ef d9b99b f39ab0 fbc687 93c6d6 c3a6d8 5a5a78"),
    _palette("overcast", "8d99ae d3dae2 7f9183 5f7161 cfcfc8 7a6352 b23a48 d9a441 4f7cac 80638e 2b2d33"),
)
