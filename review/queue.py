"""The queue: who looks at what next.

A claim is a lease on one request. The request's `leased_until` says when it is free again, so that the next claim finds
work in one walk along the index of open requests; the claim's row says who holds it. Every writer locks the request
first, then the claim, so nobody waits in a circle. Each claim that ends without a decision leaves an audit event, a
decided one leaves the decision's: the log knows everyone who had the image in hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from uuid_utils.compat import uuid7

from moderation import audit
from moderation.actors import HOUSE, Actor
from moderation.models import ReviewRequest, Status, User
from moderation.queues import definitions, known
from moderation.taxonomy import Severity
from review import leases, mixing
from review.access import Access
from review.models import Claim, Outcome
from review.quality import gold
from review.wellness.limits import EnoughForNow, limits_of

GENERAL: Final = definitions.GENERAL
ESCALATED: Final = definitions.ESCALATED
MOST: Final = 10  # requests in one claim
SWEEP: Final = 500  # leases ended in one transaction
COUNTED: Final = 10_000  # a longer queue is "at least" this long: counting on would cost with the backlog


class NotForYou(Exception):
    """This queue needs a right that the person does not hold."""


class ClaimGone(Exception):
    """The claim is no longer the caller's to act on. Claim the next request; nothing was changed."""


class NotYourClaim(ClaimGone):
    """Somebody else holds it."""


class ClaimEnded(ClaimGone):
    """Its lease ran out, it was given back, or its request is settled."""


class DecidedBefore(ClaimGone):
    """They had a word on this image already: an answer counts once a person."""


class HoldsTooMany(Exception):
    """Nobody hoards: decide some of what is in hand, or give it back, and claim again."""


def is_open_to(reviewer: User, queue: str) -> bool:
    """As `review.access` says; whoever asks of many queues makes one `Access` for all of them."""
    return Access(reviewer).to(queue)


def check_queue(reviewer: User, queue: str) -> None:
    if is_open_to(reviewer, queue):
        return
    if queue == ESCALATED:
        raise NotForYou(_("Escalated requests are for senior moderators. Claim from another queue."))
    raise NotForYou(
        _("This queue is for its members, or for people who know its languages or its field. Claim from another queue.")
    )


@transaction.atomic
def claim(
    reviewer: User, queue: str, count: int = 1, *, most: int = MOST, most_severe: int = Severity.S4
) -> list[Claim]:
    """Up to `count` requests, most urgent first, now leased to `reviewer`; fewer or none when there are no more.
    `most` is how many one claim may take, nothing graver than `most_severe`.

    Nobody gets a request that another person holds, one they skipped or sent on, any on an image they decided on, nor
    what their limits keep from them. Three statements, or four where the lot falls on gold, whatever the length of the
    queue; the claims come with their requests and submissions. Raises NotForYou, EnoughForNow or HoldsTooMany.
    """
    check_queue(reviewer, queue)
    limits = limits_of(reviewer)
    if limits.stopped:
        raise EnoughForNow(limits.stopped)
    now = timezone.now()
    found = mixing.find(reviewer, queue, count=min(count, most), limits=limits, most_severe=most_severe, now=now)
    if not found:
        return []
    cap = settings.REVIEW_MOST_HELD if most <= MOST else max(settings.REVIEW_MOST_HELD, most)  # a grid is one screen
    room = cap - found[0].held
    if room <= 0:
        raise HoldsTooMany(
            _("You hold %(held)d requests. Decide some of them or give them back first.") % {"held": found[0].held}
        )
    # One image may wait for several reasons: a person answers one of them.
    mine = list({one.request.submission_id: one for one in reversed(found)}.values())[::-1][:room]
    wanted = gold.Wanted(reviewer, limits.avoided, min(limits.most_severe, most_severe)) if queue != ESCALATED else None
    return lease([one.request for one in mine], reviewer, now=now, wanted=wanted)


def lease(
    requests: Sequence[ReviewRequest], reviewer: User, *, now: datetime, wanted: gold.Wanted | None = None
) -> list[Claim]:
    """Requests that the caller has locked and found free are this person's for a lease's span from now; or, where the
    lot says so, gold items in their place, as far as any are `wanted`.
    """
    until = now + timedelta(seconds=settings.REVIEW_LEASE_SECONDS)
    claims = [
        Claim(id=uuid7(), request=request, reviewer=reviewer, claimed_at=now, expires_at=until) for request in requests
    ]
    if wanted:
        gold.deal(claims, wanted, now=now)
    if ended := leases.lease(claims):
        record_ends(Claim.objects.filter(pk__in=ended).select_related("reviewer", "request"), actor=HOUSE)
    return claims


def expire(claims: QuerySet[Claim], *, now: datetime) -> list[Claim]:
    """End these claims, whose requests the caller has locked; returns them with their people."""
    ended = list(claims.select_related("reviewer", "request"))
    Claim.objects.filter(pk__in=[one.pk for one in ended]).update(ended_at=now, outcome=Outcome.EXPIRED)
    for one in ended:
        one.ended_at, one.outcome = now, Outcome.EXPIRED
    return ended


def record_ends(claims: Iterable[Claim], *, actor: Actor) -> None:
    """Tell the audit log of claims that ended without a decision."""
    entries = [
        audit.Entry(
            actor,
            f"claim.{one.outcome}",
            audit.submission(one.request.submission_id),
            {
                "claim": str(one.pk),
                "request": str(one.request_id),
                "reviewer": str(Actor.person(one.reviewer)),
                "claimed_at": one.claimed_at.isoformat(),
            },
        )
        for one in claims
    ]
    if entries:
        audit.record_many(entries)


def locked(claim_id: UUID, reviewer: User) -> Claim:
    """This person's claim, as `leases.lock` gives it. Raises Claim.DoesNotExist or NotYourClaim."""
    found = leases.lock(claim_id)
    check_holder(found, reviewer)
    return found


def check_holder(claim: Claim, reviewer: User) -> None:
    """Raises NotYourClaim."""
    if claim.reviewer_id != reviewer.pk:
        raise NotYourClaim(_("Somebody else holds this claim. Claim a request of your own."))


def is_live(claim: Claim, *, now: datetime) -> bool:
    """Of a locked claim: whether its holder may still act on it."""
    return claim.ended_at is None and claim.expires_at > now and claim.request.closed_at is None


def end(claim: Claim, *, outcome: Outcome, now: datetime) -> None:
    """End a claim that is still live; raises ClaimEnded when it is not."""
    if not is_live(claim, now=now) or not leases.end(claim.pk, outcome=outcome, now=now):
        raise ClaimEnded(_("This claim has ended: its lease ran out or its request was settled. Claim the next one."))
    claim.ended_at, claim.outcome = now, outcome


def live(*, now: datetime) -> QuerySet[Claim]:
    return Claim.objects.filter(ended_at__isnull=True, expires_at__gt=now)


@transaction.atomic
def extend(claim_id: UUID, reviewer: User) -> datetime:
    """The heartbeat: the lease runs a full span from now; returns its end. Raises ClaimGone or Claim.DoesNotExist."""
    found = locked(claim_id, reviewer)
    now = timezone.now()
    until = now + timedelta(seconds=settings.REVIEW_LEASE_SECONDS)
    is_open = found.request.closed_at is None
    if not (is_open and live(now=now).filter(pk=found.pk).update(expires_at=until)):
        raise ClaimEnded(_("This claim has ended, so its lease cannot be extended. Claim the next one."))
    ReviewRequest.objects.filter(pk=found.request_id).update(leased_until=until)
    return until


@transaction.atomic
def release(claim_id: UUID, reviewer: User, *, until: datetime | None = None) -> None:
    """Give the request back; anybody, this person too, may claim it next. `until`: only if the lease ends no later, so
    that a page that goes away takes nothing from the one that comes after it. Raises ClaimGone or Claim.DoesNotExist.
    """
    found = locked(claim_id, reviewer)
    now = timezone.now()
    if until is not None and Claim.objects.filter(pk=claim_id, expires_at__gt=until).exists():
        return
    end(found, outcome=Outcome.RELEASED, now=now)
    ReviewRequest.objects.filter(pk=found.request_id).update(leased_until=now)
    found.reviewer = reviewer
    record_ends([found], actor=Actor.person(reviewer))


def free_ended() -> int:
    """End the claims whose lease is over; returns how many. Requests are free by then anyway: this is book-keeping."""
    ended = 0
    while found := free_batch():
        ended += found
    return ended


@transaction.atomic
def free_batch() -> int:
    now = timezone.now()
    over = Claim.objects.filter(ended_at__isnull=True, expires_at__lte=now)
    # In the order of keys, and passing over what somebody works on at this moment: it is looked at again next time.
    requests = (
        ReviewRequest.objects.filter(pk__in=over.order_by("expires_at").values("request")[:SWEEP])
        .order_by("pk")
        .select_for_update(skip_locked=True, no_key=True)
        .values_list("pk", flat=True)
    )
    keys: Sequence[UUID] = list(requests)
    ended = expire(over.filter(request__in=keys), now=now)
    record_ends(ended, actor=HOUSE)
    return len(ended)


def resumed(reviewer: User, name: str, *, most: int = MOST) -> list[Claim]:
    """What this person holds in this queue, with leases that begin anew: a reloaded page goes on with these."""
    taken = []
    for claim in held(reviewer, name)[:most]:
        try:
            claim.expires_at = extend(claim.pk, reviewer)
        except (ClaimGone, Claim.DoesNotExist):
            continue
        taken.append(claim)
    return taken


def held(reviewer: User, name: str = "") -> list[Claim]:
    """What this person holds now, in this queue or in any, oldest first."""
    found = live(now=timezone.now()).filter(reviewer=reviewer, request__closed_at__isnull=True)
    if name:
        found = found.filter(request__queue=name)
    found = found.exclude(request__submission__status=Status.QUARANTINED)
    return list(found.select_related("request__submission").order_by("id"))


@dataclass(frozen=True, slots=True)
class Backlog:
    """One queue's open requests, those in somebody's hands included. `capped`: counting stopped there."""

    queue: str
    open: int
    capped: bool
    oldest: datetime | None


# Each step of `names` is one look into the index of open requests: the next queue that has any.
BACKLOG: Final = """
WITH RECURSIVE names AS (
    (SELECT queue FROM moderation_reviewrequest WHERE closed_at IS NULL ORDER BY queue LIMIT 1)
    UNION ALL
    SELECT (
        SELECT queue FROM moderation_reviewrequest WHERE closed_at IS NULL AND queue > names.queue
        ORDER BY queue LIMIT 1
    ) FROM names WHERE names.queue IS NOT NULL
)
SELECT queue, (
    SELECT opened_at FROM moderation_reviewrequest WHERE closed_at IS NULL AND queue = names.queue
    ORDER BY opened_at LIMIT 1
), (
    SELECT count(*) FROM (
        SELECT FROM moderation_reviewrequest WHERE closed_at IS NULL AND queue = names.queue LIMIT %s
    ) counted
)
FROM names WHERE queue IS NOT NULL ORDER BY queue
"""


def in_words(name: str) -> str:
    """A queue's name as people read it."""
    title = known.definitions().of(name).title
    plain = {GENERAL: _("General"), ESCALATED: _("Escalated")}
    return title or plain.get(name, name.replace("-", " ").capitalize())


def destinations() -> dict[str, str]:
    """The queues that a request may be sent to, with their names as people read them."""
    return {slug: in_words(slug) for slug in known.definitions().slugs()}


def counts() -> list[Backlog]:
    """Every queue there is, the general one first; then those that only a rule names. One statement of bounded cost."""
    with connection.cursor() as cursor:
        cursor.execute(BACKLOG, [COUNTED + 1])
        found = {
            queue: Backlog(queue, min(number, COUNTED), number > COUNTED, oldest)
            for queue, oldest, number in cursor.fetchall()
        }
    defined = known.definitions().slugs()
    unnamed = sorted(found.keys() - set(defined))
    return [found.get(queue) or Backlog(queue, 0, capped=False, oldest=None) for queue in [*defined, *unnamed]]
