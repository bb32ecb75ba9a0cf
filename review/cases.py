"""What a reviewer is shown of a claimed request: why a person looks, what the classifiers said, which rule applies."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from classifiers.cards import SIGNALS
from classifiers.models import ClassifierVersion
from moderation import provenance
from moderation.guidelines.actions import advice
from moderation.models import PolicyVersion, Submission, TriagePlan, User
from moderation.plans import Cuts
from moderation.policies import parsed
from moderation.routing import Evidence, Plan, Served, applied
from moderation.statements import prepared
from moderation.wording import category_name, sentence
from review import images, leases
from review.blinding import SHOWN_AS, is_unaided
from review.models import Claim


@lru_cache(maxsize=64)
def plan_of(key: UUID) -> Plan:
    """Published plans never change, so a process reads each once."""
    return parsed(TriagePlan.objects.get(pk=key))


@lru_cache(maxsize=256)
def version_of(key: UUID) -> ClassifierVersion:
    """A classifier version's name, kind and what it scores; none of it ever changes."""
    return ClassifierVersion.objects.only("name", "version", "kind", "categories").get(pk=key)


@lru_cache(maxsize=256)
def policy_of(key: UUID) -> PolicyVersion:
    return PolicyVersion.objects.get(pk=key)


FINDINGS: Final = """
SELECT submission_id, classifier_id, probabilities, evidence FROM moderation_finding
WHERE submission_id = ANY(%(submissions)s::uuid[])
"""
# Behind the findings the guidelines: their keys, and in the last column the categories they were looked up for.
BESIDE: Final = f"""
{FINDINGS} UNION ALL
SELECT {leases.GUIDELINE.format(category="asked.name")}, NULL, NULL, to_jsonb(asked.name)
FROM unnest(%(categories)s::text[]) asked (name)
"""  # noqa: S608 - our own words


@dataclass(frozen=True, slots=True)
class Said:
    """What one pinned version found on an image; `evidence` is what it showed."""

    version: ClassifierVersion
    probabilities: Sequence[float]
    evidence: Mapping[str, Any]


Findings = Mapping[UUID, list[Said]]


def findings_of(submissions: Sequence[Submission]) -> Findings:
    """The findings of the plan that triaged each image. One query."""
    pinned = pins(submissions)
    with prepared() as cursor:
        cursor.execute(FINDINGS, {"submissions": list(pinned)})
        return by_image(cursor.fetchall(), pinned)


def beside(submissions: Sequence[Submission], categories: Collection[str]) -> tuple[Findings, dict[str, PolicyVersion]]:
    """The findings of these images; and the guideline in force of each category, OTHER's for one that has none, and for
    "", if there is one. One query.
    """
    pinned = pins(submissions)
    with prepared() as cursor:
        cursor.execute(BESIDE, {"submissions": list(pinned), "categories": list(categories)})
        rows = cursor.fetchall()
    rules = {json.loads(asked): policy_of(key) for key, version, _values, asked in rows if key and version is None}
    return by_image([row for row in rows if row[1] is not None], pinned), rules


def pins(submissions: Sequence[Submission]) -> dict[UUID, Collection[str]]:
    return {one.pk: plan_of(one.plan_id).classifiers for one in submissions if one.plan_id}


def by_image(rows: Sequence[Sequence[Any]], pinned: Mapping[UUID, Collection[str]]) -> Findings:
    findings: dict[UUID, list[Said]] = defaultdict(list)
    for key, version, values, evidence in rows:
        by = version_of(version)
        if by.ref in pinned[key]:
            findings[key].append(Said(by, values, json.loads(evidence)))
    return findings


def highest(findings: Sequence[Said]) -> dict[str, float]:
    """Each category's highest probability."""
    scores: dict[str, float] = {}
    for said in findings:
        for category, value in scores_of(said).items():
            scores[category] = max(value, scores.get(category, 0.0))
    return scores


def scores_of(said: Said) -> dict[str, float]:
    """Where a signal says nothing of a category, that is no score of 0 in it."""
    silent = said.version.kind in SIGNALS
    pairs = zip(said.version.categories, said.probabilities, strict=True)
    return {category: value for category, value in pairs if value or not silent}


def origin(submission: Submission, findings: Sequence[Said]) -> provenance.Provenance | None:
    """Where the image says it comes from; None where nobody looked."""
    for said in findings:
        if said.version.kind == provenance.KIND:
            return provenance.in_words(said.evidence, submission)
    looked = any(ref.startswith(f"{provenance.KIND}@") for ref in submission.heard)
    return provenance.in_words({}, submission) if looked else None


def shown(claims: Sequence[Claim], reviewer: User) -> list[dict[str, Any]]:
    """The contract's claims, ready for JSON, in the order given. One query, however many claims."""
    if not claims:
        return []
    unaided = {claim.pk for claim in claims if is_unaided(claim.request)}
    told = [claim.request.submission for claim in claims if claim.pk not in unaided]
    likely = {claim.pk: "" if claim.pk in unaided else claim.request.category for claim in claims}
    findings, rules = beside(told, set(likely.values()))
    return [
        {
            "claim_id": claim.pk,
            "request_id": claim.request_id,
            "submission_id": submission.pk,
            "reason": SHOWN_AS.value if claim.pk in unaided else claim.request.reason,
            "category": likely[claim.pk] or None,
            "claimed_at": claim.claimed_at,
            "expires_at": claim.expires_at,
            "submission": {
                **declared(submission),
                **(UNSAID if claim.pk in unaided else judged(submission, findings.get(submission.pk, []))),
                "image": {
                    "blurred": images.link(submission, reviewer, images.Variant.BLURRED),
                    "look": f"/api/v1/claims/{claim.pk}/looks",
                },
                "policy": worded(rules.get(likely[claim.pk]), submission.audience),
            },
        }
        for claim in claims
        for submission in [claim.request.submission]
    ]


def category_of(claim: Claim) -> str:
    """The category a reviewer should have in mind; "" where none stands out, or where they must not know."""
    return "" if is_unaided(claim.request) else claim.request.category


# Of what a reviewer judges unaided nothing is said, nor when it came in: what is settled came in long ago.
UNSAID: Final[Mapping[str, Any]] = {
    "status": None,
    "categories": [],
    "reasons": [],
    "by_territory": {},
    "provenance": None,
    "created_at": None,
}


def judged(submission: Submission, findings: Sequence[Said]) -> dict[str, Any]:
    """What the machines made of it."""
    told = origin(submission, findings)
    return {
        "status": submission.status,
        "categories": banded(findings, submission),
        "reasons": [sentence(why) for why in submission.reasons],
        "by_territory": {
            place: {"route": said["route"], "reasons": [sentence(why) for why in said["reasons"]]}
            for place, said in submission.by_territory.items()
        },
        "provenance": asdict(told) if told else None,
    }


def declared(submission: Submission) -> dict[str, Any]:
    """What came with the image."""
    return {
        "id": submission.pk,
        "external_id": submission.external_id,
        "prompt": submission.prompt,
        "negative_prompt": submission.negative_prompt,
        "generator": submission.generator,
        "surface": submission.surface,
        "audience": submission.audience,
        "territories": submission.territories,
        "width": submission.width,
        "height": submission.height,
        "media_type": submission.media_type,
        "byte_size": submission.byte_size,
        "created_at": submission.created_at,
    }


def cuts_of(submission: Submission, findings: Sequence[Said]) -> Cuts:
    """The bands as they held for this image when it was triaged, and the overlays that they are of."""
    if not submission.plan_id:
        return Cuts({})
    served = Served.declared(submission.territories, submission.audience, submission.surface, submission.context)
    said = [Evidence.read(one.version.ref, scores_of(one), one.evidence) for one in findings]
    return applied(plan_of(submission.plan_id), served, said, submission.by_territory)


def banded(findings: Sequence[Said], submission: Submission) -> list[dict[str, Any]]:
    """Each category with its probability and the cuts that held for the image, the likeliest first."""
    cuts = cuts_of(submission, findings)
    return [
        {
            "code": category,
            "name": category_name(category),
            "probability": round(value, 4),
            "band": band.zone(value) if band else None,
            "approve": band.approve if band else None,
            "block": band.block if band else None,
            "overlay": cuts.whose.get(category) or None,
        }
        for category, value in sorted(highest(findings).items(), key=lambda item: (-item[1], item[0]))
        for band in [cuts.bands.get(category)]
    ]


def worded(policy: PolicyVersion | None, audience: str) -> dict[str, Any] | None:
    if policy is None:
        return None
    return {
        "category": policy.category,
        "name": category_name(policy.category),
        "version": policy.number,
        "headline": policy.headline,
        "definition": policy.definition,
        "allowed": policy.allowed,
        "not_allowed": policy.not_allowed,
        "exceptions": policy.exceptions,
        "severity": policy.severity,
        "action": said.action.value if (said := advice(policy, audience)) else None,
        "published_at": policy.published_at,
    }
