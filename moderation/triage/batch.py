"""One round of triage, from claim to record."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import repeat

from django.conf import settings
from django.utils.crypto import salted_hmac

from moderation import automation, metrics, rollouts
from moderation.banks.matching import some_go_by_md5
from moderation.models import Submission, TriagePlan
from moderation.policies import parsed
from moderation.routing import Context, Evidence, Plan, Precedent, route
from moderation.triage.clusters import Place, places
from moderation.triage.declared import served
from moderation.triage.leases import claim, hold_up, put_back, tries
from moderation.triage.looking import Look, look_at
from moderation.triage.pace import Pace
from moderation.triage.precedents import precedents
from moderation.triage.recording import Outcome, errors_of, record
from moderation.triage.ruling import rule
from moderation.triage.scoring import Spoken, score
from moderation.triage.shadowing import look_beside
from moderation.triage.warming import release


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


def work_off(*, rounds: int, seconds: float = float("inf")) -> Report:
    """Batch after batch until nothing waits, at most `rounds` of them, and none claimed after so many seconds.

    While the models run on one batch, the threads already decode the next, and no more than that. An image whose sender
    waits is next, whatever is decoded already.
    """
    pace, end = Pace.from_settings(), time.monotonic() + seconds
    total, batch = Report(), begin(claim(limit=pace.size))
    for left in range(rounds - 1, -1, -1):
        began = time.monotonic()
        more = left > 0 and began < end
        following = begin(claim(limit=pace.size) if more else [])
        done = finish(batch)
        pace.took(time.monotonic() - began, images=len(batch.rows), more=len(following.rows) >= len(batch.rows))
        done += finish(begin(claim(limit=pace.size, awaited=True) if more else [])) + run_again()
        total, batch = total + done, following
        if not following.rows and not (done.claimed and more):
            break
    return total


def run_once() -> Report:
    """One batch, then one image whose last worker did not come back: failures neither starve nor block the rest."""
    return finish(begin(claim(limit=settings.TRIAGE_BATCH))) + run_again()


def run_again() -> Report:
    return finish(begin(claim(limit=1, again=True)))


def begin(rows: Sequence[Submission]) -> Batch:
    """Set the threads to looking at these rows. Tried too often, an image is not looked at any more: such a one is
    claimed by itself.
    """
    if rows and tries(rows[0]) > settings.TRIAGE_MAX_ATTEMPTS:
        return Batch(rows, repeat(Look(None, error="gave up"), len(rows)))
    return Batch(rows, look_at(rows, threads=threads(), md5=bool(rows) and some_go_by_md5()))


def finish(batch: Batch) -> Report:
    """Score, route and record a batch; what failed and may be tried again, or must wait, is put back."""
    rows = batch.rows
    if not rows:
        return Report()
    metrics.BATCH_IMAGES.observe(len(rows))
    published, rollout = TriagePlan.objects.in_force(), rollouts.running()
    with metrics.STAGE_SECONDS.timed(stage="wait"):
        looks = list(batch.looks)
    if rollout is None:
        return follow(rows, looks, published)
    release(*(parsed(row) for row in (published, rollout.candidate) if row))
    lots = [rollouts.lot(rollout.pk, row.pk) for row in rows]
    done = Report()
    for plan, tried in ((published, False), (rollout.candidate, True)):
        mine = [at for at, draw in enumerate(lots) if (draw < rollout.share) is tried]
        if mine:
            canaries = [lots[at] for at in mine]
            done += follow([rows[at] for at in mine], [looks[at] for at in mine], plan, canaries)
    return done


def follow(
    rows: Sequence[Submission],
    looks: Sequence[Look],
    published: TriagePlan | None,
    canaries: Sequence[float] | None = None,
) -> Report:
    """The same for rows that follow one plan; `canaries` are their lots where a rollout runs."""
    plan = parsed(published) if published else None
    if plan and canaries is None:
        release(plan)
    outcomes, spoken = judge(rows, looks, plan)
    if canaries is not None:
        outcomes = [replace(one, canary=lot) for one, lot in zip(outcomes, canaries, strict=True)]
    ready, again, waiting = sorted_out(outcomes, spoken, plan)
    hold_up(waiting)
    put_back(again, alone=spoken.hung)
    with metrics.STAGE_SECONDS.timed(stage="write"):
        settled = record(ready, spoken, plan=published) if ready else []
    routes = Counter[str](one.route.action for one in settled)
    for route_, number in routes.items():
        metrics.TRIAGED.add(number, route=route_)
    for scope, number in Counter(one.context.capped for one in settled if one.context.capped).items():
        metrics.CAPPED.add(number, scope=scope)
    missed = Counter(dict.fromkeys(spoken.shadows.errors, len(rows)) if spoken.shadows else {})
    return Report(len(rows), len(settled), len(again) + len(waiting), routes, missed)


def sorted_out(
    outcomes: Sequence[Outcome], spoken: Spoken, plan: Plan | None
) -> tuple[list[Outcome], list[Submission], list[Submission]]:
    """What can be recorded, what is to be tried again, and what must wait for a classifier, as the plan may ask.

    What is blocked or quarantined on what the others said is ready: no further word would make it milder. A person
    looks at once where the classifier is known to be down: trying again would only repeat the work of the others.
    """
    ready, again, waiting = list[Outcome](), list[Submission](), list[Submission]()
    for one in outcomes:
        if not one.route.failed or one.route.action != "review":
            ready.append(one)
        elif one.index is not None and spoken.down and plan and plan.on_error == "wait":
            waiting.append(one.submission)
            metrics.PUT_BACK.add(why="wait")
        elif tries(one.submission) < settings.TRIAGE_MAX_ATTEMPTS and not any(spoken.down.values()):
            again.append(one.submission)
            metrics.PUT_BACK.add(why="retry")
        else:
            ready.append(one)
    return ready, again, waiting


def judge(rows: Sequence[Submission], looks: Sequence[Look], plan: Plan | None) -> tuple[list[Outcome], Spoken]:
    """Score all that could be seen in one pass a model, and route every row."""
    seen = [look.seen for look in looks if look.seen is not None]
    spoken = Spoken()
    if plan and seen:
        with metrics.STAGE_SECONDS.timed(stage="score"):
            spoken = score(seen, plan)
            look_beside(seen, plan, spoken)
            rule([row for row, look in zip(rows, looks, strict=True) if look.seen is not None], spoken)
    with metrics.STAGE_SECONDS.timed(stage="neighbours"):
        placed = places(rows, looks, spoken.embeddings)
        before = precedents(rows, looks, placed, plan)
    with metrics.STAGE_SECONDS.timed(stage="route"):
        return routed(rows, looks, placed, before, spoken, plan), spoken


def routed(
    rows: Sequence[Submission],
    looks: Sequence[Look],
    placed: Sequence[Place],
    before: Sequence[Precedent | None],
    spoken: Spoken,
    plan: Plan | None,
) -> list[Outcome]:
    stops = automation.stopped_now()  # as late as can be: what is stopped while the models run is stopped
    outcomes, index = [], 0
    for row, look, place, precedent in zip(rows, looks, placed, before, strict=True):
        stopped = stops.of(row.client_id)
        if look.seen is None:
            silent = [Evidence(ref, error=look.error) for ref in (plan.classifiers if plan else ())]
            context = Context(stopped=stopped, served=served(row))
            outcomes.append(Outcome(row, look, route(silent, plan, context), None, place, context, errors_of(silent)))
            continue
        context, said = Context(lot(row), precedent, stopped, served=served(row)), spoken.of(index)
        outcomes.append(Outcome(row, look, route(said, plan, context), index, place, context, errors_of(said)))
        index += 1
    return outcomes


def lot(row: Submission) -> float:
    """The audit lot of an image, in [0, 1): a keyed hash of its id, repeatable by us and unpredictable to others."""
    return int.from_bytes(salted_hmac("loupe.audit", str(row.pk), algorithm="sha256").digest()[:8]) / 2**64


@cache
def threads() -> ThreadPoolExecutor:
    """Decoding threads of this process, made after the worker has forked."""
    return ThreadPoolExecutor(max_workers=settings.TRIAGE_THREADS, thread_name_prefix="look")
