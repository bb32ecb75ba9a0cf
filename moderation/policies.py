"""Publishing the law: guidelines and triage plans. Published rows are never edited; to change, or to go back, is to
add.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Required, TypedDict, Unpack

from django.db import IntegrityError, connection, transaction
from django.db.models import Max

from classifiers.models import ClassifierVersion
from moderation import admission, audit
from moderation.actors import Actor
from moderation.admission import Past
from moderation.guidelines.subjects import Subject
from moderation.models import OutboxMessage, PolicyVersion, Topic, TriagePlan, User
from moderation.queues import known
from moderation.routing import Plan, PlanError
from moderation.rules.faults import RuleError
from moderation.rules.sets import from_card
from moderation.rules.wording import told
from moderation.taxonomy import PEOPLE_ONLY, Category, Severity


class Outdated(Exception):
    """Somebody published in the meantime. Look at the version now in force, then publish again."""


def parsed(row: TriagePlan) -> Plan:
    return Plan.from_body(row.body, number=row.number)


def publish_plan(
    body: Mapping[str, Any],
    *,
    note: str,
    actor: Actor,
    person: User | None = None,
    based_on: int | None = None,
    candidate: Mapping[str, Any] | None = None,
    past: Past | None = None,
) -> TriagePlan:
    """Afterwards triage follows this plan; as a `candidate`, whose terms are put on record, only where a rollout says
    so (`moderation.rollouts`). Every version that it newly pins has met the gates of the plan in force, or `past` says
    why not, on the record. Raises PlanError (cannot be followed), GateClosed or Outdated (`based_on` is not in force).
    """
    plan = Plan.from_body(body, number=0)
    check(plan)
    with transaction.atomic():
        hold_publishing()
        current = TriagePlan.objects.in_force()
        number = current.number if current else 0
        if based_on is not None and based_on != number:
            raise Outdated(f"Plan {number} is in force; your draft was based on plan {based_on}.")
        admitted = admission.admit(body, current, past=past)
        row = TriagePlan.objects.create(
            number=next_number(),
            body=dict(body),
            note=note,
            published_by=person,
            candidate=candidate is not None,
            admission=admitted,
        )
        told = {"note": note, "body": row.body, **(candidate or {"replaces": number or None})}
        if candidate is None:
            OutboxMessage.objects.create(topic=Topic.PLAN_PUBLISHED, payload={"number": row.number, "note": note})
        act = "plan.published" if candidate is None else "plan.rollout_started"
        audit.record(audit.Entry(actor, act, f"plan:{row.number}", told))
        if admitted and admitted["past"]:
            audit.record(audit.Entry(actor, "plan.past_gates", f"plan:{row.number}", admitted))
    return row


def hold_publishing() -> None:
    """Until the transaction ends nobody else publishes a plan."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('loupe.publish_plan'))")


def next_number() -> int:
    """Of the next plan to be published; certain only while publishing is held."""
    last = TriagePlan.objects.order_by("-number").values_list("number", flat=True).first()
    return (last or 0) + 1


def check(plan: Plan) -> None:
    """The plan against this house: its classifiers are registered, its categories known, and nothing they score is
    left out.
    """
    unknown = sorted(set(plan.bands) - set(Category.values))
    if unknown:
        raise PlanError(f"Not in the taxonomy: {', '.join(unknown)}")
    laid = [plan.bands, *(overlay.bands for overlay in plan.overlays)]
    unseen = sorted({code for code in PEOPLE_ONLY for bands in laid if code in bands and bands[code].block is not None})
    if unseen:
        raise PlanError(f"{', '.join(unseen)}: only people block here, so the plan has no block cut for it.")
    queues = known.definitions() if plan.queues else None
    if queues and (lost := sorted(set(plan.queues.values()) - {*queues.slugs(), *queues.retired})):
        raise PlanError(f"There is no queue {', '.join(lost)}.")
    refs = [*plan.classifiers, *plan.shadows]
    versions = {version.ref: version for version in ClassifierVersion.objects.with_refs(refs)}
    missing = [ref for ref in refs if ref not in versions]
    if missing:
        raise PlanError(f"Not registered: {', '.join(missing)}. Add it with add_classifier, or pin another version.")
    check_privacy(plan, [versions[ref] for ref in refs])
    for version in (versions[ref] for ref in plan.classifiers):
        if version.kind == "rules":
            check_rules(version)
        if unmeasured(version):
            raise PlanError(f"{version.ref} is a concept whose precision and recall are not measured: make it again.")
        bare = sorted(set(version.categories) - set(plan.bands))
        if bare:
            raise PlanError(f"{version.ref} scores {', '.join(bare)}, for which the plan has no band.")


def check_privacy(plan: Plan, versions: Sequence[ClassifierVersion]) -> None:
    """What learnt from labels of this house keeps to the plan's privacy budget; without a bound it cannot."""
    if plan.privacy_budget is None:
        return
    for version in versions:
        if not version.manifest_fingerprint:
            continue
        spent = (version.card.get("privacy") or {}).get("epsilon")
        if spent is None:
            raise PlanError(
                f"{version.ref} was trained without differential privacy, and the plan's privacy budget is an epsilon "
                f"of {plan.privacy_budget:g}. Train it with --dp, or take the budget out of the plan."
            )
        if spent > plan.privacy_budget:
            raise PlanError(
                f"{version.ref} spent an epsilon of {spent:.2f}, above the plan's privacy budget of "
                f"{plan.privacy_budget:g}. Train it with a smaller --target-epsilon."
            )


def unmeasured(version: ClassifierVersion) -> bool:
    """A concept (review.concepts) that nobody knows how good it is: it may not be put in service."""
    if "concept" not in version.card:
        return False
    picked = [figures.get("picked") or {} for figures in version.metrics.values()]
    return not picked or any(one.get("precision") is None or one.get("recall") is None for one in picked)


def check_rules(version: ClassifierVersion) -> None:
    try:
        from_card(version.card)
    except RuleError as error:
        raise PlanError(f"{version.ref}, rule {(error.rule or 0) + 1}: {told(error.fault)}") from error


def roll_back(to: int, *, actor: Actor, person: User | None = None, note: str = "") -> TriagePlan:
    """Publish an earlier plan's body again, as a new version. Raises TriagePlan.DoesNotExist."""
    earlier = TriagePlan.objects.get(number=to)
    return publish_plan(earlier.body, note=note or f"Back to plan {to}.", actor=actor, person=person)


class Words(TypedDict, total=False):
    """What a guideline says; what is left out is empty."""

    headline: Required[str]
    definition: Required[str]
    allowed: Required[Sequence[str]]
    not_allowed: Required[Sequence[str]]
    exceptions: Required[str]
    severity: Required[Severity]
    exempt: Mapping[str, str]
    ladder: Mapping[str, str]
    actions: Mapping[str, str]
    examples: Sequence[Mapping[str, Any]]
    report_duty: str
    owner: str
    review_by: date | None
    archived: bool
    translates: int | None


def publish_policy(
    subject: Subject | Category,
    *,
    actor: Actor,
    person: User | None = None,
    approver: User | None = None,
    note: str = "",
    based_on: int | None = None,
    **words: Unpack[Words],
) -> PolicyVersion:
    """Afterwards this wording is the guideline. Raises Outdated when `based_on` is no longer the latest."""
    subject = Subject(subject) if isinstance(subject, Category) else subject
    number = subject.versions().aggregate(last=Max("number"))["last"] or 0
    if based_on is not None and based_on != number:
        raise Outdated(f"Version {number} of {subject.title} is in force; your draft was based on version {based_on}.")
    row = PolicyVersion(
        category=subject.category,
        part=subject.part,
        locale=subject.locale,
        number=number + 1,
        note=note,
        published_by=person,
        approved_by=approver,
        **{**words, "allowed": list(words["allowed"]), "not_allowed": list(words["not_allowed"])},
    )
    return publish_together([row], actor=actor)[0]


def publish_together(rows: Sequence[PolicyVersion], *, actor: Actor) -> list[PolicyVersion]:
    """Afterwards all of these wordings are published. Raises Outdated, and publishes none, when one came too late."""
    entries = [
        audit.Entry(
            actor,
            "policy.archived" if row.archived else "policy.published",
            f"policy:{row.subject}",
            {"number": row.number, "headline": row.headline},
        )
        for row in rows
    ]
    try:
        with transaction.atomic():
            published = PolicyVersion.objects.bulk_create(rows)
            audit.record_many(entries)
    except IntegrityError as error:
        named = ", ".join(f"version {row.number} of {row.subject}" for row in rows)
        raise Outdated(f"Somebody else published at this moment: {named}.") from error
    return published


def reworded() -> dict[str, datetime]:
    """When the guideline of each category that has one, or any part of it, was last changed."""
    written = PolicyVersion.objects.filter(locale="").order_by().values("category")
    return dict(written.annotate(last=Max("published_at")).values_list("category", "last"))


def in_force() -> dict[str, PolicyVersion]:
    """Each category's own guideline, where there is one."""
    return {policy.category: policy for policy in PolicyVersion.objects.in_force()}
