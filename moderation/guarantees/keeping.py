"""Keeping certificates: made and withdrawn by people, never edited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from moderation import audit
from moderation.actors import Actor
from moderation.guarantees.expiry import Ground, why_expired
from moderation.models import BandCertificate, CertificateEnd, CertificateWatch, User

if TYPE_CHECKING:
    from moderation.certificates import Certificate

LIFE: Final = timedelta(days=90)


class Unproven(Exception):
    """No such certificate can be kept; the message says why. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """What a certificate rests on besides its numbers."""

    since: datetime
    until: datetime
    scores: Sequence[float]
    corrected: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Siblings:
    """Certified at once: with confidence 1 − `delta` all of these categories' certificates hold."""

    key: UUID
    delta: float
    categories: Sequence[str]


@transaction.atomic
def keep(
    found: Certificate,
    category: str,
    sampled: Sampled,
    *,
    ground: Ground,
    actor: Actor,
    person: User | None = None,
    falls_back: bool = False,
    siblings: Siblings | None = None,
) -> BandCertificate:
    """Afterwards it is stored with the plan in force, watched, and in the audit log; an earlier one of the same stays
    as it was. Raises Unproven where it has no threshold, or no plan or guideline to stand on.
    """
    policy = ground.policies.get(category)
    if found.threshold is None:
        raise Unproven(_("Nothing can be certified from these audits, so all goes to people."))
    if ground.plan is None or policy is None:
        raise Unproven(_("A certificate stands on a published plan and a published guideline."))
    now = timezone.now()
    row = BandCertificate.objects.create(
        plan=ground.plan,
        category=category,
        risk=found.risk,
        alpha=found.alpha,
        delta=found.delta,
        threshold=found.threshold,
        n=found.n,
        k=found.k,
        p_value=found.p_value,
        share=found.share,
        rate=found.rate,
        audits=found.audits,
        method=found.method,
        corrected=dict(sampled.corrected) if sampled.corrected else None,
        scores=list(sampled.scores),
        sampled_from=sampled.since,
        sampled_until=sampled.until,
        classifiers=[one.ref for one in ground.scoring(category)],
        policy=policy,
        taxonomy=ground.taxonomy,
        falls_back=falls_back,
        family=siblings.key if siblings else None,
        family_delta=siblings.delta if siblings else None,
        family_of=list(siblings.categories) if siblings else [],
        made_by=person,
        expires_at=now + LIFE,
    )
    CertificateWatch.objects.create(certificate=row, read_until=sampled.until)
    more = {"with": row.family_of, "doubt_of_all": row.family_delta} if siblings else {}
    record("certificate.made", row, actor, threshold=row.threshold, n=row.n, k=row.k, p_value=row.p_value, **more)
    return row


@transaction.atomic
def withdraw(key: UUID, actor: Actor) -> BandCertificate:
    """Nobody relies on it any more. Raises BandCertificate.DoesNotExist, or Unproven when it has ended already."""
    watch = CertificateWatch.objects.select_for_update(no_key=True).filter(certificate=key).first()
    if watch is None:
        raise BandCertificate.DoesNotExist
    if watch.ended_at is not None:
        raise Unproven(_("This certificate has ended already."))
    end(watch, CertificateEnd.WITHDRAWN, actor)
    return watch.certificate


def end(watch: CertificateWatch, because: CertificateEnd, actor: Actor, **more: Any) -> None:
    """In the caller's transaction, which holds the watch's lock."""
    watch.ended_at, watch.ended_because = timezone.now(), because
    watch.save()
    record("certificate.ended", watch.certificate, actor, because=str(because), **more)


def standing(now: datetime, *, ground: Ground | None = None) -> list[BandCertificate]:
    """The newest of each category and risk that holds now. Few queries, whatever their number."""
    newest = BandCertificate.objects.filter(watch__ended_at__isnull=True, expires_at__gt=now)
    rows = list(newest.select_related("watch").order_by("category", "risk", "-id").distinct("category", "risk"))
    if not rows:
        return []
    ground = ground or Ground.now()
    return [one for one in rows if not why_expired(one, now, ground=ground)]


def outgrown(now: datetime, *, ground: Ground | None = None) -> list[BandCertificate]:
    """The newest of each category and risk that would hold, did not other versions score its category by now: what a
    change of versions cost, and what audits of the new ones may prove again. Few queries, whatever their number.
    """
    newest = BandCertificate.objects.order_by("category", "risk", "-id").distinct("category", "risk")
    kept = newest.select_related("watch", "policy", "plan")
    rows = [one for one in kept if one.watch.ended_at is None and one.expires_at > now]
    if not rows:
        return []
    ground = ground or Ground.now()
    return [one for one in rows if is_outgrown(one, ground)]


def is_outgrown(row: BandCertificate, ground: Ground) -> bool:
    policy, refs = ground.policies.get(row.category), [one.ref for one in ground.scoring(row.category)]
    same = ground.taxonomy == row.taxonomy and policy is not None and policy.pk == row.policy_id
    return same and bool(refs) and refs != list(row.classifiers)


def record(action: str, row: BandCertificate, actor: Actor, **more: Any) -> None:
    data = {"category": row.category, "risk": row.risk, "alpha": row.alpha, "delta": row.delta, **more}
    audit.record(audit.Entry(actor, action, f"certificate:{row.pk}", data))
