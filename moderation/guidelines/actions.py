"""The default action of a guideline, by audience: what becomes of an image that violates when nobody says otherwise.

People are told it on the desk. Routing does not read it: it is what follows from a violation, and no sign of one. A
machine that blocks less for some audience does so by an overlay, which two people published and anybody can simulate; a
text cannot loosen it. Where plan and guideline say different things, the plan's page says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from moderation.models import Audience, DefaultAction, PolicyVersion
from moderation.plans import UNKNOWN, Plan, Served

SHOWN: Final = frozenset({DefaultAction.ALLOW, DefaultAction.LABEL, DefaultAction.RESTRICT})
ADVICE: Final[Mapping[str, Promise]] = {
    DefaultAction.ALLOW: _("approve"),
    DefaultAction.LABEL: _("approve; the platform shows it with a label"),
    DefaultAction.RESTRICT: _("approve; the platform restricts it by age"),
    DefaultAction.BLOCK: _("block"),
    DefaultAction.QUARANTINE: _("quarantine"),
}


@dataclass(frozen=True, slots=True)
class Advice:
    """What the guideline says of a violation before this audience, and the verdict that comes to."""

    action: DefaultAction
    audience: Audience

    @property
    def verdict(self) -> Promise:
        return ADVICE[self.action]

    @property
    def is_milder(self) -> bool:
        """Than a block, which a reviewer would take for granted."""
        return self.action in SHOWN


def advice(policy: PolicyVersion | None, audience: str) -> Advice | None:
    """None where the guideline says nothing of this audience."""
    said = policy.actions.get(audience) if policy else None
    return Advice(DefaultAction(said), Audience(audience)) if said in DefaultAction.values else None


def at_odds(plan: Plan, policies: Mapping[str, PolicyVersion]) -> list[tuple[str, Advice]]:
    """Where machines block under this plan what the guideline lets an audience see, in order of category."""
    found = []
    for audience in Audience:
        here = plan.at(Served(audience=audience.value), UNKNOWN) if plan.overlays else plan
        for category, band in here.bands.items():
            said = advice(policies.get(category), audience.value)
            if said is not None and said.is_milder and band.block is not None:
                found.append((category, said))
    return sorted(found, key=lambda one: one[0])
