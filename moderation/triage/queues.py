"""Which workers may triage: those on the queue `gpu` alone, when the plan in force pins what needs a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from moderation.models import TriagePlan
from moderation.policies import parsed
from moderation.triage.scoring import pinned

if TYPE_CHECKING:
    from classifiers.models import ClassifierVersion

Queue = Literal["triage", "gpu"]
QUEUES: Final[tuple[Queue, ...]] = ("triage", "gpu")


def queue_in_force() -> Queue:
    published = TriagePlan.objects.in_force()
    versions = pinned(parsed(published)) if published else ()
    return "gpu" if any(needs_gpu(version.backbone or version) for version in versions) else "triage"


def needs_gpu(version: ClassifierVersion) -> bool:
    """Its card says `device = "cuda"`. One that merely makes use of a GPU where there is one does not say so."""
    return bool(version.card.get("device") == "cuda")
