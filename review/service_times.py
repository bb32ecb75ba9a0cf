"""How long an answer takes: the one measure of it, wherever reviewer hours are told.

From the end of the answer before, or from the claim where that is later, since several are claimed at once and looked
at one by one; what took longer than ten minutes was a break. The mean and not the median: hours are a sum of times. Of
few answers nothing is told, nor where they took so little time that no person can have looked: then a program decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from django.db import connection

from review.models import Verdict

NEWEST: Final = 20_000  # of the decisions
LONGEST: Final = 600  # seconds
SHORTEST: Final = 0.5  # seconds, on average
LEAST: Final = 20  # answers
TIMES: Final = """
SELECT category, count(*), avg(seconds) FROM (
    SELECT request.category, extract(epoch FROM decision.decided_at - greatest(claim.claimed_at,
        lag(decision.decided_at) OVER (PARTITION BY decision.reviewer_id ORDER BY decision.id))) AS seconds
    FROM (SELECT * FROM review_decision ORDER BY id DESC LIMIT %(most)s) decision
    JOIN review_claim claim ON claim.id = decision.claim_id
    JOIN moderation_reviewrequest request ON request.id = claim.request_id
    WHERE decision.verdict <> %(skip)s
) timed WHERE seconds BETWEEN 0 AND %(longest)s GROUP BY category
"""


@dataclass(frozen=True, slots=True)
class ServiceTimes:
    """Of the newest answers: `seconds` each on average, None where that is not known yet, and by category where enough
    of it were timed. `answers`: how many were.
    """

    seconds: float | None
    answers: int
    categories: Mapping[str, float] = field(default_factory=dict)

    def of(self, category: str) -> float | None:
        """In a category without enough answers, as long as all took."""
        return self.categories.get(category, self.seconds)


def service_times() -> ServiceTimes:
    """One query."""
    with connection.cursor() as cursor:
        cursor.execute(TIMES, {"most": NEWEST, "skip": Verdict.SKIP, "longest": LONGEST})
        timed = {category: (count, float(mean)) for category, count, mean in cursor.fetchall()}
    answers = sum(count for count, _mean in timed.values())
    whole = sum(count * mean for count, mean in timed.values())
    if answers < LEAST or whole / answers < SHORTEST:
        return ServiceTimes(None, answers)
    known = {category: mean for category, (count, mean) in timed.items() if count >= LEAST and mean >= SHORTEST}
    return ServiceTimes(whole / answers, answers, known)
