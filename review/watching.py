"""Live audits against the certificates that hold: an alarm where they say that a limit is broken, and drift where what
comes in is no longer what was audited.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from classifiers.models import ClassifierVersion
from moderation import audit, automation
from moderation.actors import HOUSE
from moderation.guarantees import Ground, drifting, why_expired
from moderation.guarantees.keeping import end
from moderation.models import BandCertificate, CertificateEnd, CertificateWatch, Scope, TriagePlan, User
from moderation.taxonomy import Category
from review import audits
from review.certifying import is_wrong, on_safe_side
from review.outlook import first_key

# Decisions take effect in batches: what is younger may be joined by what was written before it and committed later.
SETTLED: Final = timedelta(seconds=10)
BATCH: Final = 10_000
COMPARED: Final = 5000  # of the newest images, for drift
STOPS: Final = {"FOR": "approve", "FDR": "block"}

RECENT: Final = """
SELECT coalesce(max(finding.probabilities[scorer.place]), 0)
FROM (
    SELECT id FROM moderation_submission WHERE id > %(after)s AND heard @> %(refs)s::varchar[]
    ORDER BY id DESC LIMIT %(most)s
) submission
CROSS JOIN unnest(%(scorers)s::uuid[], %(places)s::int[]) scorer (id, place)
LEFT JOIN moderation_finding finding
    ON finding.submission_id = submission.id AND finding.classifier_id = scorer.id
GROUP BY submission.id
"""


def watch(*, now: datetime | None = None) -> int:
    """Every certificate that holds has read what was audited since; returns how many ended by it."""
    ground, now = Ground.now(), now or timezone.now()
    watched = CertificateWatch.objects.filter(ended_at__isnull=True, certificate__expires_at__gt=now)
    keys = list(watched.order_by("pk").values_list("pk", flat=True))
    return sum(watch_one(key, ground, now) for key in keys)


@transaction.atomic
def watch_one(key: UUID, ground: Ground, now: datetime) -> bool:
    """Whether it ended. One that another worker reads at this moment is left to it."""
    found = CertificateWatch.objects.select_for_update(of=("self",), skip_locked=True, no_key=True).filter(pk=key)
    watch = found.select_related("certificate__policy").first()
    if watch is None or why_expired(watch.certificate, now, ground=ground):
        return False
    scorers = ground.scoring(watch.certificate.category)
    evidence = read_on(watch, scorers, now)
    if evidence >= 1 / watch.certificate.delta:
        audit.reserve([f"certificate:{key}", "automation"])  # both at once, so that nobody waits in a circle
        end(watch, CertificateEnd.ALARM, HOUSE, evidence=evidence, seen=watch.seen, wrong=watch.wrong)
        fall_back(watch.certificate)
        return True
    watch.drift = drift_of(watch.certificate, scorers)
    if watch.drift is not None and watch.drift >= drifting.ACT:
        end(watch, CertificateEnd.DRIFT, HOUSE, stability=watch.drift)
        return True
    watch.save()
    return False


def read_on(watch: CertificateWatch, scorers: Sequence[ClassifierVersion], now: datetime) -> float:
    """The watch has read what took effect since, in order; returns the evidence that the limit is broken."""
    from moderation.certificates.monitoring import Monitor  # late: it brings numpy

    row = watch.certificate
    monitor = Monitor.started(row.alpha, row.delta, watch.logs)
    until = now - SETTLED
    rows = audits.read(
        Category(row.category),
        scorers,
        since=row.policy.published_at,
        after=first_key(row.sampled_from - audits.SPAN),
        applied=watch.read_until,
        most=BATCH,
    )
    rates: dict[UUID | None, float] = {}
    for seen in (one for one in rows if one.at <= until):
        watch.read_until = seen.at
        if not on_safe_side(row.risk, seen.score, row.threshold):
            continue
        wrong = is_wrong(row.risk, violating=seen.violating)
        monitor = monitor.fed(wrong=wrong, relative=least_chance(seen.plan, rates) / seen.chance)
        watch.seen += 1
        watch.wrong += wrong
        if monitor.alarmed:
            break
    watch.logs = list(monitor.logs)
    return monitor.evidence


def least_chance(plan: UUID | None, known: dict[UUID | None, float]) -> float:
    """The smallest chance of an audit under the plan that an image followed: fixed before it came, as the bet must be.
    Without automation everything is seen.
    """
    if plan not in known:
        body: dict[str, Any] = TriagePlan.objects.get(pk=plan).body if plan else {}
        rates = [rate for rate in rates_in(body) if rate > 0]
        known[plan] = min(rates, default=1.0)
    return known[plan]


def rates_in(body: dict[str, Any]) -> list[float]:
    """The audit rates of a plan, its own and those of single categories."""
    return [float(rate) for rate in (body.get("audit_rate", 0.0), *(body.get("audit_rates") or {}).values())]


def drift_of(row: BandCertificate, scorers: Sequence[ClassifierVersion]) -> float | None:
    """How far the newest scores are from those audited; None before there are enough."""
    values: dict[str, Any] = {
        "after": first_key(row.made_at),
        "refs": [one.ref for one in scorers],
        "scorers": [one.pk for one in scorers],
        "places": [list(one.categories).index(row.category) + 1 for one in scorers],
        "most": COMPARED,
    }
    with connection.cursor() as cursor:
        cursor.execute(RECENT, values)
        scores = [float(score) for (score,) in cursor.fetchall()]
    return drifting.stability(row.scores, drifting.binned(scores)) if len(scores) >= drifting.LEAST else None


def fall_back(row: BandCertificate) -> None:
    """Where the lead said so, people decide in this category what the certificate was for."""
    if row.falls_back:
        words = {"alpha": f"{100 * row.alpha:g}"}
        reason = _("Live audits say that the certified limit of %(alpha)s %% is broken.") % words
        automation.stop(HOUSE, category=row.category, action=STOPS[row.risk], reason=reason)


@transaction.atomic
def tell() -> int:
    """Policy leads are written to about certificates that ended by alarm or drift, once each; how many mails went out.
    What cannot be sent is tried again.
    """
    by_itself = (CertificateEnd.ALARM, CertificateEnd.DRIFT)
    ended = CertificateWatch.objects.filter(ended_because__in=by_itself, told_at__isnull=True)
    rows = list(ended.select_for_update(of=("self",), skip_locked=True).select_related("certificate"))
    if not rows:
        return 0
    messages = [letter(person, row) for row in rows for person in leads()]
    get_connection().send_messages(messages)
    ended.filter(pk__in=[row.pk for row in rows]).update(told_at=timezone.now())
    return len(messages)


def leads() -> QuerySet[User]:
    """Who may write plans, and has an address."""
    granted = Q(
        groups__permissions__codename=Scope.POLICY.value, groups__permissions__content_type__app_label="moderation"
    )
    return User.objects.filter(granted, is_active=True).exclude(email="").distinct()


def letter(person: User, row: CertificateWatch) -> EmailMessage:
    certificate = row.certificate
    category = certificate.get_category_display()
    subject = _("Loupe: the certificate of %(category)s ended") % {"category": category}
    lines = [
        str(CertificateEnd(row.ended_because).label),
        _("%(wrong)d of %(seen)d live audits were wrong; the limit is %(alpha)s %%.")
        % {"wrong": row.wrong, "seen": row.seen, "alpha": f"{100 * certificate.alpha:g}"},
    ]
    if certificate.falls_back and row.ended_because == CertificateEnd.ALARM:
        lines.append(_("People decide in this category now, as the certificate asked."))
    return EmailMessage(
        subject, "\n".join([*lines, "", settings.PUBLIC_URL + reverse("certificates"), ""]), to=[person.email]
    )
