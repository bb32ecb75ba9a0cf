"""What people decided, as labels to learn from: the rows of the label manifest.

An approval says that nothing the classifiers look for is there: label 0 for every category scored. A block says what is
there: label 1 for the categories named, and nothing about the others, which the reviewer did not judge. What is under
legal hold, or names a category nobody may train on, never appears.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from classifiers.models import ClassifierVersion
from moderation import audit
from moderation.actors import Actor
from moderation.models import Embedding, Finding, Reason, Status, Submission, TriagePlan, User
from moderation.policies import parsed
from moderation.taxonomy import UNTRAINABLE
from moderation.triage.scoring import pinned
from review.cases import plan_of
from review.models import Dataset, Decision, EffectState, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifiers import manifests

CHUNK = 1000
DECISIVE = (Verdict.APPROVE, Verdict.BLOCK)


class NothingToExport(Exception):
    """No decision yields a label under this query. Let people decide first, or widen the query."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which labels: of decisions since a moment, of one category. `backbone`: whose embeddings go along, by
    name@version.
    """

    since: datetime | None = None
    category: str = ""
    backbone: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "since": self.since.isoformat() if self.since else None,
            "category": self.category,
            "backbone": self.backbone,
        }


@dataclass(frozen=True, slots=True)
class Judged:
    """A submission with people's decisions on it, newest first: those that settled it, and votes that counted towards
    one.
    """

    submission: Submission
    decisions: Sequence[Decision]
    probabilities: Mapping[str, float] = field(default_factory=dict)
    classifiers: Sequence[str] = ()

    @property
    def latest(self) -> Decision:
        """The last that settled it."""
        return next(one for one in self.decisions if one.effect.settles)

    def agreeing(self, category: str) -> int:
        """How many of the decisions say of this category what the latest says."""
        return sum(
            one.verdict == self.latest.verdict and names(one, category) == names(self.latest, category)
            for one in self.decisions
        )

    @property
    def chance(self) -> float | None:
        """That a person saw this image, as stored at triage; None where a draw to learn from chose it and no lot did:
        then it stands for itself alone.
        """
        settling = [one for one in self.decisions if one.effect.settles]
        if self.submission.route != "review" and all(one.claim.request.reason == Reason.LEARNING for one in settling):
            return None
        return self.submission.inclusion_probability or 1.0

    def labels(self) -> dict[str, tuple[int, int]]:
        """Category → (label, severity); empty when this image is nothing to learn from."""
        named = {one["category"]: int(one["severity"]) for one in self.latest.labels}
        if UNTRAINABLE & named.keys():
            return {}
        if self.latest.verdict == Verdict.BLOCK:
            return {category: (1, severity) for category, severity in named.items()}
        return {category: (0, 0) for category in self.probabilities if category not in UNTRAINABLE}


def names(decision: Decision, category: str) -> bool:
    return any(one["category"] == category for one in decision.labels)


def decisive() -> QuerySet[Decision]:
    """Decisions in effect that say yes or no about an image people may still use, and settled it."""
    return voiced().filter(effect__settles=True)


def voiced() -> QuerySet[Decision]:
    """The same with the votes that others agreed with, or did not. Answers to gold items are none of them."""
    said = Decision.objects.filter(verdict__in=DECISIVE, effect__state=EffectState.APPLIED)
    return said.exclude(submission__status=Status.QUARANTINED).exclude(claim__request__reason=Reason.GOLD)


def judged(query: Query) -> Iterator[list[Judged]]:
    """Submissions with what people decided and what the classifiers had said, in chunks of bounded memory, by
    submission.
    """
    related = ("submission", "submission__plan", "submission__policy", "policy", "plan", "effect", "claim__request")
    decisions = voiced().select_related(*related)
    if query.since:
        newer = decisive().filter(submission=OuterRef("submission"), decided_at__gte=query.since)
        decisions = decisions.filter(Exists(newer))
    ordered = decisions.order_by("submission_id", "-id").iterator(chunk_size=CHUNK)
    all_groups = (list(group) for _key, group in groupby(ordered, key=lambda one: one.submission_id))
    groups = (group for group in all_groups if any(one.effect.settles for one in group))
    while chunk := list(islice(groups, CHUNK)):
        found = findings_of([group[0].submission for group in chunk])
        yield [Judged(group[0].submission, group, *found.get(group[0].submission_id, ({}, ()))) for group in chunk]


def findings_of(submissions: Sequence[Submission]) -> dict[UUID, tuple[dict[str, float], list[str]]]:
    """Per submission: each category's highest probability at triage, and who spoke; shadows had no say."""
    found: dict[UUID, tuple[dict[str, float], list[str]]] = {}
    plans = {one.pk: plan_of(one.plan_id).classifiers if one.plan_id else () for one in submissions}
    for finding in Finding.objects.filter(submission__in=list(plans)).select_related("classifier").order_by("id"):
        if finding.classifier.ref not in plans[finding.submission_id]:
            continue
        highest, refs = found.setdefault(finding.submission_id, ({}, []))
        refs.append(finding.classifier.ref)
        for category, probability in zip(finding.classifier.categories, finding.probabilities, strict=True):
            highest[category] = max(probability, highest.get(category, 0.0))
    return found


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


def export(
    out: Path, *, query: Query, format: Literal["parquet", "jsonl", "csv"], actor: Actor, person: User | None = None
) -> manifests.Manifest:
    """Write the label manifest into the folder `out` and register it as a Dataset. Raises NothingToExport.

    Two passes over the decisions, neither holding the rows: the first finds near-duplicate clusters, so that no copy
    of a training picture is ever tested on; the second writes. Embeddings go along where the query's backbone has
    looked.
    """
    from classifiers import manifests, splits  # pyarrow: 40 MiB that the web process does without

    names, hashes, embedded = survey(query)
    if not names:
        raise NothingToExport("No decision yields a label under this query.")
    cluster = dict(zip(names, splits.clusters(names, hashes), strict=True))
    vectors = embeddings_of(embedded, backbone=query.backbone) if embedded else None
    reference = {key: index for index, key in enumerate(embedded)}
    manifest = manifests.write(
        label_rows(query, cluster, reference), out, format=format, embeddings=vectors, query=query.as_json()
    )
    with transaction.atomic():
        Dataset.objects.get_or_create(
            fingerprint=manifest.fingerprint,
            defaults={"rows": len(manifest), "query": query.as_json(), "created_by": person},
        )
        audit.record(
            audit.Entry(
                actor, "labels.exported", f"dataset:{manifest.fingerprint}", {"rows": len(manifest), **query.as_json()}
            )
        )
    return manifest


def survey(query: Query) -> tuple[list[str], list[bytes | None], list[UUID]]:
    """Of every image that yields a label: its key, its PDQ hash, and, in order of the file, which have an embedding."""
    names: list[str] = []
    hashes: list[bytes | None] = []
    embedded: list[UUID] = []
    for chunk in judged(query):
        useful = [one.submission for one in chunk if wanted(one, query)]
        names += [str(one.pk) for one in useful]
        hashes += [bytes(one.pdq) if one.pdq is not None else None for one in useful]
        stored = of_backbone(query.backbone).filter(submission__in=[one.pk for one in useful])
        have = set(stored.values_list("submission_id", flat=True))
        embedded += [one.pk for one in useful if one.pk in have]
    return names, hashes, embedded


def wanted(one: Judged, query: Query) -> dict[str, tuple[int, int]]:
    """The labels of this image that the query asks for."""
    return {code: label for code, label in one.labels().items() if query.category in ("", code)}


def of_backbone(ref: str) -> QuerySet[Embedding]:
    return Embedding.objects.filter(backbone__in=ClassifierVersion.objects.with_refs([ref] if ref else []))


def embeddings_of(keys: Sequence[UUID], *, backbone: str) -> Iterator[NDArray[np.float16]]:
    """Vectors in the order of `keys`, a block [≤ 1000, D] at a time."""
    for start in range(0, len(keys), CHUNK):
        block = keys[start : start + CHUNK]
        found = dict(of_backbone(backbone).filter(submission__in=block).values_list("submission_id", "vector"))
        yield np.array([found[key] for key in block], dtype=np.float16)


def label_rows(query: Query, cluster: Mapping[str, str], reference: Mapping[UUID, int]) -> Iterator[manifests.Row]:
    """The rows of the manifest, one an image and category, in the order of the images' keys."""
    for chunk in judged(query):
        # What was decided after the survey is for the next export.
        for one in (one for one in chunk if str(one.submission.pk) in cluster):
            for category, (label, severity) in sorted(wanted(one, query).items()):
                yield label_row(one, category, label, severity, cluster[str(one.submission.pk)], reference)


def label_row(
    one: Judged, category: str, label: int, severity: int, cluster: str, reference: Mapping[UUID, int]
) -> manifests.Row:
    from classifiers import manifests, splits

    row, latest, agreeing = one.submission, one.latest, one.agreeing(category)
    return manifests.Row(
        submission_id=str(row.pk),
        image=row.working,
        sha256=row.sha256,
        pdq=bytes(row.pdq).hex() if row.pdq is not None else None,
        width=row.width,
        height=row.height,
        prompt=row.prompt,
        generator=row.generator.get("name", ""),
        category=category,
        severity=severity,
        label=label,
        source="consensus" if agreeing > 1 else "human",
        reviewers=[str(decision.reviewer_id) for decision in one.decisions],
        agreement=agreeing / len(one.decisions),
        decided_at=latest.decided_at,
        policy_version=str(latest.policy),
        plan_version=str(latest.plan.number) if latest.plan else "",
        classifier_versions=list(one.classifiers),
        probability_at_triage=one.probabilities.get(category),
        inclusion_probability=one.chance,
        weight=1.0 / (one.chance or 1.0),
        cluster_id=cluster,
        split=splits.split_of(cluster),
        embedding_ref=reference.get(row.pk),
        licence=str(row.context.get("licence", "")),
        consent_basis=str(row.context.get("consent_basis", "")),
    )
