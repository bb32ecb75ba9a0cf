"""Learning curves as SVG files, which follow the reader's light or dark theme; lines differ by more than their hue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 640
HEIGHT: Final = 360
LEFT: Final = 62
RIGHT: Final = 18
TOP: Final = 66
BOTTOM: Final = 54
STYLE: Final = """
svg { font: 13px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; font-variant-numeric: tabular-nums }
.bg { fill: #fff } .text { fill: #1c1e1f } .dim { fill: #565c60 } .grid { stroke: #e6e6e4 }
.title { font-size: 15px; font-weight: 600 }
.s0 { stroke: #1a66c2; fill: #1a66c2 } .s1 { stroke: #8a5a00; fill: #8a5a00 } .s2 { stroke: #565c60; fill: #565c60 }
.line { fill: none; stroke-width: 2.5; stroke-linejoin: round } .area { stroke: none; opacity: .14 }
.s1.line { stroke-dasharray: 7 4 } .s2.line { stroke-dasharray: 2 4 }
@media (prefers-color-scheme: dark) {
.bg { fill: #1b1d1e } .text { fill: #eceded } .dim { fill: #a3a9ad } .grid { stroke: #3a3f43 }
.s0 { stroke: #7cb7ff; fill: #7cb7ff } .s1 { stroke: #f0c36a; fill: #f0c36a } .s2 { stroke: #a3a9ad; fill: #a3a9ad }
.line { fill: none }
}
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A value a round, and its interval where one is known."""

    name: str
    values: Sequence[float]
    intervals: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """What the axes show: `across` a number a round; from `low` to `high` in steps of `step`."""

    title: str
    below: str
    across: Sequence[float]
    low: float
    high: float
    step: float
    percent: bool = False

    def x(self, number: int) -> float:
        span = max(len(self.across) - 1, 1)
        return LEFT + 14 + (WIDTH - LEFT - RIGHT - 28) * number / span

    def y(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    def said(self, value: float) -> str:
        return f"{value:.0%}" if self.percent else f"{value:.2f}"


def drawn(frame: Frame, lines: Sequence[Line]) -> str:
    """The picture, whole; a title of each point says its number."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(frame.title)}</title><style>{STYLE}</style>",
        f'<rect class="bg" width="{WIDTH}" height="{HEIGHT}" rx="8"/>',
        f'<text class="text title" x="{LEFT}" y="26">{escape(frame.title)}</text>',
        *axes(frame),
    ]
    for number, line in enumerate(lines):
        parts += plotted(frame, line, f"s{number % 3}", number)
    return "\n".join([*parts, *legend(lines), "</svg>", ""])


def axes(frame: Frame) -> list[str]:
    parts, ticks = [], round((frame.high - frame.low) / frame.step)
    for tick in range(ticks + 1):
        value = frame.low + tick * frame.step
        y = frame.y(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="dim" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{frame.said(value)}</text>')
    for number, value in enumerate(frame.across):
        x, y = frame.x(number), HEIGHT - BOTTOM + 20
        parts.append(f'<text class="dim" x="{x:.1f}" y="{y}" text-anchor="middle">{value:g}</text>')
    middle, foot = (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12
    parts.append(f'<text class="dim" x="{middle:.0f}" y="{foot}" text-anchor="middle">{escape(frame.below)}</text>')
    return parts


def plotted(frame: Frame, line: Line, style: str, number: int) -> list[str]:
    parts = []
    if line.intervals:
        upper = [f"{frame.x(i):.1f},{frame.y(high):.1f}" for i, (_low, high) in enumerate(line.intervals)]
        lower = [f"{frame.x(i):.1f},{frame.y(low):.1f}" for i, (low, _high) in enumerate(line.intervals)]
        parts.append(f'<polygon class="area {style}" points="{" ".join([*upper, *reversed(lower)])}"/>')
    points = [(frame.x(i), frame.y(value)) for i, value in enumerate(line.values)]
    parts.append(f'<polyline class="line {style}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>')
    for (x, y), value in zip(points, line.values, strict=True):
        exact = f"{value:.1%}" if frame.percent else f"{value:.4f}"
        parts.append(f"{marker(x, y, style, number)}<title>{escape(line.name)}: {exact}</title></path>")
    return parts


def marker(x: float, y: float, style: str, number: int) -> str:
    """Round, square, or on its corner; left open for its title."""
    shapes = (
        f"M{x - 4:.1f},{y:.1f}a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z",
        f"M{x - 3.5:.1f},{y - 3.5:.1f}h7v7h-7z",
        f"M{x:.1f},{y - 5:.1f}l5,5l-5,5l-5,-5z",
    )
    return f'<path class="{style}" d="{shapes[number % 3]}">'


def legend(lines: Sequence[Line]) -> list[str]:
    parts, x = [], LEFT
    for number, line in enumerate(lines):
        style, at = f"s{number % 3}", x + 130 * number
        parts.append(f'<polyline class="line {style}" points="{at},45 {at + 26},45"/>')
        parts.append(f"{marker(at + 13, 45, style, number)}</path>")
        parts.append(f'<text class="text" x="{at + 34}" y="49">{escape(line.name)}</text>')
    return parts
