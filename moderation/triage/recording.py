"""Writing a batch's outcome: findings, embeddings, requests for people, and the moves, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from django.db import transaction
from django.utils import timezone
from pgvector import HalfVector

from moderation import lifecycle, policies
from moderation.actors import TRIAGE
from moderation.models import Embedding, Finding, Reason, ReviewRequest, Status, Submission, TriagePlan
from moderation.routing import Route
from moderation.taxonomy import DEFAULT_SEVERITY, Category
from moderation.triage.leases import still_held
from moderation.triage.looking import Look
from moderation.triage.scoring import Spoken

STATUS: Final = {
    "approve": Status.APPROVED,
    "review": Status.IN_REVIEW,
    "block": Status.BLOCKED,
    "quarantine": Status.QUARANTINED,
}
WRITTEN: Final = (
    "pdq",
    "pdq_quality",
    "plan",
    "policy",
    "route",
    "reasons",
    "flagged",
    "inclusion_probability",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One image of a batch: row `index` of what was spoken."""

    submission: Submission
    look: Look
    route: Route
    index: int | None


@transaction.atomic
def record(outcomes: Sequence[Outcome], spoken: Spoken, *, plan: TriagePlan | None) -> int:
    """Settle what is still ours, all at once; returns how many. What another worker took over meanwhile is left to it."""
    held = still_held([outcome.submission for outcome in outcomes])
    ours = [outcome for outcome in outcomes if outcome.submission.pk in held]
    guidelines = policies.in_force()
    for outcome in ours:
        row, route = outcome.submission, outcome.route
        row.pdq, row.pdq_quality = outcome.look.pdq, outcome.look.pdq_quality
        row.plan, row.policy = plan, guidelines.get(route.category)
        row.route, row.reasons = route.action, [asdict(why) for why in route.why]
        row.flagged = sorted(category for category, zone in route.zones.items() if zone != "approve")
        row.inclusion_probability = route.inclusion_probability
    Submission.objects.bulk_update([outcome.submission for outcome in ours], WRITTEN)
    Finding.objects.bulk_create(
        Finding(submission=one.submission, classifier=version, probabilities=table[one.index].tolist())
        for version, table in spoken.probabilities.items()
        for one in ours
        if one.index is not None
    )
    Embedding.objects.bulk_create(
        Embedding(submission=one.submission, backbone=version, vector=HalfVector(table[one.index]))
        for version, table in spoken.embeddings.items()
        for one in ours
        if one.index is not None
    )
    ReviewRequest.objects.bulk_create([request for one in ours if (request := request_for(one)) is not None])
    lifecycle.move_many([move_of(one, plan) for one in ours], actor=TRIAGE)
    return len(ours)


def move_of(outcome: Outcome, plan: TriagePlan | None) -> lifecycle.Move:
    route = outcome.route
    return lifecycle.Move(
        outcome.submission,
        STATUS[route.action],
        route.why[0].code,
        {
            "plan": plan.number if plan else None,
            "classifiers": plan.body["classifiers"] if plan else [],
            "category": route.category,
            "probability": route.probabilities.get(route.category),
            "audit": route.audit,
        },
    )


def request_for(outcome: Outcome) -> ReviewRequest | None:
    """The row that asks a person to look, when one must."""
    route = outcome.route
    if route.action == "review":
        codes = {why.code for why in route.why}
        reason = Reason.UNCERTAIN if "between" in codes else Reason.POLICY
        reason = Reason.CLASSIFIER_ERROR if "classifier_error" in codes else reason
    elif route.audit:
        reason = Reason.AUDIT_SAMPLE
    else:
        return None
    known = route.category in Category.values
    return ReviewRequest(
        submission=outcome.submission,
        reason=reason,
        category=route.category if known else "",
        priority=DEFAULT_SEVERITY[Category(route.category)] if known else 0,
        leased_until=timezone.now(),
    )
