"""Drawing in unit coordinates: a Pillow canvas with a transform, an ink style and smooth edges."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

Colour: TypeAlias = tuple[int, int, int]
Point: TypeAlias = tuple[float, float]

_CIRCLE = tuple((math.cos(i * math.tau / 28), math.sin(i * math.tau / 28)) for i in range(28))
_MIN_FONT = 7


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """``a`` with ``share`` (0-1) of ``b`` in it."""
    return (
        round(a[0] + (b[0] - a[0]) * share),
        round(a[1] + (b[1] - a[1]) * share),
        round(a[2] + (b[2] - a[2]) * share),
    )


@dataclass(frozen=True, slots=True)
class Frame:
    """Local to pixel coordinates: scale and rotation (a, b; c, d), then shift (x, y)."""

    a: float
    b: float
    c: float
    d: float
    x: float
    y: float

    def __call__(self, point: Point) -> Point:
        px, py = point
        return self.a * px + self.b * py + self.x, self.c * px + self.d * py + self.y

    @property
    def unit(self) -> float:
        """Pixels a local unit."""
        return math.hypot(self.a, self.c)

    @property
    def upright(self) -> bool:
        return abs(self.b) + abs(self.c) < 1e-9 and self.a > 0


class Canvas:
    """A square picture whose root frame runs from (0, 0) top left to (1, 1) bottom right."""

    def __init__(self, size: int, *, smooth: int = 2, ink: Colour | None = None, ink_width: float = 0.004) -> None:
        self.size, self._smooth = size, smooth
        pixels = size * smooth
        self.image = Image.new("RGB", (pixels, pixels), (255, 255, 255))
        self._pen = ImageDraw.Draw(self.image)
        self.ink = ink
        self._ink_pixels = max(1, round(ink_width * pixels))
        self.frame = Frame(pixels, 0, 0, pixels, 0, 0)

    def finished(self) -> Image.Image:
        return self.image.reduce(self._smooth) if self._smooth > 1 else self.image

    @contextmanager
    def at(self, x: float, y: float, scale: float = 1.0, *, angle: float = 0.0, flip: bool = False) -> Iterator[None]:
        """Draw inside in a frame centred at (x, y), ``scale`` long a unit, turned by ``angle`` degrees."""
        outer = self.frame
        cos, sin = math.cos(math.radians(angle)) * scale, math.sin(math.radians(angle)) * scale
        mirror = -1 if flip else 1
        px, py = outer((x, y))
        self.frame = Frame(
            (outer.a * cos + outer.b * sin) * mirror,
            outer.b * cos - outer.a * sin,
            (outer.c * cos + outer.d * sin) * mirror,
            outer.d * cos - outer.c * sin,
            px,
            py,
        )
        try:
            yield
        finally:
            self.frame = outer

    @contextmanager
    def faint(self, strength: float) -> Iterator[None]:
        """What is drawn inside shows with ``strength`` 0-1 only."""
        if strength >= 0.999:
            yield
            return
        before = self.image.copy()
        yield
        self._take(Image.blend(before, self.image, strength))

    @contextmanager
    def without_ink(self) -> Iterator[None]:
        ink, self.ink = self.ink, None
        try:
            yield
        finally:
            self.ink = ink

    def polygon(self, points: Sequence[Point], fill: Colour) -> None:
        pixels = [self.frame(point) for point in points]
        self._pen.polygon(pixels, fill=fill)
        if self.ink is not None:
            self._pen.line([*pixels, pixels[0]], fill=self.ink, width=self._ink_pixels, joint="curve")

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        if self.frame.upright:
            (left, top), (right, bottom) = self.frame((x - rx, y - ry)), self.frame((x + rx, y + ry))
            width = self._ink_pixels if self.ink is not None else 0
            self._pen.ellipse((left, top, right, bottom), fill=fill, outline=self.ink, width=width)
        else:
            self.polygon([(x + rx * cos, y + ry * sin) for cos, sin in _CIRCLE], fill)

    def circle(self, x: float, y: float, radius: float, fill: Colour) -> None:
        self.ellipse(x, y, radius, radius, fill)

    def box(self, left: float, top: float, right: float, bottom: float, fill: Colour, *, round_: float = 0.0) -> None:
        if round_ <= 0:
            self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], fill)
            return
        r = min(round_, abs(right - left) / 2, abs(bottom - top) / 2)
        corners = (
            (right - r, bottom - r, 0),
            (left + r, bottom - r, 7),
            (left + r, top + r, 14),
            (right - r, top + r, 21),
        )
        points = [
            (cx + r * _CIRCLE[(start + i) % 28][0], cy + r * _CIRCLE[(start + i) % 28][1])
            for cx, cy, start in corners
            for i in range(8)
        ]
        self.polygon(points, fill)

    def line(self, points: Sequence[Point], fill: Colour, width: float) -> None:
        pixels = [self.frame(point) for point in points]
        self._pen.line(pixels, fill=fill, width=max(1, round(width * self.frame.unit)), joint="curve")

    def star(self, x: float, y: float, radius: float, fill: Colour, *, points: int = 5, inner: float = 0.45) -> None:
        spokes = []
        for i in range(points * 2):
            r = radius if i % 2 == 0 else radius * inner
            turn = i * math.pi / points - math.pi / 2
            spokes.append((x + r * math.cos(turn), y + r * math.sin(turn)))
        self.polygon(spokes, fill)

    def text(self, x: float, y: float, text: str, height: float, fill: Colour) -> None:
        """``text`` centred on (x, y), ``height`` units tall, turned with the frame; a stroke where it is too small to
        read."""
        pixels = height * self.frame.unit
        if pixels < _MIN_FONT:
            half = len(text) * height * 0.25
            self.line([(x - half, y), (x + half, y)], fill, height * 0.5)
            return
        font = ImageFont.load_default(pixels)
        # Letters stay readable in a mirrored frame: only their place is mirrored.
        mirror = -1 if self.frame.a * self.frame.d < self.frame.b * self.frame.c else 1
        angle = math.degrees(math.atan2(self.frame.c * mirror, self.frame.a * mirror))
        px, py = self.frame((x, y))
        if abs(angle) < 0.5:
            self._pen.text((px, py), text, font=font, fill=fill, anchor="mm")
            return
        left, top, right, bottom = font.getbbox(text)
        width, tall = math.ceil(right - left) + 4, math.ceil(bottom - top) + 4
        layer = Image.new("L", (width, tall))
        ImageDraw.Draw(layer).text((2 - left, 2 - top), text, font=font, fill=255)
        turned = layer.rotate(-angle, Image.Resampling.BILINEAR, expand=True)
        self.image.paste(fill, (round(px - turned.width / 2), round(py - turned.height / 2)), turned)

    def gradient(self, top: Colour, bottom: Colour, *, until: float = 1.0) -> None:
        """Fill the picture from the top down to the share ``until`` of its height."""
        pixels = self.image.width
        height = max(1, round(pixels * until))
        ramp = Image.linear_gradient("L").resize((1, height))
        column = Image.composite(Image.new("RGB", (1, height), bottom), Image.new("RGB", (1, height), top), ramp)
        self.image.paste(column.resize((pixels, height)), (0, 0))

    def _take(self, image: Image.Image) -> None:
        self.image = image
        self._pen = ImageDraw.Draw(image)
