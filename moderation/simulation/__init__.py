"""What a plan would do to images that were triaged already: by replay of a few, or by columns of a million."""

from __future__ import annotations

from moderation.simulation.changes import CutChange, TighteningChange, changes, figure, tightening_changes, told
from moderation.simulation.effects import NEEDED, RECENT, Effect, compared, effect, routed, routes

__all__ = [
    "NEEDED",
    "RECENT",
    "CutChange",
    "Effect",
    "TighteningChange",
    "changes",
    "compared",
    "effect",
    "figure",
    "routed",
    "routes",
    "tightening_changes",
    "told",
]
