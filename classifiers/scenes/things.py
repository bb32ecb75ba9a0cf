"""A thing that can be set down in a scene, drawn in a frame that runs from -1 to 1."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from classifiers.scenes.canvas import Canvas, Colour
from classifiers.scenes.palettes import Palette

Rng = np.random.Generator

WHITE: Colour = (255, 255, 255)
STEEL: Colour = (196, 204, 212)
DARK: Colour = (44, 44, 54)
GOLD: Colour = (232, 184, 60)
GREY: Colour = (120, 120, 130)


@dataclass(frozen=True, slots=True)
class Thing:
    """``category`` is the code that a picture of it belongs to, or None for a harmless one; ``mistaken_for`` the one
    that a hasty eye gives a harmless one; ``turn`` the usual tilt in degrees.
    """

    name: str
    phrase: str
    draw: Callable[[Canvas, Rng, Palette], None]
    category: str | None = None
    mistaken_for: str | None = None
    turn: float = 12.0


def pick(rng: Rng, *colours: Colour) -> Colour:
    return colours[int(rng.integers(len(colours)))]
