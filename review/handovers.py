"""A request changes hands before anybody decides: sent to another queue, asked of somebody else, or taken over."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from moderation import audit, requests
from moderation.actors import Actor
from moderation.models import ReviewRequest, Scope, Status, User
from review import leases, queue
from review.models import Claim, Outcome

LONGEST: Final = 2000  # characters of a note
MOST_NEEDED: Final = 5  # people who settle one request


class UnfitHandover(Exception):
    """It cannot be handed on like that; nothing was changed. `pointer` names the field."""

    def __init__(self, pointer: str, words: str) -> None:
        super().__init__(words)
        self.pointer = pointer


@transaction.atomic
def send(claim_id: UUID, reviewer: User, to: object, *, note: object = "") -> ReviewRequest:
    """Afterwards the request waits in the queue `to`, in that queue's order, for anybody but this person.

    Raises UnfitHandover, ClaimGone or Claim.DoesNotExist.
    """
    said = checked(note)
    claim = queue.locked(claim_id, reviewer)
    request = claim.request
    if not isinstance(to, str) or to not in queue.destinations():
        raise UnfitHandover("#/queue", _("There is no such queue. Choose one of the list."))
    came_from = request.queue
    hand_on(claim, to=to)
    if to == came_from:
        raise UnfitHandover("#/queue", _("It is in this queue already."))
    tell(claim, reviewer, "claim.sent", {"from": came_from, "to": to, "note": said})
    return request


@transaction.atomic
def ask_second_opinion(claim_id: UUID, reviewer: User, *, note: object = "") -> ReviewRequest:
    """Afterwards the request waits in its queue again, one more independent decision settles it, and none of them is
    this person's.

    Raises UnfitHandover, ClaimGone or Claim.DoesNotExist.
    """
    said = checked(note)
    claim = queue.locked(claim_id, reviewer)
    request = claim.request
    request.needed += 1
    hand_on(claim, to=request.queue)
    if request.needed > MOST_NEEDED:
        raise UnfitHandover("#", _("%(most)d people are asked already. Decide, or skip it.") % {"most": MOST_NEEDED})
    tell(claim, reviewer, "claim.second_opinion", {"needed": request.needed, "note": said})
    return request


@transaction.atomic
def take_over(claim_id: UUID, lead: User) -> Claim:
    """Afterwards what another person held is the lead's.

    Raises NotForYou, UnfitHandover (their own), DecidedBefore, ClaimEnded or Claim.DoesNotExist.
    """
    if not lead.has_scope(Scope.REVIEW_LEAD):
        raise queue.NotForYou(_("Your roles do not include “%(scope)s”.") % {"scope": Scope.REVIEW_LEAD.label})
    claim = leases.lock(claim_id)
    queue.check_queue(lead, claim.request.queue)
    if claim.reviewer_id == lead.pk:
        raise UnfitHandover("#", _("It is in your hands already."))
    if claim.request.submission.status == Status.QUARANTINED:
        raise queue.ClaimEnded(_("This image came under legal hold in the meantime. Nobody is to look at it."))
    if leases.has_judged(lead.pk, claim.request.submission_id):
        raise queue.DecidedBefore(_("You decided on this image before, so somebody else answers this time."))
    now = timezone.now()
    queue.end(claim, outcome=Outcome.TAKEN, now=now)
    (taken,) = queue.lease([claim.request], lead, now=now)
    tell(claim, lead, "claim.taken", {"taken": str(taken.pk), "reviewer": str(Actor.person(claim.reviewer))})
    return taken


def checked(note: object) -> str:
    if not isinstance(note, str) or len(note) > LONGEST or "\0" in note:
        raise UnfitHandover("#/note", _("A note is text of at most %(most)d characters.") % {"most": LONGEST})
    return note.strip()


def hand_on(claim: Claim, *, to: str) -> None:
    """The claim ends, and its request is free in the queue `to`."""
    now = timezone.now()
    queue.end(claim, outcome=Outcome.SENT, now=now)
    requests.put_in(claim.request, to)
    claim.request.leased_until = now
    claim.request.save(update_fields=["queue", "priority", "needed", "leased_until"])


def tell(claim: Claim, actor: User, action: str, data: dict[str, Any]) -> None:
    subject = audit.submission(claim.request.submission_id)
    known = {"claim": str(claim.pk), "request": str(claim.request_id), "claimed_at": claim.claimed_at.isoformat()}
    audit.record(audit.Entry(Actor.person(actor), action, subject, known | data))
