"""A desk that people have worked at for weeks, so that pictures show filled pages: `python -m tests.lived`.

What is said of images goes through the product's own verbs. Of the weeks before, only sums are made up: minutes of
exposure, and the counts that the quality pages read. For the demo desk of `tests.screens` alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final

import django
from django.core.management import call_command
from django.db import transaction

from config import embedded
from tests.learnt import learn

if TYPE_CHECKING:
    from moderation.models import Submission, User

COLLEAGUES: Final = ("rita-torres", "noor-haddad", "lena-vogel")
CODES: Final = ("WEAPONS_DANGEROUS", "PRIVACY", "REGULATED", "IMPERSONATION_FRAUD")
WEEKS: Final = 10
NOTES: Final = (
    "Looks like a real document under the sticker; I cannot tell. @demo-senior, could you zoom in?",
    "The logo may belong to a bank. The guideline does not name parodies.",
    "A toy, I think, but it is pointed at somebody.",
    "Same author as this morning; please look at the batch as a whole.",
)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    with embedded.unless_given():
        django.setup()
        call_command("migrate", verbosity=0)  # the house may be older than the code
        with transaction.atomic():  # whole or not at all: the next run begins where this one did
            live()
        hold()
        learn()


def live() -> None:
    """Once: a second call changes nothing."""
    from moderation.models import User
    from review.models import GoldItem

    if GoldItem.objects.exists():
        return
    moderator = User.objects.get(username="demo-moderator")
    senior = User.objects.get(username="demo-senior")
    team = [colleague(name) for name in COLLEAGUES]
    examine(senior)
    meet(senior, [moderator, senior, *team])
    work(senior, team)
    look_back(moderator)
    count_back([moderator, senior, *team])
    watch_back()


def colleague(name: str) -> User:
    from moderation import roles
    from moderation.models import User
    from moderation.roles import Role

    user = User.objects.create_user(username=name)
    roles.grant(user, Role.MODERATOR)
    return user


def settled() -> Iterator[tuple[Submission, str]]:
    """Images that are decided, and the category each truly violates, or ""."""
    from config.demo import stream
    from moderation.models import Status, Submission

    rows = Submission.objects.filter(status__in=[Status.APPROVED, Status.BLOCKED], external_id__startswith="scene-")
    for row in rows.order_by("id")[:120]:
        yield row, next(iter(sorted(stream.truth(row.external_id or ""))), "")


def labelled(code: str, severity: int = 2) -> list[dict[str, Any]]:
    return [{"category": code, "severity": severity}]


def examine(senior: User) -> None:
    """Gold items, harmful and harmless."""
    from review.quality import gold

    wanted = dict.fromkeys(CODES, 2)
    harmless = list(CODES)
    for row, code in settled():
        if wanted.get(code, 0):
            wanted[code] -= 1
            why = "The rule names it, and nothing in the image excuses it."
            gold.add(row, senior, verdict="block", labels=labelled(code), category=code, why=why)
        elif not code and harmless:
            like = harmless.pop()
            why = "Plainly invented, and nobody is harmed: an allowed example of the guideline."
            gold.add(row, senior, verdict="approve", labels=[], category=like, why=why)


def meet(senior: User, people: list[User]) -> None:
    """One calibration session closed, one open."""
    from review.quality import sessions

    rows = [row for row, _code in settled()][-10:]
    for title, part, answered in (("Cards and documents", rows[:4], 4), ("Toys or weapons?", rows[4:], 2)):
        session = sessions.start(senior, title=title, submissions=[one.pk for one in part], people=people)
        for at, item in enumerate(session.items.order_by("position")):
            for who, voter in enumerate(people[:answered]):
                bad = (at + who) % 3 == 0
                labels = labelled("PRIVACY") if bad else []
                sessions.vote(item, voter, verdict="block" if bad else "approve", labels=labels)
        if answered == 4:
            sessions.close(session, senior)


def work(senior: User, team: list[User]) -> None:
    """Handed up, held for a second person, decided, and still in colleagues' hands."""
    from config.demo import stream
    from review.decisions import decide
    from review.queue import claim

    first, second = team[:2]
    for one, note in zip(claim(first, "general", 4), NOTES, strict=False):
        decide(one.pk, first, verdict="escalate", note=note, seen={"revealed": True, "seconds": 9})
    words = "The clause names exactly this, large and in the middle; nothing in the image excuses it."
    for one in claim(second, "general", 10):
        truth = sorted(stream.truth(one.request.submission.external_id or ""))
        verdict, labels = ("block", labelled(truth[0], 3)) if truth else ("approve", [])
        decide(one.pk, second, verdict=verdict, labels=labels, rationale=words if truth else "")
    for number, one in enumerate(claim(senior, "general", 6)):
        bad = number % 3 == 1
        decide(one.pk, senior, verdict="block" if bad else "approve", labels=labelled("PRIVACY") if bad else [])


def hold() -> None:
    """Colleagues are at work too: their leases are short, so this is said anew each time."""
    from moderation.models import User
    from review.queue import claim

    for name, number in zip(COLLEAGUES, (2, 1, 3), strict=True):
        claim(User.objects.get(username=name), "general", number)


def look_back(person: User) -> None:
    """Four weeks of a person's minutes, weekends off, and a part of this shift."""
    from review.models import Exposure

    chance, now = Random(28), datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    weights = (0.25, 1, 2, 4, 8)
    for back in range(27):
        hour = now - timedelta(hours=2, days=back)
        if hour.weekday() > 4 and back:
            continue
        for severity, minutes in enumerate((22, 14, 9, 2.5, 0)):
            seconds = round(60 * minutes * chance.uniform(0.5, 1.3))
            Exposure.objects.get_or_create(
                reviewer=person,
                hour=hour,
                severity=severity,
                defaults={
                    "looks": seconds // 7,
                    "seconds": seconds,
                    "weighted": seconds * weights[severity],
                },
            )


def count_back(people: list[User]) -> None:
    """What weeks of checks would have counted, of the team and of each person."""
    from review.models import Measure, QualityRollup

    chance, today = Random(4), datetime.now(UTC).date()
    rows = []

    def add(
        day: Any, measure: Measure, counts: dict[str, float], category: str = "", person: User | None = None
    ) -> None:
        rows.append(QualityRollup(day=day, measure=measure, category=category, person=person, counts=counts))

    for week in range(WEEKS):
        day = today - timedelta(days=7 * week + 5)
        for category, harm in (("", 20), *((code, 6) for code in CODES)):
            add(day, Measure.VOTES, votes(chance, harm), category)
        for person in people:
            right = chance.randint(8, 14)
            add(day, Measure.REFERENCE, {"tp": right, "fn": chance.randint(0, 2), "tn": 3 * right, "fp": 1}, "", person)
            for code in CODES:
                answers = {"tp": chance.randint(2, 4), "fn": chance.randint(0, 1), "tn": 5, "fp": chance.randint(0, 1)}
                add(day, Measure.GOLD, dict(answers), code, person)
        for code in CODES:
            add(day, Measure.GOLD, {"tp": 14, "fn": 2, "tn": 25, "fp": 2}, code)
        add(day, Measure.OVERTURNED, {"again": 24, "overturned": chance.randint(1, 3)})
        add(day, Measure.ADJUDICATED, {"n": 9, "block": 5, "approve": 4})
        counts = {"approve_n": 90, "approve_wrong": chance.randint(0, 2), "block_n": 12, "block_wrong": week % 2}
        add(day, Measure.AUTOMATION, counts | weighed(counts))
    for person in people:
        skill = {"votes": 400.0, "sensitivity": chance.uniform(0.88, 0.97), "specificity": chance.uniform(0.94, 0.99)}
        add(today - timedelta(days=4), Measure.SKILL, skill, "", person)
    QualityRollup.objects.bulk_create(rows, ignore_conflicts=True)


def watch_back() -> None:
    """What monitoring would have read of those weeks."""
    from django.utils import timezone

    from moderation.models import Client, TriagePlan
    from tests.review.monitoring.planting import plant

    plan = TriagePlan.objects.in_force()
    clients = [str(key) for key in Client.objects.values_list("pk", flat=True)[:2]]
    plant(timezone.now(), plan.body["classifiers"][0] if plan else "", CODES, clients)


def votes(chance: Random, harm: int) -> dict[str, float]:
    split = chance.randint(0, max(1, harm // 5))
    return {"0 0": 4 * harm, "2 2": harm, "1 2": split, "0 2": chance.randint(1, 1 + harm // 6)}


def weighed(counts: dict[str, int]) -> dict[str, float]:
    """Each sample stands for twenty images."""
    return {
        f"{route}_{name}": counts[f"{route}_{of}"] * times
        for route in ("approve", "block")
        for name, of, times in (("w", "n", 20.0), ("w_wrong", "wrong", 20.0), ("w2", "n", 400.0))
    }


if __name__ == "__main__":
    main()
