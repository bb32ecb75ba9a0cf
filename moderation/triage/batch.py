"""One round of triage, from claim to record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache

from django.conf import settings
from django.utils.crypto import salted_hmac

from moderation.models import Submission, TriagePlan
from moderation.policies import parsed
from moderation.routing import Context, Evidence, Plan, Route, route
from moderation.triage.leases import claim, put_back
from moderation.triage.looking import Look, look_at
from moderation.triage.recording import Outcome, record
from moderation.triage.scoring import Spoken, score


@dataclass(slots=True)
class Report:
    """What a round did. `claimed` 0 means: nothing was waiting."""

    claimed: int = 0
    settled: int = 0
    put_back: int = 0
    routes: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Report) -> Report:
        return Report(
            self.claimed + other.claimed,
            self.settled + other.settled,
            self.put_back + other.put_back,
            self.routes + other.routes,
        )


def run_once() -> Report:
    """One batch of fresh images, then one image that was tried before: failures neither starve nor block the rest."""
    fresh = process(claim(limit=settings.TRIAGE_BATCH, again=False))
    return fresh + process(claim(limit=1, again=True))


def process(rows: Sequence[Submission]) -> Report:
    if not rows:
        return Report()
    published = TriagePlan.objects.in_force()
    plan = parsed(published) if published else None
    spent = rows[0].attempts > settings.TRIAGE_MAX_ATTEMPTS
    # Tried too often: whatever happens when we look, looking is what we no longer do.
    looks = [Look(None, error="gave up")] * len(rows) if spent else look_at(rows, threads=threads())
    outcomes, spoken = judge(rows, looks, plan)
    again = [one for one in outcomes if one.route.failed and one.route.action == "review"]
    if not spent and rows[0].attempts < settings.TRIAGE_MAX_ATTEMPTS:
        put_back([one.submission for one in again])
        outcomes = [one for one in outcomes if one not in again]
    else:
        again = []
    settled = record(outcomes, spoken, plan=published) if outcomes else 0
    return Report(len(rows), settled, len(again), Counter(one.route.action for one in outcomes))


def judge(rows: Sequence[Submission], looks: Sequence[Look], plan: Plan | None) -> tuple[list[Outcome], Spoken]:
    """Score all that could be seen in one pass a model, and route every row."""
    seen = [look.seen for look in looks if look.seen is not None]
    spoken = score(seen, plan) if plan and seen else Spoken()
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
