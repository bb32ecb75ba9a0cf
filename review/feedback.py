"""What people decided, in effect and settled: what classifiers learn from. As rows and files: `review.labels`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.db.models import QuerySet

from moderation.actors import Actor
from moderation.models import Reason, Status, TriagePlan, User
from moderation.policies import parsed
from moderation.triage.scoring import pinned
from review.labels.queries import NothingToExport, Query
from review.models import Decision, EffectState, Verdict

if TYPE_CHECKING:
    from classifiers import manifests

DECISIVE = (Verdict.APPROVE, Verdict.BLOCK)


def decisive() -> QuerySet[Decision]:
    """Decisions in effect that say yes or no about an image people may still use, and settled it."""
    return voiced().filter(effect__settles=True)


def voiced() -> QuerySet[Decision]:
    """The same with the votes that others agreed with, or did not. Answers to gold items are none of them."""
    said = Decision.objects.filter(verdict__in=DECISIVE, effect__state=EffectState.APPLIED)
    return said.exclude(submission__status=Status.QUARANTINED).exclude(claim__request__reason=Reason.GOLD)


def default_backbone() -> str:
    """The backbone that the plan in force looks through; "" when none yields embeddings."""
    published = TriagePlan.objects.in_force()
    if published is None:
        return ""
    for version in pinned(parsed(published)):
        eyes = version.backbone or version
        if eyes.embedding_size:
            return eyes.ref
    return ""


def export(out: Path, *, query: Query, format: str, actor: Actor, person: User | None = None) -> manifests.Manifest:
    """As `review.labels.writing.export`, which loads pyarrow: 40 MiB that the web process does without."""
    from review.labels.writing import export as write

    return write(out, query=query, format=format, actor=actor, person=person)


__all__ = ["NothingToExport", "Query", "decisive", "default_backbone", "export", "voiced"]
