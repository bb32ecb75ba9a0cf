"""A day's counts for the quality pages, made by the worker. They add up: what a page says of a month is worked out from
the sums of its days.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from moderation.models import Reason
from review.models import Decision, Effect, GoldTurn, Measure, QualityRollup, Verdict
from review.quality import gathering, gold
from review.quality.gathering import SAID, Said
from review.quality.observers import dawid_skene
from review.queue import ESCALATED

DAYS: Final = 3  # made again each time: what was undone or sent back meanwhile counts no more
EXAMPLES: Final = 40
SKILL_DAYS: Final = 28
MOST_VOTES: Final = 20_000
SMOOTHING: Final = 1.0

Key = tuple[str, str, UUID | None]  # measure, category, person


@dataclass
class Sums:
    """What one day's rows will say."""

    counts: dict[Key, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    examples: dict[Key, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, key: Key, amounts: dict[str, float], example: UUID | None = None) -> None:
        for name, amount in amounts.items():
            self.counts[key][name] += amount  # type: ignore[assignment] # weights are no whole numbers
        if example is not None:
            self.examples[key].append(str(example))

    def rows(self, day: date) -> list[QualityRollup]:
        return [
            QualityRollup(
                day=day,
                measure=measure,
                category=category,
                person_id=person,
                counts=dict(counts),
                examples=self.examples[measure, category, person][-EXAMPLES:],
            )
            for (measure, category, person), counts in self.counts.items()
        ]


def roll_up(*, days: int = DAYS) -> int:
    """Afterwards the rows of the last days, and everybody's estimated skill as of today, say what stands. Returns the
    number of rows.
    """
    today = timezone.now().date()
    made = sum(roll_up_day(today - timedelta(days=back)) for back in range(days))
    return made + estimate(today)


@transaction.atomic
def roll_up_day(day: date) -> int:
    lock()
    sums = Sums()
    for said in gathering.images(day):
        of_image(sums, said, day)
    for turn in answered(day):
        of_turn(sums, *turn)
    return replace(day, sums.rows(day), measures=[one for one in Measure if one is not Measure.SKILL])


def replace(day: date, rows: Sequence[QualityRollup], *, measures: Iterable[Measure]) -> int:
    QualityRollup.objects.filter(day=day, measure__in=list(measures)).delete()
    return len(QualityRollup.objects.bulk_create(rows))


def lock() -> None:
    """Two workers at the same rows would trip over each other's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('loupe.quality'))")


def of_image(sums: Sums, said: Sequence[Said], day: date) -> None:
    votes = gathering.votes_of(said)
    # Counted on the day it was first rated twice, and never again.
    if len(votes) > 1 and votes[1].at.date() == day:
        agreement(sums, votes)
    settled = gathering.settling(said)
    if settled is not None and settled.at.date() == day:
        reference(sums, votes, settled)
        overturned(sums, said, settled)
        adjudicated(sums, said, settled)
    for one in said:
        if one.reason == Reason.AUDIT_SAMPLE and one.settles and one.at.date() == day:
            automation(sums, one)


def agreement(sums: Sums, votes: Sequence[Said]) -> None:
    named = {category for vote in votes for category in vote.severities} | {vote.category for vote in votes}
    for category in {"", *named}:
        values = sorted(vote.severity(category) for vote in votes)
        example = votes[0].submission if min(values) == 0 < max(values) else None
        sums.add((Measure.VOTES, category, None), {" ".join(map(str, values)): 1}, example)


def reference(sums: Sums, votes: Sequence[Said], settled: Said) -> None:
    for vote in votes:
        if vote.reviewer != settled.reviewer:
            cell = cell_of(wanted=settled.harmful, said=vote.harmful)
            example = vote.submission if cell in {"fn", "fp"} else None
            sums.add((Measure.REFERENCE, "", vote.reviewer), {cell: 1}, example)


def cell_of(*, wanted: bool, said: bool) -> str:
    return ("tp" if said else "fn") if wanted else ("fp" if said else "tn")


def overturned(sums: Sums, said: Sequence[Said], settled: Said) -> None:
    earlier = [one for one in said if one.settles and one.reviewer != settled.reviewer and one.at < settled.at]
    if not earlier:
        return
    first = earlier[-1]
    changed = first.verdict != settled.verdict
    category = max(first.severities, key=first.severities.__getitem__, default=first.category)
    for code in {"", category}:
        example = settled.submission if changed else None
        sums.add((Measure.OVERTURNED, code, None), {"again": 1, "overturned": int(changed)}, example)


def adjudicated(sums: Sums, said: Sequence[Said], settled: Said) -> None:
    votes = [one for one in said if one.request == settled.request and not one.settles]
    if settled.independent or len({vote.verdict for vote in votes}) < 2:
        return
    for code in {"", settled.category}:
        sums.add((Measure.ADJUDICATED, code, None), {"n": 1, settled.verdict.value: 1}, settled.submission)


def automation(sums: Sums, one: Said) -> None:
    """By Hájek's ratio: each audit sample stands for as many images as its lot was worth. The lot's chance was stored
    at triage.
    """
    if one.route not in {"approve", "block"}:
        return
    wrong = one.harmful if one.route == "approve" else not one.harmful
    weight = 1 / one.chance
    amounts = {"n": 1, "wrong": int(wrong), "w": weight, "w_wrong": weight * wrong, "w2": weight**2}
    amounts["w2_wrong"] = weight**2 * wrong
    for code in {"", one.category}:
        example = one.submission if wrong else None
        sums.add((Measure.AUTOMATION, code, None), {f"{one.route}_{name}": v for name, v in amounts.items()}, example)


def answered(day: date) -> Iterable[tuple[GoldTurn, Decision]]:
    """Turns whose standing answer came on that day."""
    start, end = gathering.span(day)
    found = Decision.objects.filter(
        decided_at__gte=start,
        decided_at__lt=end,
        verdict__in=SAID,
        claim__request__reason=Reason.GOLD,
        effect__state__in=Effect.STANDING,
    )
    for decision in found.select_related("claim__request__gold_turn__item").order_by("id"):
        if turn := getattr(decision.claim.request, "gold_turn", None):
            yield turn, decision


def of_turn(sums: Sums, turn: GoldTurn, decision: Decision) -> None:
    wanted = turn.item.verdict == Verdict.BLOCK
    right = gold.is_right(turn.item, decision.verdict, decision.labels)
    cell = cell_of(wanted=wanted, said=wanted if right else not wanted)
    for person in (decision.reviewer_id, None):
        key = (Measure.GOLD, turn.item.category, person)
        sums.add(key, {cell: 1}, None if right else decision.submission_id)


@transaction.atomic
def estimate(today: date) -> int:
    """Everybody's error rates by Dawid and Skene's model, of what several people judged in the last weeks: harmful or
    not. Each of the two rows has one vote more in each cell than was given (Laplace).
    """
    lock()
    votes = recent_votes(today)
    if not votes:
        return replace(today, [], measures=[Measure.SKILL])
    found = dawid_skene(votes, smoothing=SMOOTHING, tolerance=1e-6, most_steps=500)
    given = Counter[Hashable](reviewer for _unit, reviewer, _said in votes)
    rows = [
        QualityRollup(
            day=today,
            measure=Measure.SKILL,
            person_id=UUID(str(reviewer)),
            counts={
                "votes": given[reviewer],
                "sensitivity": table.get(True, {}).get(True),
                "specificity": table.get(False, {}).get(False),
            },
        )
        for reviewer, table in found.confusions.items()
    ]
    QualityRollup.objects.filter(measure=Measure.SKILL, day__lt=today - timedelta(days=SKILL_DAYS)).delete()
    return replace(today, rows, measures=[Measure.SKILL])


def recent_votes(today: date) -> list[tuple[UUID, UUID, bool]]:
    """Of images that two people at least judged independently, the latest MOST_VOTES."""
    since, _end = gathering.span(today - timedelta(days=SKILL_DAYS))
    rows = (
        Decision.objects.filter(decided_at__gte=since, verdict__in=SAID, effect__state__in=Effect.STANDING)
        .exclude(claim__request__reason=Reason.GOLD)
        .exclude(effect__queue=ESCALATED)
        .filter(claim__request__needed__gt=1)
        .order_by("-id")
        .values_list("submission_id", "reviewer_id", "verdict")[:MOST_VOTES]
    )
    votes = [(unit, reviewer, verdict != Verdict.APPROVE) for unit, reviewer, verdict in rows]
    judged = Counter(unit for unit, _reviewer, _said in votes)
    return [vote for vote in votes if judged[vote[0]] > 1]
