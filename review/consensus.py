"""Several people's word on one image: where a request needs more than one decision, each is a vote until enough agree.

Votes come one after the other: a request that waits for more is free again for somebody else once its last vote cannot
be undone any more. The first disagreement hands it to the seniors, whose word settles it. A quarantine waits for
nobody: it protects, and only two people take it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from moderation.models import Bank, Reason, ReviewRequest
from review.models import Decision, Effect, Verdict
from review.queue import ESCALATED

VOTES: Final = (Verdict.APPROVE, Verdict.BLOCK)


class Word(Enum):
    """What a decision comes to."""

    SETTLES = auto()  # the image goes where it says
    WAITS = auto()  # one of several votes
    SPLITS = auto()  # votes differ: the seniors adjudicate
    TESTS = auto()  # an answer to a gold item: it tells of the reviewer, not of the image


@dataclass(frozen=True, slots=True)
class Counted:
    """`bank`: which an earlier vote of those that now settle the request asked to teach."""

    word: Word
    bank: Bank | None = None

    @property
    def settles(self) -> bool:
        return self.word is Word.SETTLES


def count(verdict: Verdict, request: ReviewRequest) -> Counted:
    """What this verdict comes to on a request that the caller has locked. Asks the database only where one person is
    not enough.
    """
    if request.reason == Reason.GOLD:
        return Counted(Word.TESTS)
    if request.needed <= 1 or verdict not in VOTES or request.queue == ESCALATED:
        return Counted(Word.SETTLES)
    votes = standing(request)
    if any(vote.decision.verdict != verdict for vote in votes):
        return Counted(Word.SPLITS)
    if len(votes) + 1 < request.needed:
        return Counted(Word.WAITS)
    return Counted(Word.SETTLES, next((vote.bank for vote in votes if vote.bank), None))


def standing(request: ReviewRequest) -> list[Effect]:
    """The votes on a request that nobody took back, oldest first."""
    votes = Effect.objects.filter(
        decision__claim__request=request, decision__verdict__in=VOTES, state__in=Effect.STANDING, settles=False
    )
    return list(votes.select_related("decision", "bank").order_by("decision_id"))


def disagreed(request: ReviewRequest) -> list[Decision]:
    """The votes that a senior is to adjudicate, oldest first; none where somebody simply escalated."""
    if request.needed <= 1 or request.queue != ESCALATED:
        return []
    votes = [vote.decision for vote in standing(request)]
    return votes if len({vote.verdict for vote in votes}) > 1 else []
