"""Two plans compared, with what people found in the audits of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from moderation.experiments import comparing
from moderation.experiments.comparing import Hours, Measured, Name
from moderation.experiments.sequences import Arm
from moderation.models import Reason, TriagePlan
from review.models import Decision, Effect, Verdict
from review.quality.gathering import SAID

ASKED: Final[Mapping[str, Name]] = {"approve": "wrong_approval", "block": "wrong_block"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`second` beside `first`. `even`: both plans have the same share of what machines decide audited."""

    first: TriagePlan
    second: TriagePlan
    hours: Hours
    measured: Sequence[Measured]

    @property
    def even(self) -> bool:
        return bool(self.first.body.get("audit_rate", 0) == self.second.body.get("audit_rate", 0))


def compare(first: TriagePlan, second: TriagePlan) -> Comparison:
    """As of now; a few queries, whatever the number of images."""
    hours = comparing.hours_of(first.number, second.number)
    audited = audits((first.number, second.number), hours) if hours.since else {}
    return Comparison(first, second, hours, comparing.compared(first.number, second.number, hours, audited))


def audits(plans: Sequence[int], hours: Hours) -> dict[tuple[int, Name], Arm]:
    """Of each plan's audit samples in these hours that were answered: how many, and how many a machine had wrong. Which
    image is audited a lot draws, so the share among them is that among all.
    """
    rows = Decision.objects.filter(
        claim__request__reason=Reason.AUDIT_SAMPLE,
        verdict__in=SAID,
        effect__state__in=Effect.STANDING,
        effect__settles=True,
        submission__plan__number__in=plans,
        submission__route__in=ASKED,
        submission__created_at__gte=hours.since,
        submission__created_at__lt=hours.until,
    ).values_list("submission__plan__number", "submission__route", "verdict")
    images, wrong = Counter[tuple[int, Name]](), Counter[tuple[int, Name]]()
    for plan, route, verdict in rows.iterator():
        key = (int(plan), ASKED[route])
        images[key] += 1
        wrong[key] += (verdict == Verdict.APPROVE) == (route == "block")
    return {key: Arm(number, wrong[key]) for key, number in images.items()}
