"""What became of what machines settled by a version's word: audited by lot, and overturned or not, by declared group.

Only answers to the audit lot count, each weighted by the chance that triage stored: what users report or appeal is no
lot, and would tell of who complains. A version in the shadow or on labels alone has settled nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.utils import timezone

from moderation.models import Reason, Status
from review.estimates import shares
from review.evaluations.declaring import UNDECLARED, Declared, declared
from review.models import Decision, EffectState, Verdict
from review.outlook import first_key

if TYPE_CHECKING:
    from classifiers.models import ClassifierVersion

SPAN: Final = timedelta(days=90)
MOST: Final = 100_000
LEAST: Final = 20
"""Audits below which a group is only counted, as for labels."""
ROUTES: Final = ("approve", "block")
COLUMNS: Final = ("submission_id", "verdict", "submission__route", "submission__inclusion_probability")


def overturned(version: ClassifierVersion, by: Sequence[str], *, now: datetime | None = None) -> dict[str, Any] | None:
    """Of what machines approved or blocked under plans that pinned it, in the last SPAN, the share that people said the
    opposite of: over all and by group, with 95 % intervals. None where nothing of it was audited. A few queries.
    """
    now = now or timezone.now()
    since = now - SPAN
    seen = dict(answers(version, since))
    if not seen:
        return None
    by = [name for name in by if name != "seen"]
    said = declared(list(seen), by)
    overall = {"by": "", "group": "", **counted(list(seen.values()))}
    groups = [line for name in by for line in grouped(name, seen, said)]
    return {"since": since.isoformat(), "until": now.isoformat(), "groups": [overall, *groups]}


def answers(version: ClassifierVersion, since: datetime) -> Iterator[tuple[UUID, tuple[float, bool]]]:
    """By image, the chance of its audit and whether it was overturned; the newest MOST, oldest answer first."""
    found = Decision.objects.filter(
        pk__gte=first_key(since),
        claim__request__reason=Reason.AUDIT_SAMPLE,
        effect__settles=True,
        effect__state=EffectState.APPLIED,
        verdict__in=[Verdict.APPROVE, Verdict.BLOCK, Verdict.QUARANTINE],
        submission__route__in=ROUTES,
        submission__inclusion_probability__gt=0,
        submission__heard__contains=[version.ref],
        submission__plan__body__classifiers__contains=[version.ref],
    ).exclude(submission__status=Status.QUARANTINED)
    for key, verdict, route, chance in reversed(found.order_by("-pk").values_list(*COLUMNS)[:MOST]):
        yield key, (chance, (verdict == Verdict.APPROVE) != (route == "approve"))


def grouped(name: str, seen: dict[UUID, tuple[float, bool]], said: Declared) -> Iterator[dict[str, Any]]:
    """The most frequent values first; what nobody declared belongs to no group."""
    values: dict[str, list[tuple[float, bool]]] = {}
    for key, one in seen.items():
        for value in said.values.get(key, {}).get(name, ()):
            values.setdefault(value, []).append(one)
    for value in sorted(values, key=lambda value: (-len(values[value]), value)):
        if value != UNDECLARED:
            yield {"by": name, "group": value, **counted(values[value])}


def counted(rows: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    """A group that is too small has counts and no share."""
    found = shares.share(shares.Sums.of(rows))
    known = found.n >= LEAST
    limits = {"value": found.value, "low": found.low, "high": found.high}
    return {"n": found.n, "overturned": found.hits, **(limits if known else dict.fromkeys(limits))}
