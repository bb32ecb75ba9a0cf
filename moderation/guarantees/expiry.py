"""When a certificate no longer says anything: the one rule, asked wherever a certificate is shown or relied on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.utils.translation import gettext as _

from classifiers.models import ClassifierVersion
from moderation.models import BandCertificate, CertificateEnd, PolicyVersion, TriagePlan
from moderation.taxonomy import DEFAULT_SEVERITY, Category


@dataclass(frozen=True, slots=True)
class Ground:
    """What certificates stand on, as it is now: the plan, who scores each category, its wording, the taxonomy."""

    plan: TriagePlan | None
    scorers: Sequence[ClassifierVersion]
    policies: Mapping[str, PolicyVersion]
    taxonomy: str

    @classmethod
    def now(cls) -> Self:
        """Three queries."""
        plan = TriagePlan.objects.in_force()
        pinned = ClassifierVersion.objects.with_refs([str(ref) for ref in plan.body["classifiers"]] if plan else [])
        policies = {one.category: one for one in PolicyVersion.objects.in_force()}
        return cls(plan, list(pinned), policies, taxonomy_digest())

    def scoring(self, category: str) -> list[ClassifierVersion]:
        """The pinned versions whose word on the category counts, by name."""
        return sorted((one for one in self.scorers if category in one.categories), key=lambda one: one.ref)


def taxonomy_digest() -> str:
    """SHA-256 of the categories and their severities."""
    said = {category.value: int(DEFAULT_SEVERITY[category]) for category in Category}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def why_expired(certificate: BandCertificate, now: datetime, *, ground: Ground | None = None) -> str:
    """Why it holds no longer, in words; "" while it does. A plan that only moves cuts leaves it standing: a certificate
    is of scores and wordings, and its threshold of any cut on its safe side. `ground` saves the queries where many are
    asked; the certificate's `watch` and `policy` are best fetched with it.
    """
    watch = certificate.watch
    if watch.ended_at is not None and watch.ended_at <= now:
        return str(CertificateEnd(watch.ended_because).label)
    if certificate.expires_at <= now:
        return _("It is too old: traffic changes, and so do the people who send it.")
    ground = ground or Ground.now()
    if ground.taxonomy != certificate.taxonomy:
        return _("The taxonomy changed.")
    refs = [one.ref for one in ground.scoring(certificate.category)]
    if refs != list(certificate.classifiers):
        told = ", ".join(refs) or _("nothing")
        return _("Other classifiers score this category now: %(refs)s.") % {"refs": told}
    policy = ground.policies.get(certificate.category)
    if policy is None or policy.pk != certificate.policy_id:
        number = policy.number if policy else 0
        return _("The guideline changed: version %(number)d is in force.") % {"number": number}
    return ""
