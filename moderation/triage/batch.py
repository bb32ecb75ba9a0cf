"""One round of triage, from claim to record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from itertools import repeat

from django.conf import settings
from django.utils.crypto import salted_hmac

from moderation.models import Submission, TriagePlan
from moderation.policies import parsed
from moderation.routing import Context, Evidence, Plan, Route, route
from moderation.triage.leases import claim, put_back
from moderation.triage.looking import Look, look_at
from moderation.triage.recording import Outcome, record
from moderation.triage.scoring import Spoken, score
from moderation.triage.shadowing import look_beside


@dataclass(slots=True)
class Report:
    """What a round did. `claimed` 0 means: nothing was waiting. `missed`: by shadow version, on how many of the claimed
    images it had no word.
    """

    claimed: int = 0
    settled: int = 0
    put_back: int = 0
    routes: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Report) -> Report:
        return Report(
            self.claimed + other.claimed,
            self.settled + other.settled,
            self.put_back + other.put_back,
            self.routes + other.routes,
            self.missed + other.missed,
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """Claimed rows, and the looks at them, which the decoding threads may still be taking."""

    rows: Sequence[Submission]
    looks: Iterator[Look]


def work_off(*, rounds: int) -> Report:
    """Batch after batch until nothing waits, at most `rounds` of them. While the models run on one batch, the threads
    already decode the next.
    """
    total, batch = Report(), begin(claim_fresh())
    for left in range(rounds - 1, -1, -1):
        following = begin(claim_fresh() if left else [])
        done = finish(batch) + run_again()
        if not done.claimed and not following.rows:
            break
        total, batch = total + done, following
    return total


def run_once() -> Report:
    """One batch of fresh images, then one image that was tried before: failures neither starve nor block the rest."""
    return finish(begin(claim_fresh())) + run_again()


def run_again() -> Report:
    return finish(begin(claim(limit=1, again=True)))


def claim_fresh() -> list[Submission]:
    return claim(limit=settings.TRIAGE_BATCH, again=False)


def begin(rows: Sequence[Submission]) -> Batch:
    """Set the threads to looking at these rows. Tried too often, an image is not looked at any more."""
    if rows and rows[0].attempts > settings.TRIAGE_MAX_ATTEMPTS:
        return Batch(rows, repeat(Look(None, error="gave up"), len(rows)))
    return Batch(rows, look_at(rows, threads=threads()))


def finish(batch: Batch) -> Report:
    """Score, route and record a batch; what failed and may be tried again is put back."""
    rows = batch.rows
    if not rows:
        return Report()
    published = TriagePlan.objects.in_force()
    plan = parsed(published) if published else None
    spent = rows[0].attempts > settings.TRIAGE_MAX_ATTEMPTS
    looks = list(batch.looks)
    outcomes, spoken = judge(rows, looks, plan)
    again = [one for one in outcomes if one.route.failed and one.route.action == "review"]
    if not spent and rows[0].attempts < settings.TRIAGE_MAX_ATTEMPTS:
        put_back([one.submission for one in again])
        outcomes = [one for one in outcomes if one not in again]
    else:
        again = []
    settled = record(outcomes, spoken, plan=published) if outcomes else 0
    missed = Counter(dict.fromkeys(spoken.shadows.errors, len(rows)) if spoken.shadows else {})
    return Report(len(rows), settled, len(again), Counter(one.route.action for one in outcomes), missed)


def judge(rows: Sequence[Submission], looks: Sequence[Look], plan: Plan | None) -> tuple[list[Outcome], Spoken]:
    """Score all that could be seen in one pass a model, and route every row."""
    seen = [look.seen for look in looks if look.seen is not None]
    spoken = Spoken()
    if plan and seen:
        spoken = score(seen, plan)
        look_beside(seen, plan, spoken)
    outcomes, index = [], 0
    for row, look in zip(rows, looks, strict=True):
        if look.seen is None:
            outcomes.append(Outcome(row, look, unseen(look, plan), None))
            continue
        context = Context(draw=lot(row))
        outcomes.append(Outcome(row, look, route(spoken.of(index), plan, context), index))
        index += 1
    return outcomes, spoken


def unseen(look: Look, plan: Plan | None) -> Route:
    refs = plan.classifiers if plan else ()
    return route([Evidence(ref, error=look.error) for ref in refs], plan, Context())


def lot(row: Submission) -> float:
    """The audit lot of an image, in [0, 1): a keyed hash of its id, repeatable by us and unpredictable to others."""
    return int.from_bytes(salted_hmac("loupe.audit", str(row.pk), algorithm="sha256").digest()[:8]) / 2**64


@cache
def threads() -> ThreadPoolExecutor:
    """Decoding threads of this process, made after the worker has forked."""
    return ThreadPoolExecutor(max_workers=settings.TRIAGE_THREADS, thread_name_prefix="look")
