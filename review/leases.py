"""The statements that every claim and every decision runs, in SQL (see `moderation.statements`)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from functools import cache
from typing import Any, Final
from uuid import UUID

from moderation import requests
from moderation.models import Reason, ReviewRequest, Status, Submission
from moderation.statements import Columns, prepared
from moderation.taxonomy import Category, Severity
from review.models import Claim, Decision, Effect, EffectState, Outcome

REQUEST: Final = Columns.of(ReviewRequest)
SUBMISSION: Final = Columns.of(Submission)
CLAIM: Final = Columns.of(Claim)
MILD: Final = Severity.S1
STANDING: Final = Columns.of(Submission, "id", "client", "external_id", "status", "plan")

# What this person said of the image, on whichever request, and did not take back.
JUDGED: Final = f"""
SELECT FROM review_decision judged JOIN review_effect effect ON effect.decision_id = judged.id
WHERE judged.submission_id = {{submission}} AND judged.reviewer_id = %(reviewer)s
    AND effect.state <> '{EffectState.UNDONE.value}'
"""
HAS_JUDGED: Final = f"SELECT EXISTS ({JUDGED.format(submission='%(submission)s')})"
MINE: Final = """
mine AS MATERIALIZED (
    SELECT held.submission_id FROM review_claim claim JOIN moderation_reviewrequest held ON held.id = claim.request_id
    WHERE claim.reviewer_id = %(reviewer)s AND claim.ended_at IS NULL AND claim.expires_at > %(now)s
)
"""
# One walk along the index request_open_by_queue. A row that somebody else is claiming is passed over; one that somebody
# claimed since the statement began is looked at again once locked, and passed over too.
#
# The statement is planned once a connection, before its parameters are known. So that the planner expects to come by
# enough requests soon, and walks, instead of sorting the whole queue: the two numbers stand in the text, and the
# coalesce hides how many categories may be avoided.
WALK: Final = f"""
SELECT {REQUEST.sql("request")}, {SUBMISSION.sql("submission")},
    (SELECT count(*) FROM mine), {{mild}}
FROM moderation_reviewrequest request JOIN moderation_submission submission ON submission.id = request.submission_id
WHERE request.queue = %(queue)s AND request.closed_at IS NULL AND request.leased_until <= %(now)s
    AND request.severity <= {{most_severe:d}} AND coalesce(request.category <> ALL(%(avoided)s::text[]), true)
    AND submission.status <> '{Status.QUARANTINED.value}'
    AND (request.reason <> '{Reason.GOLD.value}' OR EXISTS (
        SELECT FROM review_goldturn turn WHERE turn.request_id = request.id AND turn.reviewer_id = %(reviewer)s
    ))
    AND NOT EXISTS (SELECT FROM mine WHERE mine.submission_id = request.submission_id)
    AND NOT EXISTS ({JUDGED.format(submission="request.submission_id")})
    AND NOT EXISTS (
        SELECT FROM review_claim claim WHERE claim.request_id = request.id
            AND claim.reviewer_id = %(reviewer)s AND claim.outcome = '{Outcome.SENT.value}'
    )
ORDER BY request.priority DESC, request.id LIMIT {{count:d}}
FOR NO KEY UPDATE OF request SKIP LOCKED
"""  # noqa: S608 - the names of our own columns
NAMED: Final = ", ".join(f"c{number}" for number in range(len(REQUEST) + len(SUBMISSION) + 2))
# An earlier lease may have run out and never been ended, even since the request was found: it could be over before the
# transaction that gave it was. A statement of its own sees it, now that the request is locked.
# The commit does not wait for the disk: a claim that a crash undoes is a lease that ended early. Decisions do wait.
LEASE: Final = f"""
WITH ended AS (
    UPDATE review_claim SET ended_at = %(now)s, outcome = '{Outcome.EXPIRED.value}'
    WHERE request_id = ANY(%(requests)s) AND ended_at IS NULL RETURNING id
),
leased AS (UPDATE moderation_reviewrequest SET leased_until = %(until)s WHERE id = ANY(%(requests)s)),
made AS (
    INSERT INTO review_claim (id, request_id, reviewer_id, claimed_at, expires_at, outcome)
    SELECT claim, request, %(reviewer)s, %(now)s, %(until)s, ''
    FROM unnest(%(claims)s::uuid[], %(requests)s::uuid[]) made (claim, request)
    WHERE set_config('synchronous_commit', 'off', true) = 'off' AND (SELECT count(*) FROM ended) >= 0
)
SELECT id FROM ended
"""  # noqa: S608 - our own constants; the count is what makes the old end before the new begin
# The submission is locked before the request, so that two people who decide on two requests of one image queue up here.
LOCK: Final = f"""
SELECT {CLAIM.sql("claim")}, {REQUEST.sql("request")}, {STANDING.sql("submission")}, {{more}}
FROM review_claim claim
JOIN moderation_reviewrequest request ON request.id = claim.request_id
JOIN moderation_submission submission ON submission.id = request.submission_id
WHERE claim.id = %(claim)s
FOR NO KEY UPDATE OF submission, request, claim
"""  # noqa: S608 - the names of our own columns
# The guideline in force of a category; OTHER's for one that has none, and for "".
LATEST: Final = """(
    SELECT edition.id FROM moderation_policyversion edition
    WHERE edition.category = {category} AND edition.part = '' AND edition.locale = ''
    ORDER BY edition.number DESC LIMIT 1
)"""
GUIDELINE: Final = f"coalesce({LATEST}, {LATEST.replace('{category}', repr(Category.OTHER.value))})"
TO_END: Final = LOCK.format(more="NULL")
TO_DECIDE: Final = LOCK.format(more=GUIDELINE.format(category="coalesce(nullif(%(category)s, ''), request.category)"))
END: Final = """
UPDATE review_claim SET ended_at = %(now)s, outcome = %(outcome)s
WHERE id = %(claim)s AND ended_at IS NULL AND expires_at > %(now)s
"""

DECISION: Final = Columns.of(Decision)
EFFECT: Final = Columns.of(Effect)
CLOSE: Final = """
UPDATE moderation_reviewrequest SET closed_at = %(now)s
WHERE submission_id = %(submission)s AND closed_at IS NULL
    AND (id = %(request)s OR reason = ANY(%(answers)s) AND needed <= %(needed)s)
"""
DECIDE: Final = f"""
WITH said AS (
    INSERT INTO review_decision ({DECISION.names()}) SELECT {DECISION.places("said")}
    WHERE NOT EXISTS ({JUDGED.format(submission="%(submission)s")}) RETURNING id
),
effect AS (INSERT INTO review_effect ({EFFECT.names()}) SELECT {EFFECT.places("effect")} FROM said),
closed AS ({CLOSE} AND %(closes)s AND EXISTS (SELECT FROM said)),
ended AS ({END} AND EXISTS (SELECT FROM said) RETURNING id)
SELECT (SELECT count(*) FROM said), (SELECT count(*) FROM ended)
"""  # noqa: S608 - the names of our own columns


@dataclass(frozen=True, slots=True)
class Free:
    """A request that this person may have next, locked, with its submission. `held`: how many leases the person has
    already; `out_of_turn`: drawn forward for being mild.
    """

    request: ReviewRequest
    held: int
    out_of_turn: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """Up to `count` requests no graver than `most_severe`, of which up to `mild` may be ones up to `mildest` that come
    out of turn; none of an avoided category.
    """

    queue: str
    count: int
    avoided: Collection[str] = ()
    most_severe: int = Severity.S4
    mild: int = 0
    mildest: int = MILD


@cache
def walks(count: int, most_severe: int, mild: int, mildest: int) -> str:
    """The statement of such a wish. With mild ones two walks in one; what both find is there twice, as mild first."""
    urgent = WALK.format(most_severe=most_severe, count=count, mild="false")
    if not mild:
        return f"WITH {MINE} {urgent}"
    forward = WALK.format(most_severe=mildest, count=mild, mild="true")
    return f"""
        WITH {MINE}, mild ({NAMED}) AS ({forward}), urgent ({NAMED}) AS ({urgent})
        SELECT * FROM mild UNION ALL SELECT * FROM urgent
    """  # noqa: S608 - as above


def find_free(reviewer: UUID, wish: Wish, *, now: datetime) -> list[Free]:
    """The next requests for this person: the mild ones that come out of turn, then the others, each most urgent first;
    nothing of an image they have in hand or had a word on, and nothing they sent on. One statement.
    """
    statement = walks(wish.count, wish.most_severe, wish.mild, wish.mildest)
    values: dict[str, Any] = {"queue": wish.queue, "avoided": list(wish.avoided), "now": now, "reviewer": reviewer}
    with prepared() as cursor:
        cursor.execute(statement, values)
        rows = cursor.fetchall()
    found: dict[UUID, Free] = {}
    for row in rows:
        if row[0] not in found:
            found[row[0]] = Free(request_of(row[:-2], SUBMISSION), *row[-2:])
    return list(found.values())


def request_of(values: Sequence[Any], submission: Columns[Submission]) -> ReviewRequest:
    request = REQUEST.load(values[: len(REQUEST)])
    request.submission = submission.load(values[len(REQUEST) :])
    return request


def lease(claims: Sequence[Claim]) -> list[UUID]:
    """Write new claims of one person, whose requests the caller has locked and found free. Returns the claims whose
    lease was over and that nobody had ended: they are ended now.
    """
    first = claims[0]
    values: dict[str, Any] = {
        "claims": [claim.pk for claim in claims],
        "requests": [claim.request_id for claim in claims],
        "reviewer": first.reviewer_id,
        "now": first.claimed_at,
        "until": first.expires_at,
    }
    with prepared() as cursor:
        cursor.execute(LEASE, values)
        return [key for (key,) in cursor.fetchall()]


def lock(claim_id: UUID) -> Claim:
    """The claim with its request and its submission's standing, all as they are now, and locked. Raises
    Claim.DoesNotExist.
    """
    return locked(TO_END, {"claim": claim_id})[0]


def lock_to_decide(claim_id: UUID, category: str) -> tuple[Claim, UUID | None]:
    """As `lock`; and the guideline in force of this category, or, where that is "", of the request's; of OTHER where
    there is none. None where there is no guideline at all.
    """
    return locked(TO_DECIDE, {"claim": claim_id, "category": category})


def locked(statement: str, values: dict[str, Any]) -> tuple[Claim, UUID | None]:
    with prepared() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    if row is None:
        raise Claim.DoesNotExist
    claim = CLAIM.load(row[: len(CLAIM)])
    claim.request = request_of(row[len(CLAIM) : -1], STANDING)
    return claim, row[-1]


def end(claim_id: UUID, *, outcome: Outcome, now: datetime) -> bool:
    """End a claim if it is still live; whether it was."""
    with prepared() as cursor:
        cursor.execute(END, {"claim": claim_id, "outcome": outcome.value, "now": now})
        return bool(cursor.rowcount == 1)


class Written(Enum):
    """What became of a decision."""

    DONE = auto()
    JUDGED = auto()  # not written: the reviewer had a word on the image before
    ENDED = auto()  # the claim was not live any more: the caller rolls back


def write(decision: Decision, effect: Effect, request: ReviewRequest, *, answers: Collection[Reason] | None) -> Written:
    """Add the rows of a decision and its effect, end its claim as decided, and close the request, and the open ones for
    its image whose reasons it `answers` and that ask for no more people; None: it stays open. The caller has locked
    the submission, the request and the claim.
    """
    values = DECISION.filled("said", decision) | EFFECT.filled("effect", effect)
    values |= {
        "submission": decision.submission_id,
        "reviewer": decision.reviewer_id,
        "request": request.pk,
        "closes": answers is not None,
        "answers": list(answers or ()),
        "needed": request.needed,
        "now": decision.decided_at,
        "claim": decision.claim_id,
        "outcome": Outcome.DECIDED.value,
    }
    with prepared() as cursor:
        cursor.execute(DECIDE, values)
        said, ended = cursor.fetchone()
    if not said:
        return Written.JUDGED
    return Written.DONE if ended else Written.ENDED


def has_judged(reviewer: UUID, submission: UUID) -> bool:
    """Whether this person had a word on the image and did not take it back."""
    with prepared() as cursor:
        cursor.execute(HAS_JUDGED, {"reviewer": reviewer, "submission": submission})
        return bool(cursor.fetchone()[0])


def free(request: ReviewRequest, *, queue: str, now: datetime) -> None:
    """Give a request back, to this queue, in its order."""
    requests.put_in(request, queue)
    request.leased_until = now
    request.save(update_fields=["queue", "priority", "leased_until"])
