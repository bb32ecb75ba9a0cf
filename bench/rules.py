"""Rules: what fifty of them cost an image, the worst that may be written, and authors' history as the archive grows.

.venv/bin/python -m bench.rules
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import psycopg

from bench import backlog
from bench.harness import django_on_own_services, emit, machine
from bench.rescore import superuser_url

if TYPE_CHECKING:
    from moderation.models import Submission

CONDITIONS: Final = (
    'prompt.contains("uniform") && scores.NUDITY >= 0.31',
    'generator.name.startsWith("SD") && scores.VIOLENCE_GORE > 0.2',
    '"DE" in territories && scores.HATE > 0.1',
    'audience == "teen" && scores.SEX_EXPLICIT + scores.NUDITY > 0.2',
    'prompt.matches("(?i)\\\\bguns?\\\\b")',
    "author.strikes >= 3 || author.volume_24h > 200",
    "image.width < 128",
    'matches.exists(m, m.contains("hot"))',
    "has(context.draft) && context.draft == true",
    'surface == "feed" && scores.WEAPONS_DANGEROUS > 0.4',
)
WORST: Final = (
    'prompt.matches("(x+x+)+y") || prompt.matches("((x{1,30}){1,30})y")',
    "context.list.exists(x, x == 1 && surface.contains('xxy'))",
)
RULES: Final = 50
ROUNDS: Final = 2000
AUTHORS: Final = 32  # a batch
SMALL, LARGE = 10_000, 300_000


def main() -> None:
    with django_on_own_services() as folder:
        backlog.house()
        conditions()
        rows = busy_authors()
        with psycopg.connect(superuser_url(folder), autocommit=True) as connection:
            backlog.grow(connection, start=0, stop=SMALL)
            small = history(rows)
            backlog.grow(connection, start=SMALL, stop=LARGE)
            large = history(rows)
    params = {"batch": AUTHORS, "looked_back": 500, **machine()}
    emit("rules", "rules.history_ms", large, "ms", n=LARGE, params=params)
    emit("rules", "rules.history_scale", large / small, "ratio", n=LARGE, params={**params, "small": SMALL})


def conditions() -> None:
    from moderation.models import Submission
    from moderation.routing import Evidence
    from moderation.rules.facts import Case
    from moderation.rules.sets import Rule, RuleSet
    from moderation.taxonomy import Category

    fifty = RuleSet.read([Rule(f"rule {n}", CONDITIONS[n % len(CONDITIONS)], "review") for n in range(RULES)])
    worst = RuleSet.read([Rule(when, when, "review") for when in WORST])
    row = Submission(
        prompt=backlog.PROMPT, generator={"name": "SD XL"}, territories=["DE", "FR"], width=640, height=480, byte_size=3
    )
    usual = Case(row, [Evidence("eyes@1", {code.value: 0.1 for code in Category})])
    long = Case(Submission(prompt="x" * 20_000, context={"list": [1] * 9_000}, surface="x" * 100), [])
    params = {"rules": RULES, **machine()}
    emit("rules", "rules.us_per_image", 1e6 * timed(lambda: fifty.judge(usual)), "us", n=ROUNDS, params=params)
    emit("rules", "rules.worst_ms", 1e3 * timed(lambda: worst.judge(long), rounds=20), "ms", n=20, params=machine())


def busy_authors() -> list[Submission]:
    """One image each of a batch of authors who sent six hundred."""
    from django.utils import timezone

    from moderation.models import Client, Status, Submission

    client, at = Client.objects.get(), timezone.now() - timedelta(minutes=1)
    rows = [
        Submission(
            client=client,
            author_ref=f"busy-{n % AUTHORS}",
            status=Status.APPROVED,
            settled_at=at,
            triage_after=at,
            byte_size=1,
            width=1,
            height=1,
        )
        for n in range(AUTHORS * 601)
    ]
    Submission.objects.bulk_create(rows, batch_size=2000)
    return rows[-AUTHORS:]


def history(rows: list[Submission]) -> float:
    """Milliseconds for a batch."""
    from moderation.rules.history import of_authors

    return 1e3 * timed(lambda: of_authors(rows), rounds=50)


def timed(work: Callable[[], object], *, rounds: int = ROUNDS) -> float:
    """Median seconds of one."""
    taken = []
    for _round in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
