"""Doubted labels go to somebody else, who judges them unaided among other work; what came back is read from decisions.

A corrected label needs no field of its own: labels are made of decisions, so the next data set has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.db import transaction

from moderation import audit
from moderation.actors import Actor
from moderation.models import Reason, ReviewRequest, Status, Submission, User
from moderation.requests import Ask, open_requests
from review.models import Decision, Effect, LabelAsk, LabelAudit, LabelSuspicion, Verdict
from review.quality.gathering import SAID

MOST: Final = 500  # images in one go


class Answer(StrEnum):
    """What came of a doubted label."""

    UNASKED = "unasked"
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    CORRECTED = "corrected"
    SILENT = "silent"  # blocked for something else: nothing was said of this category


@dataclass(frozen=True, slots=True)
class Sent:
    """How many images somebody is asked about now, and how many were asked about already."""

    opened: int
    open_before: int


def unasked(row: LabelAudit, *, category: str = "", flagged: bool = False) -> list[LabelSuspicion]:
    """The doubted labels that nobody is asked about, most doubted first."""
    rows = LabelSuspicion.objects.filter(audit=row, ask__isnull=True)
    if category:
        rows = rows.filter(category=category)
    if flagged:
        rows = rows.filter(flagged=True)
    return list(rows.order_by("place"))


@transaction.atomic
def send(
    row: LabelAudit, count: int, *, actor: Actor, person: User | None = None, category: str = "", flagged: bool = False
) -> Sent:
    """Afterwards somebody who had no word on it yet is asked about the images of the `count` most doubted labels
    (images, at most MOST) that nobody is asked about. They stay where they are until that is answered. One that is
    asked about for another reason of the kind is not asked about twice: its answer serves.
    """
    LabelAudit.objects.select_for_update(no_key=True).get(pk=row.pk)  # one sending at a time
    chosen: dict[UUID, list[LabelSuspicion]] = {}
    for one in unasked(row, category=category, flagged=flagged):
        if one.submission_id in chosen or len(chosen) < min(count, MOST):
            chosen.setdefault(one.submission_id, []).append(one)
    # Locked in order, so that none is settled, held or asked about by another at this moment.
    rows = Submission.objects.select_for_update(no_key=True).filter(pk__in=list(chosen)).order_by("pk")
    still = {one.pk: one for one in rows if one.status in {Status.APPROVED, Status.BLOCKED}}
    open_now = ReviewRequest.objects.filter(
        submission__in=list(still), reason=Reason.SECOND_OPINION, closed_at__isnull=True
    )
    asked = {one.submission_id: one for one in open_now}
    before = len(asked)
    fresh = [key for key in chosen if key in still and key not in asked]
    made = open_requests(
        Ask(submission=still[key], reason=Reason.SECOND_OPINION, category=chosen[key][0].category) for key in fresh
    )
    asked |= {one.submission_id: one for one in made}
    LabelAsk.objects.bulk_create(
        LabelAsk(suspicion=one, request=asked[key], asked_by=person)
        for key, doubts in chosen.items()
        if key in asked
        for one in doubts
    )
    audit.record_many(
        [
            audit.Entry(
                actor,
                "label.doubted",
                audit.submission(key),
                {"audit": str(row.pk), "categories": [one.category for one in chosen[key]]},
            )
            for key in fresh
        ]
    )
    return Sent(len(made), before)


def answers(doubts: Sequence[LabelSuspicion]) -> dict[int, Answer]:
    """What came of each, by its key. Two queries."""
    asked = dict(LabelAsk.objects.filter(suspicion__in=doubts).values_list("suspicion_id", "request_id"))
    said = decisions_on(set(asked.values()))
    return {one.pk: answer(one, asked, said) for one in doubts}


def decisions_on(requests: Iterable[UUID]) -> dict[UUID, Decision]:
    """The standing decision that settled each of these requests."""
    found = Decision.objects.filter(
        claim__request__in=list(requests),
        verdict__in=SAID,
        effect__settles=True,
        effect__state__in=Effect.STANDING,
    )
    return {one.claim.request_id: one for one in found.select_related("claim").order_by("id")}


def answer(one: LabelSuspicion, asked: Mapping[int, UUID], said: Mapping[UUID, Decision]) -> Answer:
    if one.pk not in asked:
        return Answer.UNASKED
    decision = said.get(asked[one.pk])
    if decision is None:
        return Answer.WAITING
    if decision.verdict == Verdict.APPROVE:
        return Answer.CORRECTED if one.label else Answer.CONFIRMED
    if any(label["category"] == one.category for label in decision.labels):
        return Answer.CONFIRMED if one.label else Answer.CORRECTED
    return Answer.CORRECTED if one.label else Answer.SILENT


def tally(row: LabelAudit) -> Counter[Answer]:
    """How many doubted labels of this audit came back how; those nobody is asked about are left out."""
    doubts = list(LabelSuspicion.objects.filter(audit=row, ask__isnull=False))
    return Counter(answers(doubts).values())
