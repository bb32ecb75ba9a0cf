"""Writing a batch's outcome: findings, embeddings, requests for people, and the moves, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from django.db import connection, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from moderation import lifecycle, policies, requests
from moderation.actors import TRIAGE
from moderation.banks.signal import keep_matches
from moderation.guardrails import caps, counting
from moderation.models import Fingerprint, Reason, Submission, TriagePlan
from moderation.routing import Context, Evidence, Plan, Route, by_machine, route
from moderation.rules import hits
from moderation.taxonomy import DEFAULT_SEVERITY, Category
from moderation.triage import copying
from moderation.triage.clusters import Place, fingerprint
from moderation.triage.leases import still_held
from moderation.triage.looking import Look
from moderation.triage.scoring import Spoken

if TYPE_CHECKING:
    from classifiers.base import Shown
    from classifiers.models import ClassifierVersion

# One statement for the batch: a CASE per column and row, as bulk_update builds it, costs more than the model's
# forward pass.
WRITE: Final = """
UPDATE moderation_submission AS s
SET pdq = decode(v.pdq, 'hex'), pdq_quality = v.pdq_quality, md5 = v.md5, cluster = v.cluster, plan_id = v.plan_id,
policy_id = v.policy_id, route = v.route, reasons = v.reasons, heard = v.heard, flagged = v.flagged,
inclusion_probability = v.inclusion_probability, circumstances = v.circumstances, by_territory = v.by_territory,
held_up_since = NULL
FROM jsonb_to_recordset(%s::jsonb) AS v (
    id uuid, pdq text, pdq_quality smallint, md5 text, cluster uuid, plan_id uuid, policy_id uuid, route text,
    reasons jsonb, heard varchar[], flagged varchar[], inclusion_probability double precision,
    circumstances jsonb, by_territory jsonb
) WHERE s.id = v.id
"""


FINDINGS: Final = """
COPY moderation_finding (id, submission_id, classifier_id, probabilities, evidence, created_at) FROM STDIN
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One image of a batch: row `index` of what was spoken; `errors`, in words, by the ref of who failed on it."""

    submission: Submission
    look: Look
    route: Route
    index: int | None
    place: Place
    context: Context
    errors: Mapping[str, str] = field(default_factory=dict)
    canary: float | None = None

    @property
    def circumstances(self) -> dict[str, Any]:
        """All that replay needs beside what is stored elsewhere."""
        more = {"errors": self.errors, "canary": self.canary}
        return self.context.stored() | {name: said for name, said in more.items() if said not in ({}, None)}


def errors_of(said: Iterable[Evidence]) -> dict[str, str]:
    return {one.classifier: one.error for one in said if one.error}


@transaction.atomic
def record(outcomes: Sequence[Outcome], spoken: Spoken, *, plan: TriagePlan | None) -> Sequence[Outcome]:
    """Settle what is still ours, all at once; returns it as it was settled. What another worker took over meanwhile is
    left to it.
    """
    held = still_held([outcome.submission for outcome in outcomes])
    followed = policies.parsed(plan) if plan else None
    ours = within_caps([outcome for outcome in outcomes if outcome.submission.pk in held], spoken, followed)
    if not ours:
        return ours
    write_routes(ours, spoken, plan=plan)
    findings = [
        (one.submission, version, probabilities, shown)
        for one in ours
        if one.index is not None
        for version, probabilities, shown in spoken.findings(one.index)
    ]
    write_findings(findings)
    keep_matches((submission, shown) for submission, version, _, shown in findings if version.kind == "hashes")
    for version, table in spoken.embeddings.items():
        seen = {
            one.index: one.submission.pk
            for one in ours
            if one.index is not None and np.isfinite(table[one.index]).all()
        }
        copying.keep(version.pk, list(seen.values()), table[list(seen)])
    Fingerprint.objects.bulk_create(fingerprint(one.submission, one.look) for one in ours if one.place.keeps)
    requests.open_requests(ask for one in ours if (ask := ask_of(one, followed)) is not None)
    lifecycle.move_many([move_of(one, plan) for one in ours], actor=TRIAGE)
    indices = [one.index for one in ours if one.index is not None]
    hits.count((version, spoken.shown_of(version, index)) for version in spoken.later for index in indices)
    said = ((one.submission.client_id, one.route, [] if one.index is None else spoken.of(one.index)) for one in ours)
    counting.count(said, plan=plan.number if plan else 0)
    return ours


def within_caps(outcomes: Sequence[Outcome], spoken: Spoken, plan: Plan | None) -> list[Outcome]:
    """The same, but for blocks that today's caps leave no place for: those images go to people."""
    settled = list(outcomes)
    blocks = [at for at, one in enumerate(settled) if one.index is not None and by_machine(one.route)]
    if plan is None or not blocks:
        return settled
    asked = [(settled[at].route.category, settled[at].submission.client_id) for at in blocks]
    for at, scope in zip(blocks, caps.reserve(asked, plan=plan.number), strict=True):
        one = settled[at]
        if scope and one.index is not None:
            context = replace(one.context, capped=scope)
            settled[at] = replace(one, context=context, route=route(spoken.of(one.index), plan, context))
    return settled


def write_findings(findings: Sequence[tuple[Submission, ClassifierVersion, list[float], Shown]]) -> None:
    """By COPY: the ORM takes longer to put the statement together than PostgreSQL to run it."""
    now = timezone.now()
    with connection.cursor() as cursor, cursor.copy(FINDINGS) as copy:
        for submission, version, probabilities, shown in findings:
            copy.write_row((uuid7(), submission.pk, version.pk, probabilities, json.dumps(shown), now))


def write_routes(outcomes: Sequence[Outcome], spoken: Spoken, *, plan: TriagePlan | None) -> None:
    """What triage found out, on the submissions' own rows."""
    guidelines = policies.in_force()
    rows = []
    for outcome in outcomes:
        look, route = outcome.look, outcome.route
        policy = guidelines.get(route.category)
        rows.append(
            {
                "id": str(outcome.submission.pk),
                "pdq": look.pdq.hex() if look.pdq is not None else None,
                "md5": look.md5,
                "pdq_quality": look.pdq_quality,
                "cluster": str(outcome.place.cluster),
                "plan_id": str(plan.pk) if plan else None,
                "policy_id": str(policy.pk) if policy else None,
                "route": route.action,
                "reasons": [asdict(why) for why in route.why],
                "heard": spoken.heard(outcome.index) if outcome.index is not None else [],
                "flagged": sorted(category for category, zone in route.zones.items() if zone != "approve"),
                "inclusion_probability": route.inclusion_probability,
                "circumstances": outcome.circumstances,
                "by_territory": {
                    place: {"route": each.action, "reasons": [asdict(why) for why in each.why]}
                    for place, each in route.territories.items()
                },
            }
        )
    with connection.cursor() as cursor:
        cursor.execute(WRITE, [json.dumps(rows)])


def move_of(outcome: Outcome, plan: TriagePlan | None) -> lifecycle.Move:
    route = outcome.route
    return lifecycle.Move(
        outcome.submission,
        lifecycle.ROUTED[route.action],
        route.why[0].code,
        {
            "plan": plan.number if plan else None,
            "classifiers": plan.body["classifiers"] if plan else [],
            "category": route.category,
            "probability": route.probabilities.get(route.category),
            "audit": route.audit,
            **cited(route),
            **apart(route),
        },
    )


def apart(route: Route) -> dict[str, Any]:
    """What was made of it in each territory, and why, where they are not all treated alike."""
    if not route.territories:
        return {}
    return {"territories": {place: told(each) for place, each in sorted(route.territories.items())}}


def told(route: Route) -> dict[str, Any]:
    first = route.why[0]
    said = {"route": route.action, "reason": first.code, "category": first.category, "overlay": first.overlay}
    return {**said, "probability": first.probability, "approve": first.approve, "block": first.block}


def cited(route: Route) -> dict[str, str]:
    """The decision on a near-duplicate that settled this, and which image it was made on."""
    if route.precedent is None:
        return {}
    return {"decision": route.precedent.decision, "copy_of": route.precedent.submission}


def ask_of(outcome: Outcome, plan: Plan | None) -> requests.Ask | None:
    """The request for a person's look, when one must; for several people's where the plan says so and the image waits
    for them.
    """
    route = outcome.route.asking or outcome.route
    if route.action == "review":
        codes = {why.code for why in route.why}
        reason = Reason.UNCERTAIN if "between" in codes else Reason.POLICY
        reason = Reason.HASH_MATCH if "match" in codes else reason
        reason = Reason.CLASSIFIER_ERROR if "classifier_error" in codes else reason
    elif route.audit:
        reason = Reason.AUDIT_SAMPLE
    else:
        return None
    known = route.category in Category.values
    severity = DEFAULT_SEVERITY[Category(route.category)] if known else 0
    cuts = next((why for why in route.why if why.category == route.category and why.approve is not None), None)
    return requests.Ask(
        submission=outcome.submission,
        reason=reason,
        category=route.category if known else "",
        probability=route.probabilities.get(route.category),
        approve=cuts.approve if cuts else None,
        block=cuts.block if cuts else None,
        queue=route.queue,
        needed=plan.needed(route.category, severity) if plan and route.action == "review" else 1,
    )
