"""The pure heart: findings and a plan in, a route out. No Django, no clock, no I/O.

The same function serves live triage, simulation and replay. Doubt goes to a person: a missing plan, a missing or failed
classifier, a number that is no probability, a category the plan does not know.
"""

from moderation.plans import Band, Plan, PlanError, Served, Tightening, Zone, is_probability
from moderation.routing.applied import applied
from moderation.routing.deciding import STRICTNESS, by_machine, nearness, route
from moderation.routing.words import Action, Context, Demand, Evidence, Precedent, Route, Why
from moderation.stops import Stops

__all__ = [
    "STRICTNESS",
    "Action",
    "Band",
    "Context",
    "Demand",
    "Evidence",
    "Plan",
    "PlanError",
    "Precedent",
    "Route",
    "Served",
    "Stops",
    "Tightening",
    "Why",
    "Zone",
    "applied",
    "by_machine",
    "is_probability",
    "nearness",
    "route",
]
