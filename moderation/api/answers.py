"""A submission as the API tells it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import Prefetch
from django.utils.crypto import salted_hmac

from classifiers.cards import SIGNALS
from moderation import policies, provenance, wording
from moderation.lifecycle import ROUTED
from moderation.models import Finding, ReviewRequest, Status, Submission, TriagePlan
from moderation.models.submissions import SubmissionQuerySet
from moderation.plans import Cuts
from moderation.routing import Evidence, Plan, Served, Zone, applied


def with_evidence(submissions: SubmissionQuerySet) -> SubmissionQuerySet:
    """With all that `present` needs, in a fixed number of queries however many rows there are."""
    findings = Finding.objects.select_related("classifier").order_by("id")
    waiting = ReviewRequest.objects.filter(closed_at__isnull=True).only("submission")
    return submissions.prefetch_related(
        "plan",
        "policy",
        Prefetch("findings", queryset=findings),
        Prefetch("requests", queryset=waiting, to_attr="open_requests"),
    )


def present(submission: Submission) -> dict[str, Any]:
    """The contract's fields; what was declared and the image's facts as well, unless it lies under legal hold."""
    answer: dict[str, Any] = {
        "id": str(submission.pk),
        "external_id": submission.external_id,
        "status": submission.status,
        "route": submission.route or None,
        "decided_by": submission.decided_by or None,
        "categories": categories(submission),
        "reasons": [reason(why) for why in submission.reasons],
        "policy_version": str(submission.policy) if submission.policy else None,
        "plan_version": submission.plan.number if submission.plan else None,
        "created_at": submission.created_at,
        "settled_at": submission.settled_at,
        "territories": territories(submission),
        "territory_reasons": {
            place: [reason(why) for why in said["reasons"]] for place, said in submission.by_territory.items()
        },
        "disclosure": {},
        "cluster_id": cluster_id(submission),
    }
    if submission.status == Status.QUARANTINED:
        return answer
    return answer | {
        "disclosure": disclosure(submission),
        "declared": {
            "prompt": submission.prompt,
            "negative_prompt": submission.negative_prompt,
            "generator": submission.generator,
            "author_ref": submission.author_ref,
            "surface": submission.surface,
            "audience": submission.audience,
            "context": submission.context,
        },
        "image": {
            "sha256": submission.sha256,
            "media_type": submission.media_type,
            "byte_size": submission.byte_size,
            "width": submission.width,
            "height": submission.height,
        },
    }


def territories(submission: Submission) -> dict[str, str]:
    """Where it stands in each territory it was declared for: as triage said of each, until a person decides."""
    told = dict.fromkeys(submission.territories, submission.status)
    if submission.decided_by != "automation" or not submission.by_territory:
        return told
    apart = {place: ROUTED[said["route"]] for place, said in submission.by_territory.items()}
    waiting = Status.IN_REVIEW not in apart.values() or bool(getattr(submission, "open_requests", ()))
    return told | apart if waiting else told  # else a person looked, and left it where it was


def cluster_id(submission: Submission) -> str | None:
    """The same for near-duplicates of one client, and telling it nothing of those of others."""
    if submission.cluster is None or submission.status == Status.QUARANTINED:
        return None
    bound = f"{submission.client_id}/{submission.cluster}"
    return str(UUID(bytes=salted_hmac("loupe.cluster", bound, algorithm="sha256").digest()[:16]))


def categories(submission: Submission) -> list[dict[str, Any]]:
    """By the plan it was routed under: each category's highest probability, the band it fell into as the bands held for
    this image, and the overlay they are of, if any; highest first.
    """
    if submission.plan is None:
        return []
    plan = parsed(submission.plan)
    said = [heard(each) for each in submission.findings.all() if each.classifier.ref in plan.classifiers]
    highest: dict[str, float] = {}
    for one in said:
        for code, probability in one.probabilities.items():
            highest[code] = max(probability, highest.get(code, 0.0))
    cuts = applied(plan, served(submission), said, submission.by_territory)
    return [
        {
            "code": code,
            "probability": round(value, 4),
            "band": band(cuts, code, value),
            "overlay": cuts.whose.get(code) or None,
        }
        for code, value in sorted(highest.items(), key=lambda item: (-item[1], item[0]))
    ]


def served(submission: Submission) -> Served:
    """To whom it is shown, as its sender declared it."""
    return Served.declared(submission.territories, submission.audience, submission.surface, submission.context)


def heard(finding: Finding) -> Evidence:
    """A signal that says nothing of a category does not score it 0."""
    silent = finding.classifier.kind in SIGNALS
    pairs = zip(finding.classifier.categories, finding.probabilities, strict=True)
    scores = {code: value for code, value in pairs if value or not silent}
    return Evidence.read(finding.classifier.ref, scores, finding.evidence)


def disclosure(submission: Submission) -> dict[str, Any]:
    """What the file says of where it comes from, as the plan it was routed under read it."""
    if submission.plan is None:
        return {}
    pinned = parsed(submission.plan).classifiers
    read = (each for each in submission.findings.all() if each.classifier.kind == provenance.KIND)
    return next((provenance.disclosure(each.evidence) for each in read if each.classifier.ref in pinned), {})


def band(cuts: Cuts, code: str, probability: float) -> Zone:
    """Routing sends what the plan does not know to a person."""
    return cuts.bands[code].zone(probability) if code in cuts.bands else "review"


@lru_cache(maxsize=64)
def parsed(plan: TriagePlan) -> Plan:
    """Published plans never change, so they may be kept parsed."""
    return policies.parsed(plan)


def reason(why: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "code": why.get("code"),
        "category": why.get("category") or None,
        "probability": why.get("probability"),
        "text": wording.sentence(why),
    }
