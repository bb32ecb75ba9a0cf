"""Many reviewers at once, doing at random whatever the house lets them do, and what must hold all the while."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from threading import Thread
from uuid import UUID, uuid4

from django.db import connection

from moderation import audit
from moderation.models import Reason, ReviewRequest, Status, Submission, User
from moderation.requests import Ask, open_requests
from review import effects, handovers, queue
from review.decisions import decide
from review.effects import TooLate
from review.judgements import UnfitDecision
from review.models import Claim, Decision, Effect, EffectState

PATIENCE = 60.0  # s
QUEUES = (queue.GENERAL, "side", queue.ESCALATED)
BLOCK = [{"category": "WEAPONS_DANGEROUS", "severity": 2}]
# What the house may answer to somebody who comes too late, or asks for what is not theirs.
REFUSALS = (
    queue.ClaimGone,
    queue.NotForYou,
    queue.HoldsTooMany,
    handovers.UnfitHandover,
    Claim.DoesNotExist,
    Decision.DoesNotExist,
    TooLate,
    UnfitDecision,
)


@dataclass
class Race:
    """`done` counts what was done, `refused` what was not; `wrong` is what should not have happened."""

    people: Sequence[User]
    images: Sequence[Submission]
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    given: Counter[UUID] = field(default_factory=Counter)
    decided: set[UUID] = field(default_factory=set)
    claims: list[UUID] = field(default_factory=list)  # of all: somebody tries what is another's
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def has_seen(self, done: Set[str], refused: Set[str]) -> bool:
        """Whether each of these acts was done, and each of these refusals met, at least once."""
        return done <= self.done.keys() and refused <= self.refused.keys()

    def run(self, *, threads: int, seconds: float, seed: int, done: Set[str], refused: Set[str]) -> None:
        """For so many seconds, and on until everything was seen: a busy machine takes longer to come to it."""
        runners = [Runner(self, random.Random(seed + number)) for number in range(threads)]
        workers = [Thread(target=runner.run, daemon=True) for runner in runners]
        watcher = Thread(target=self.watch, daemon=True)
        for each in (*workers, watcher):
            each.start()
        self.over.wait(seconds)
        deadline = time.monotonic() + PATIENCE
        while not self.has_seen(done, refused) and time.monotonic() < deadline:
            self.over.wait(0.05)
        self.over.set()
        for each in (*workers, watcher):
            each.join(timeout=60)
            if each.is_alive():
                self.wrong.append("a thread never came back")

    def watch(self) -> None:
        """What must hold at every moment, looked at while they run."""
        while not self.over.wait(0.2):
            try:
                self.wrong += broken(LIVE)
            finally:
                connection.close()


@dataclass
class Runner:
    """One of the threads. It is a different person at each step: people have several windows open."""

    race: Race
    chance: random.Random
    mine: list[tuple[UUID, User]] = field(default_factory=list)
    said: list[tuple[UUID, User]] = field(default_factory=list)

    def run(self) -> None:
        acts: list[tuple[int, Callable[[], str | None]]] = [
            (6, self.claim),
            (6, self.decide),
            (2, self.release),
            (2, self.extend),
            (2, self.send),
            (1, self.second_opinion),
            (2, self.take_over),
            (3, self.undo),
            (2, self.act_on_anothers),
            (1, self.sweep),
            (2, self.apply),
            (2, self.report),
        ]
        weights = [weight for weight, _act in acts]
        while not self.race.over.is_set():
            (act,) = self.chance.choices([act for _weight, act in acts], weights)
            try:
                self.attempt(act)
            finally:
                connection.close()  # back to the pool, as after every request

    def attempt(self, act: Callable[[], str | None]) -> None:
        try:
            done = act()
        except REFUSALS as refusal:
            with self.race.lock:
                self.race.refused[type(refusal).__name__] += 1
        except Exception as error:  # noqa: BLE001 - a deadlock, a broken constraint: the test fails by it
            with self.race.lock:
                self.race.wrong.append(f"{act.__name__}: {type(error).__name__}: {error}")
        else:
            with self.race.lock:
                self.race.done[done or "nothing to do"] += 1

    def anybody(self) -> User:
        return self.chance.choice(self.race.people)

    def take(self) -> tuple[UUID, User] | None:
        """Some claim of this thread's, which it forgets: its lease may run out in the meantime, or it was taken."""
        return self.mine.pop(self.chance.randrange(len(self.mine))) if self.mine else None

    def claim(self) -> str:
        person = self.anybody()
        claims = queue.claim(person, self.chance.choice(QUEUES), self.chance.randint(1, 5))
        self.mine += [(claim.pk, person) for claim in claims]
        with self.race.lock:
            self.race.claims += [claim.pk for claim in claims]
        return "claim" if claims else "found nothing"

    def decide(self) -> str | None:
        held = self.take()
        if held is None:
            return None
        verdict = self.chance.choices(["approve", "block", "escalate", "skip"], [6, 6, 1, 1])[0]
        labels = BLOCK if verdict == "block" else []
        key = uuid4().hex
        decision = decide(*held, verdict=verdict, labels=labels, idempotency_key=key)
        with self.race.lock:
            self.race.decided.add(decision.pk)
        self.said.append((decision.pk, held[1]))
        if self.chance.random() < 0.3:  # the answer was lost on the way: it is sent again
            again = decide(*held, verdict=verdict, labels=labels, idempotency_key=key)
            if again.pk != decision.pk:
                raise AssertionError("sent again, it became another decision")
        if self.chance.random() < 0.2:
            try:
                decide(*held, verdict="approve")
            except queue.ClaimGone:
                return verdict
            raise AssertionError("a second decision on one claim")
        return verdict

    def release(self) -> str | None:
        held = self.take()
        if held is None:
            return None
        queue.release(*held)
        return "release"

    def extend(self) -> str | None:
        if not self.mine:
            return None
        queue.extend(*self.chance.choice(self.mine))
        return "extend"

    def send(self) -> str | None:
        held = self.take()
        if held is None:
            return None
        handovers.send(*held, self.chance.choice(QUEUES))
        return "send"

    def second_opinion(self) -> str | None:
        held = self.take()
        if held is None:
            return None
        handovers.ask_second_opinion(*held)
        return "second opinion"

    def take_over(self) -> str | None:
        person = self.anybody()
        with self.race.lock:
            recent = self.race.claims[-40:]
        if not recent:
            return None
        claim = handovers.take_over(self.chance.choice(recent), person)
        self.mine.append((claim.pk, person))
        with self.race.lock:
            self.race.claims.append(claim.pk)
        return "takeover"

    def undo(self) -> str | None:
        if not self.said:
            return None
        decision, person = self.said.pop()
        claim = effects.undo(decision, person)
        if claim is not None:
            self.mine.append((claim.pk, person))
        return "undo"

    def act_on_anothers(self) -> str | None:
        with self.race.lock:
            recent = self.race.claims[-40:]
        if not recent:
            return None
        stranger = self.anybody()
        claim = Claim.objects.get(pk=self.chance.choice(recent))
        if claim.reviewer_id == stranger.pk:
            return None
        decide(claim.pk, stranger, verdict="approve")
        raise AssertionError("decided on what another holds")

    def sweep(self) -> str:
        queue.free_ended()
        return "sweep"

    def apply(self) -> str:
        effects.apply_due(batches=1)
        return "apply"

    def report(self) -> str:
        image = self.chance.choice(self.race.images)
        reason = self.chance.choice([Reason.REPORT, Reason.APPEAL])
        needed = self.chance.choice([1, 1, 2])
        open_requests([Ask(submission=image, reason=reason, category="WEAPONS_DANGEROUS", needed=needed)])
        return "report"


# Each names what is wrong with the rows it finds. A claim is over when it ended or its lease did, whichever came first.
LIVE = {
    "two leases of one request at one time": """
        SELECT a.id FROM review_claim a JOIN review_claim b ON b.request_id = a.request_id AND b.id <> a.id
        WHERE a.claimed_at <= b.claimed_at AND least(a.ended_at, a.expires_at) > b.claimed_at
        AND (a.claimed_at < b.claimed_at OR a.id < b.id)
    """,
    "a claim was decided without a decision": """
        SELECT c.id FROM review_claim c LEFT JOIN review_decision d ON d.claim_id = c.id
        WHERE (c.outcome = 'decided') <> (d.id IS NOT NULL)
    """,
    "a decision without its effect": """
        SELECT d.id FROM review_decision d WHERE NOT EXISTS (SELECT FROM review_effect e WHERE e.decision_id = d.id)
    """,
    "one person had two words on one image": """
        SELECT d.submission_id FROM review_decision d JOIN review_effect e ON e.decision_id = d.id
        WHERE e.state <> 'undone' GROUP BY d.submission_id, d.reviewer_id HAVING count(*) > 1
    """,
    "a request is open though it has its answers": """
        SELECT r.id FROM moderation_reviewrequest r
        JOIN review_claim c ON c.request_id = r.id JOIN review_decision d ON d.claim_id = c.id
        JOIN review_effect e ON e.decision_id = d.id
        WHERE r.closed_at IS NULL AND e.state NOT IN ('undone', 'refused') AND d.verdict IN ('approve', 'block')
        GROUP BY r.id, r.needed HAVING count(*) >= r.needed AND count(DISTINCT d.verdict) = 1
    """,
}
STANDING = """
SELECT r.id, r.needed, r.reason, array_agg(d.verdict ORDER BY d.id) FILTER (WHERE d.verdict IN ('approve', 'block')),
    count(*) FILTER (WHERE e.queue = 'escalated' AND d.verdict IN ('approve', 'block')),
    EXISTS (
        SELECT FROM review_claim c JOIN review_decision d ON d.claim_id = c.id
        JOIN review_effect e ON e.decision_id = d.id AND e.state = 'undone'
        JOIN moderation_reviewrequest again ON again.submission_id = r.submission_id AND again.reason = r.reason
        WHERE c.request_id = r.id AND again.id <> r.id AND again.opened_at < e.ended_at
        AND coalesce(again.closed_at, 'infinity') > e.ended_at
    ),
    EXISTS (
        SELECT FROM review_decision d JOIN review_claim c ON c.id = d.claim_id
        JOIN review_effect e ON e.decision_id = d.id AND e.state NOT IN ('undone', 'refused')
        WHERE d.submission_id = r.submission_id AND d.decided_at = r.closed_at AND c.request_id <> r.id
    )
FROM moderation_reviewrequest r LEFT JOIN (
    review_claim c JOIN review_decision d ON d.claim_id = c.id
    JOIN review_effect e ON e.decision_id = d.id AND e.state NOT IN ('undone', 'refused')
) ON c.request_id = r.id WHERE r.closed_at IS NOT NULL GROUP BY r.id
"""


def broken(rules: dict[str, str]) -> list[str]:
    found = []
    with connection.cursor() as cursor:
        for words, statement in rules.items():
            cursor.execute(statement)
            found += [f"{words}: {key}" for (key,) in cursor.fetchall()]
    return found


def drain(people: Sequence[User], *, seconds: float) -> None:
    """Everything open is decided by people who had no word on anything yet: what they cannot get is lost."""
    deadline = time.monotonic() + seconds
    while ReviewRequest.objects.filter(closed_at__isnull=True).exists() and time.monotonic() < deadline:
        queue.free_ended()
        effects.apply_due()
        for person in people:
            for name in QUEUES:
                for claim in queue.claim(person, name, 10):
                    try:
                        decide(claim.pk, person, verdict="approve")
                    except queue.ClaimGone:
                        queue.free_ended()
    effects.apply_due()
    queue.free_ended()


def faults(race: Race) -> list[str]:
    """What does not hold when all is over: after `drain`, once the leases of the race have run out."""
    found = [*race.wrong, *broken(LIVE)]
    left = ReviewRequest.objects.filter(closed_at__isnull=True).values_list("pk", "queue", "needed")
    found += [f"never answered: {one}" for one in left]
    found += [
        f"an open claim on a closed request: {pk}" for pk in Claim.objects.filter(ended_at=None).values_list("pk")
    ]
    pending = Effect.objects.filter(state=EffectState.PENDING).count()
    found += [f"{pending} effects never came about"] if pending else []
    missing = race.decided - set(Decision.objects.values_list("pk", flat=True))
    found += [f"{len(missing)} decisions that were answered are not on record"] if missing else []
    found += [f"the audit log: {one}" for one in audit.verify()]
    with connection.cursor() as cursor:
        cursor.execute(STANDING)
        rows = cursor.fetchall()
    found += [wrong for row in rows if (wrong := miscounted(*row))]
    return found + unsettled()


def miscounted(
    key: UUID,
    needed: int,
    reason: str,
    verdicts: list[str] | None,
    by_seniors: int,
    asked_again: bool,
    answered_elsewhere: bool,
) -> str:
    """Why a closed request was not answered the needed number of times: by so many who agree, or by one senior in the
    end. What another request's answer answered too needs none of its own; nor does one whose answer was taken back
    when the same was being asked again.
    """
    said = verdicts or []
    if asked_again or (answered_elsewhere and reason == Reason.UNCERTAIN):
        return ""
    if by_seniors == 1 or (not by_seniors and len(said) == needed and len(set(said)) == 1):
        return ""
    return f"answered {said}, {by_seniors} of them by seniors, where {needed} were needed: {key} ({reason})"


def unsettled() -> list[str]:
    """Images that are not where the last word on them puts them."""
    last = Effect.objects.filter(state=EffectState.APPLIED, decision__verdict__in=("approve", "block"))
    wrong = []
    for image in Submission.objects.all():
        if image.status == Status.IN_REVIEW:
            wrong.append(f"still in review: {image.pk}")
        elif not last.filter(submission=image).exists():
            wrong.append(f"settled by nobody: {image.pk}")
    return wrong
