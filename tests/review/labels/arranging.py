"""How the tests of labels arrange decided images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from classifiers import manifests
from moderation.actors import Actor
from moderation.models import Client, Submission, User
from review import queue
from review.decisions import decide
from review.exports import asking, running
from review.labels.queries import Query
from review.labels.writing import export
from review.models import Export
from tests import world

RED: Final = [{"category": "WEAPONS_DANGEROUS", "severity": 2}]
APPROVE: Final[Mapping[str, Any]] = {"verdict": "approve"}
BLOCK: Final[Mapping[str, Any]] = {"verdict": "block", "labels": RED}
FREE: Final = {"licence": "CC-BY-4.0", "consent_basis": "terms of use"}


def decided(
    platform: Client, reviewer: User, seed: int, said: Mapping[str, Any] = APPROVE, **fields: Any
) -> Submission:
    """An uncertain image that a person decided on; each seed is another picture."""
    fields.setdefault("context", FREE)
    submission = world.triaged(platform, world.png(red=0.5, seed=seed), **fields)
    (claim,) = queue.claim(reviewer, queue.GENERAL, 1)
    assert claim.request.submission_id == submission.pk
    decide(claim.pk, reviewer, **said)
    return submission


def exported(out: Path, format: str = "parquet", kind: str = "labels", **query: Any) -> manifests.Manifest:
    export(out, query=Query(**query), format=format, kind=kind, actor=Actor.command("test"))
    return manifests.read(out)


def rows(manifest: manifests.Manifest) -> Sequence[dict[str, Any]]:
    found: list[dict[str, Any]] = manifest.table.to_pylist()
    return found


def made(person: User, *, format: str = "parquet", kind: str = "labels", **query: Any) -> Export:
    """Asked for, and worked off."""
    row = asking.ask(person, query=Query(**query), kind=kind, format=format)
    running.work_off(row.pk)
    row.refresh_from_db()
    return row
