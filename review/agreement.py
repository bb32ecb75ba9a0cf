"""How often a way of routing says what people said."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from moderation.routing import Route
from moderation.shadows import Compared
from review.models import Decision, Verdict

Z: Final = 1.959964  # of 95 %
SETTLED_AS: Final = {"approve": Verdict.APPROVE, "block": Verdict.BLOCK, "quarantine": Verdict.QUARANTINE}
SAID: Final = tuple(SETTLED_AS.values())


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `of`, with the interval in which the true share lies with 95 % confidence."""

    part: int
    of: int

    @property
    def value(self) -> float | None:
        return self.part / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval (1927); all of [0, 1] where nothing was seen."""
        if not self.of:
            return 0.0, 1.0
        n, p = self.of, self.part / self.of
        middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z / (1 + Z**2 / n) * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
        return max(0.0, middle - half), min(1.0, middle + half)

    @property
    def low(self) -> float:
        return self.interval[0]

    @property
    def high(self) -> float:
        return self.interval[1]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of `decided` images people have a word on: what each way settled without one, and how much of that people said
    too. What goes to a person is neither right nor wrong.
    """

    decided: int
    before: Share
    after: Share


def verdicts_on(keys: Sequence[UUID]) -> dict[UUID, Verdict]:
    """People's last word on each image, where they have one. One query."""
    settled = Decision.objects.filter(effect__settles=True)
    found = settled.filter(submission__in=keys, verdict__in=SAID).order_by("submission_id", "-id")
    latest = found.distinct("submission_id").values_list("submission_id", "verdict")
    return {key: Verdict(verdict) for key, verdict in latest}


def agreement(images: Sequence[Compared], verdicts: Mapping[UUID, Verdict]) -> Agreement:
    decided = [(one, verdicts[one.submission.pk]) for one in images if one.submission.pk in verdicts]
    return Agreement(
        len(decided),
        share([(one.before, verdict) for one, verdict in decided]),
        share([(one.after, verdict) for one, verdict in decided]),
    )


def share(pairs: Sequence[tuple[Route, Verdict]]) -> Share:
    """Of what these routes settle by themselves, how much people settled the same way."""
    settled = [(SETTLED_AS[route.action], verdict) for route, verdict in pairs if route.action in SETTLED_AS]
    return Share(sum(said == verdict for said, verdict in settled), len(settled))
