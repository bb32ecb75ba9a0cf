"""What a plan would do to images that were triaged already: by replay of a few, or by columns of a million."""

from __future__ import annotations

from moderation.simulation.changes import (
    CutChange,
    TighteningChange,
    care_changes,
    changes,
    differences,
    figure,
    gates_told,
    overlay_changes,
    overlay_told,
    tightening_changes,
    told,
)
from moderation.simulation.effects import NEEDED, RECENT, Effect, compared, effect, routed, routes

__all__ = [
    "NEEDED",
    "RECENT",
    "CutChange",
    "Effect",
    "TighteningChange",
    "care_changes",
    "changes",
    "compared",
    "differences",
    "effect",
    "figure",
    "gates_told",
    "overlay_changes",
    "overlay_told",
    "routed",
    "routes",
    "tightening_changes",
    "told",
]
