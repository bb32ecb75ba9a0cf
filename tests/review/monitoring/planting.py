"""Months of a watched desk without its images: days of audits, drift that creeps in, and what the worker read of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final

from moderation.guarantees.drifting import EDGES, stability
from moderation.models import Reading
from review.estimates.tallies import Seen, Tally
from review.models import AuditTally, QualityRollup
from review.monitoring import looking

GENERATORS: Final = ("Brushstroke XL", "Chisel", "Camera Obscura")
SHAPE: Final = (0.34, 0.21, 0.16, 0.11, 0.08, 0.03, 0.02, 0.02, 0.015, 0.007, 0.005, 0.003)


def plant(now: datetime, ref: str, codes: Sequence[str], clients: Sequence[str], *, days: int = 80) -> None:
    """Afterwards the tables that monitoring shows are as if the worker had looked for that long."""
    chance, today = Random(17), now.date()
    for back in range(days, -1, -1):
        day = today - timedelta(days=back)
        groups = ["", *(f"client:{key}" for key in clients), *(f"generator:{name}" for name in GENERATORS)]
        AuditTally.objects.bulk_create(
            [
                AuditTally(day=day, group=group, counts=judged(chance, codes, share).dump(), waiting=at == 0 == back)
                for at, (group, share) in enumerate(zip(groups, (1.0, 0.7, 0.3, 0.5, 0.3, 0.2), strict=False))
            ],
            ignore_conflicts=True,
        )
        creep = max(0.0, 1 - back / 25)
        looking.keep(read(chance, ref, codes, creep), now - timedelta(days=back))
    QualityRollup.objects.bulk_create(
        [
            QualityRollup(
                day=today - timedelta(days=back),
                measure="overturned",
                counts={"again": chance.randint(2, 6), "overturned": chance.randint(0, 1)},
            )
            for back in range(days, -1, -2)
        ],
        ignore_conflicts=True,
    )


def judged(chance: Random, codes: Sequence[str], share: float) -> Tally:
    """One day."""
    tally = Tally()
    tally.count("approve", "", round(1400 * share))
    tally.count("review", "", round(60 * share))
    for _image in range(round(30 * share)):
        missed = chance.random() < 0.012
        tally.add(Seen("approve", "", chance.choice((0.02, 0.05)), missed, {chance.choice(codes)}))
    for _image in range(round(58 * share)):
        tally.add(Seen("review", "", 1.0, chance.random() < 0.3, {chance.choice(codes)}))
    for code in codes:
        tally.count("block", code, round(16 * share))
        for _image in range(round(5 * share)):
            tally.add(Seen("block", code, 0.3, chance.random() < 0.93, {code}))
    return tally


def read(chance: Random, ref: str, codes: Sequence[str], creep: float) -> list[Reading]:
    """The first category drifts as `creep` goes from 0 to 1."""
    found = []
    for at, code in enumerate(codes):
        moved = 0.16 * creep if at == 0 else 0.012 * chance.random()
        after = [SHAPE[0] - 2 * moved * SHAPE[0], *SHAPE[1:7], *(one + moved / 8 for one in SHAPE[7:])]
        after = [one / sum(after) for one in after]
        psi = stability(SHAPE, after)
        known: dict[str, Any] = {"reference": ref, "before": 2000, "n": 5000, "of": 500, "line": 0.25}
        middles = [0.0005, *EDGES]
        means = {
            f"mean{when}": sum(a * b for a, b in zip(shares, middles, strict=True))
            for when, shares in (("_before", SHAPE), ("", after))
        }
        level = "act" if psi >= 0.25 else "watch" if psi >= 0.1 else "usual"
        bins = {"bins": list(SHAPE), "newest": after}
        found.append(
            Reading(measure="psi", subject=ref, key=code, value=psi, level=level, figures={**known, **bins, **means})
        )
        found.append(
            Reading(measure="ks", subject=ref, key=code, value=psi / 2, level="usual", figures={"p_value": 0.01})
        )
    told = 0.5 + 0.14 * creep
    level = "watch" if told >= 0.55 else "usual"
    tested = {"n": 500, "before": 500, "p_value": 0.0005 if creep > 0.3 else 0.4}
    found += [
        Reading(measure="mmd", subject=ref, value=0.0001 + 0.002 * creep, level=level, figures=tested),
        Reading(measure="c2st", subject=ref, value=told, level=level, figures=tested),
        Reading(measure="shares", value=0.05 + 0.3 * creep, level=moved_level(creep), figures=shares(creep)),
        Reading(
            measure="overturn",
            value=0.8,
            level="usual",
            figures={"n": 160, "of": 20, "since": str(date(2026, 1, 5)), "before": 0.1, "after": 0.13, "line": 20},
        ),
    ]
    if creep > 0.2:
        new = {"reference": "", "n": round(1000 * creep), "mean": 0.2, "line": 0.05}
        found.append(Reading(measure="unseen", key="Chisel 3.1", value=0.2 * creep, level="act", figures=new))
    return found


def moved_level(creep: float) -> str:
    return "act" if creep > 0.7 else "watch" if creep > 0.2 else "usual"


def shares(creep: float) -> dict[str, Any]:
    rows = [
        ("Brushstroke XL 1.4", 0.52, 0.52 - 0.18 * creep, 0.11, 0.12),
        ("Chisel 3.0", 0.3, 0.3 - 0.1 * creep, 0.08, 0.08),
        ("Camera Obscura 2", 0.12, 0.12 + 0.05 * creep, 0.05, 0.09),
        ("", 0.06, 0.06 + 0.03 * creep, 0.1, 0.1),
        ("Chisel 3.1", 0.0, 0.2 * creep, None, 0.2),
    ]
    return {
        "reference": "",
        "before": 2000,
        "n": 5000,
        "of": 500,
        "line": 0.25,
        "further": 0,
        "rows": [
            {"generator": a, "share_before": b, "share": c, "n": round(5000 * c), "mean_before": d, "mean": e}
            for a, b, c, d, e in rows
        ],
    }
