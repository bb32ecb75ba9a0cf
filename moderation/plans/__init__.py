"""The plan that triage follows, parsed and checked. No Django, no clock, no I/O."""

from moderation.plans.bands import Band, PlanError, Tightening, Zone, is_probability, strictest
from moderation.plans.body import COPIES, COPIES_ACROSS, MOST_SHADOWS, MOST_VOTES, ON_ERROR, SEVERITIES
from moderation.plans.gates import Gates
from moderation.plans.overlays import CONTEXTS, UNKNOWN, Cuts, Overlay, Served
from moderation.plans.plan import Plan

__all__ = [
    "CONTEXTS",
    "COPIES",
    "COPIES_ACROSS",
    "MOST_SHADOWS",
    "MOST_VOTES",
    "ON_ERROR",
    "SEVERITIES",
    "UNKNOWN",
    "Band",
    "Cuts",
    "Gates",
    "Overlay",
    "Plan",
    "PlanError",
    "Served",
    "Tightening",
    "Zone",
    "is_probability",
    "strictest",
]
