"""What a plan's classifiers say, or would say, of images already triaged: from stored findings and embeddings alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from uuid import UUID

import numpy as np

from moderation.models import Embedding, Finding, Submission, TriagePlan
from moderation.policies import parsed
from moderation.routing import Context, Evidence, Plan, Route, route
from moderation.rules.facts import columns
from moderation.rules.sets import RuleSet, Word
from moderation.triage.declared import served
from moderation.triage.ruling import KIND, replayed, rules_of
from moderation.triage.scoring import heads_on, pinned, read

if TYPE_CHECKING:
    from classifiers.base import Shown
    from classifiers.models import ClassifierVersion


def evidence_under(rows: Sequence[Submission], plan: Plan) -> list[list[Evidence]]:
    """Per image, the evidence of every version the plan pins. Two queries a version, whatever the number of images.

    A version that was heard and left no finding had nothing to say. One that never saw an image and has no stored
    embedding to look at is an error on that image: doubt, as in triage. Rules that are newer than an image are worked
    out on what is stored of it.
    """
    versions = {version.ref: version for version in pinned(plan)}
    rules = [ref for ref in plan.classifiers if ref in versions and versions[ref].kind == KIND]
    others = [ref for ref in plan.classifiers if ref not in rules]
    stored = Stored.of(rows, [(ref, versions.get(ref)) for ref in others])
    late = {ref: told(stored, versions[ref]) for ref in rules}
    return [said + [late[ref][at] for ref in rules] for at, said in enumerate(stored.said)]


def replay(rows: Sequence[Submission]) -> list[Route]:
    """What routing makes of triaged images by what is stored alone: the plan each was routed under, what was said of it
    then, and the circumstances. Equal to the route that was taken.
    """
    found: dict[UUID, Route] = {}
    for plan, group in by_plan(rows).items():
        parsed_plan = parsed(plan) if plan else None
        said = evidence_under(group, parsed_plan) if parsed_plan else [[] for _row in group]
        for row, evidence in zip(group, said, strict=True):
            errors: dict[str, str] = row.circumstances.get("errors", {})
            as_heard = [
                Evidence(one.classifier, error=errors[one.classifier]) if one.classifier in errors else one
                for one in evidence
            ]
            found[row.pk] = route(as_heard, parsed_plan, Context.read(row.circumstances, served(row)))
    return [found[row.pk] for row in rows]


def by_plan(rows: Sequence[Submission]) -> dict[TriagePlan | None, list[Submission]]:
    groups: dict[TriagePlan | None, list[Submission]] = {}
    for row in rows:
        groups.setdefault(row.plan, []).append(row)
    return groups


@dataclass(frozen=True, slots=True)
class Stored:
    """What all but rules had said of these images, an entry an image."""

    rows: Sequence[Submission]
    said: list[list[Evidence]]
    showed: list[list[tuple[str, Shown]]]

    @classmethod
    def of(cls, rows: Sequence[Submission], pinned: Sequence[tuple[str, ClassifierVersion | None]]) -> Self:
        said: list[list[Evidence]] = [[] for _row in rows]
        showed: list[list[tuple[str, Shown]]] = [[] for _row in rows]
        for ref, version in pinned:
            table = findings(rows, version) if version else {}
            for at, row in enumerate(rows):
                found = table.get(row.pk)
                if version is not None and found is not None:
                    said[at].append(read(version, *found))
                    if found[1]:
                        showed[at].append((version.kind, found[1]))
                else:
                    said[at].append(silent(row, ref))
        return cls(rows, said, showed)

    def judged(self, rules: RuleSet, at: Sequence[int] | None = None) -> list[Word]:
        """What these rules say of the images (at these places). One query for what was declared, one for authors."""
        places = range(len(self.rows)) if at is None else at
        full = Submission.objects.only("client", "author_ref", *columns(rules.names)).in_bulk(
            [self.rows[place].pk for place in places]
        )
        rows = [full[self.rows[place].pk] for place in places]
        return replayed(rules, rows, [self.said[place] for place in places], [self.showed[place] for place in places])


def told(stored: Stored, version: ClassifierVersion) -> list[Evidence]:
    """A rule set's word on each image: as it was when the image was triaged under it, else worked out now."""
    table = findings(stored.rows, version)
    late = [at for at, row in enumerate(stored.rows) if row.pk not in table and version.ref not in row.heard]
    words = dict(zip(late, stored.judged(rules_of(version), late), strict=True)) if late else {}
    return [
        read(version, *table[row.pk])
        if row.pk in table
        else Evidence.read(version.ref, words[at].probabilities, words[at].shown)
        if at in words
        else Evidence(version.ref)
        for at, row in enumerate(stored.rows)
    ]


def silent(row: Submission, ref: str) -> Evidence:
    if ref in row.heard:
        return Evidence(ref)
    return Evidence(ref, error=f"{ref} has nothing stored for this image")


def findings(rows: Sequence[Submission], version: ClassifierVersion) -> dict[UUID, tuple[list[float], Shown]]:
    """Probabilities and what was shown, by image; of heads also where only the embedding is stored."""
    keys = [row.pk for row in rows]
    found = Finding.objects.filter(submission__in=keys, classifier=version)
    table: dict[UUID, tuple[list[float], Shown]] = {
        key: (values, shown) for key, values, shown in found.values_list("submission_id", "probabilities", "evidence")
    }
    if version.backbone_id is None:
        return table
    unseen = [key for key in keys if key not in table]
    seen = Embedding.objects.filter(submission__in=unseen, backbone=version.backbone_id).values_list(
        "submission_id", "vector"
    )
    pairs = list(seen)
    if pairs:
        scores = heads_on(version, np.array([vector for _key, vector in pairs], dtype=np.float16))
        table.update({key: (values, {}) for (key, _vector), values in zip(pairs, scores.tolist(), strict=True)})
    return table
