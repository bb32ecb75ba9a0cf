"""Decisions made under an older wording of a guideline, and having their images looked at again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from moderation import audit
from moderation.actors import Actor
from moderation.models import PolicyVersion, Reason, ReviewRequest, Status, Submission, User
from moderation.requests import Ask, open_requests
from moderation.taxonomy import Category
from review.models import Decision, EffectState, Verdict

MOST: Final = 500  # images asked about in one go
COUNTED: Final = 1000
SETTLED_BY: Final = (Verdict.APPROVE, Verdict.BLOCK)


@dataclass(frozen=True, slots=True)
class Asked:
    """How many images somebody is asked about now, and how many were asked about already."""

    opened: int
    open_before: int


def outdated(category: Category) -> QuerySet[Decision]:
    """What people settled by an older wording of this category, or before a part of it was last changed, and have not
    decided since; newest first. Each says in `asked` whether somebody is asked about it already. What lies under legal
    hold or in review is not among them.
    """
    versions = list(PolicyVersion.objects.of(category).order_by("-number").values_list("pk", flat=True))
    parts = PolicyVersion.objects.filter(category=category, locale="").exclude(part="")
    changed = parts.order_by("-published_at").values_list("published_at", flat=True).first()
    under = Q(policy__in=versions[1:])
    if changed is not None and versions:
        under |= Q(policy=versions[0], decided_at__lt=changed)
    standing = Decision.objects.filter(verdict__in=SETTLED_BY, effect__settles=True, effect__state=EffectState.APPLIED)
    since = standing.filter(submission=OuterRef("submission"), pk__gt=OuterRef("pk"))
    return (
        standing.filter(under, submission__status__in=(Status.APPROVED, Status.BLOCKED))
        .exclude(Exists(since))
        .annotate(asked=asked_about())
        .select_related("submission", "policy", "reviewer")
        .order_by("-pk")
    )


def asked_about() -> Exists:
    """Of a decision: whether somebody is asked about its image."""
    return Exists(
        ReviewRequest.objects.filter(
            submission=OuterRef("submission"), reason=Reason.SECOND_OPINION, closed_at__isnull=True
        )
    )


def count(category: Category) -> int:
    """At most COUNTED + 1, those asked about already left out."""
    return outdated(category).filter(~asked_about()).order_by()[: COUNTED + 1].count()


@transaction.atomic
def ask_again(category: Category, person: User, chosen: Collection[UUID] | None = None) -> Asked:
    """Afterwards somebody is asked about the images of these decisions of `outdated` (None: of the newest MOST that
    nobody is asked about yet). They stay where they are until that is answered; asking again changes nothing.
    """
    found = outdated(category)
    found = found.filter(~asked_about()) if chosen is None else found.filter(pk__in=list(chosen)[:MOST])
    decisions = list(found[:MOST])
    # Locked in order, so that none is settled, held or asked about by another at this moment.
    rows = Submission.objects.select_for_update(no_key=True).filter(pk__in=[one.submission_id for one in decisions])
    still = {row.pk: row for row in rows.order_by("pk") if row.status in {Status.APPROVED, Status.BLOCKED}}
    taken = set(
        ReviewRequest.objects.filter(
            submission__in=list(still), reason=Reason.SECOND_OPINION, closed_at__isnull=True
        ).values_list("submission_id", flat=True)
    )
    wanted = [one for one in decisions if one.submission_id in still and one.submission_id not in taken]
    open_requests(
        Ask(submission=still[one.submission_id], reason=Reason.SECOND_OPINION, category=category.value)
        for one in wanted
    )
    number = PolicyVersion.objects.in_force().filter(category=category).values_list("number", flat=True).first()
    audit.record_many(
        [
            audit.Entry(
                Actor.person(person),
                "decision.rereviewed",
                audit.submission(one.submission_id),
                {"decision": str(one.pk), "verdict": one.verdict, "policy": str(one.policy), "in_force": number},
            )
            for one in wanted
        ]
    )
    return Asked(len(wanted), len(taken))
