"""Certificates after a change of versions: what audits prove of the new one is made anew, and the rest says what is
missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from classifiers.models import ClassifierVersion
from moderation import adoption, guarantees, shadows
from moderation.actors import Actor
from moderation.models import AuditEvent, BandCertificate, Client, TriagePlan, User
from moderation.taxonomy import Category
from review import certifying
from tests import world
from tests.moderation.callers import at_page
from tests.review.auditing import CODE, audited

WEAPONS, PRIVACY = Category.WEAPONS_DANGEROUS, Category.PRIVACY
ACTOR = Actor.command("test")
LIMIT: dict[str, Any] = {"risk": "FOR", "alpha": 0.2, "delta": 0.05}


@pytest.fixture(autouse=True)
def no_gold(settings: Any) -> None:
    settings.GOLD_SHARE = 0.0


@pytest.fixture
def newer(eyes: TriagePlan, tmp_path: Path) -> ClassifierVersion:
    world.publish(*eyes.body["classifiers"], audit_rate=1.0)
    return world.colour_eyes(tmp_path, version="2")


def outgrown() -> list[str]:
    return [one.category for one in guarantees.outgrown(timezone.now())]


def test_audits_from_the_shadow_make_it_anew(
    newer: ClassifierVersion, platform: Client, rita: User, paula: User
) -> None:
    shadows.start(newer.ref, actor=ACTOR)
    audited(platform, rita, [0.1] * 20)
    old = certifying.keep(certifying.assess(WEAPONS, **LIMIT), actor=ACTOR, falls_back=True)
    assert outgrown() == []
    plan = adoption.adopt(newer.ref, actor=ACTOR)
    assert outgrown() == [CODE]
    lead = at_page(paula)
    for page in (reverse("plans"), reverse("classifier", args=[newer.pk])):
        assert reverse("certificates") + "#outgrown" in lead.get(page).content.decode()

    text = lead.post(reverse("certificate_reissue"), follow=True).content.decode()

    assert "Made anew: Weapons" in text
    assert outgrown() == []
    made = BandCertificate.objects.exclude(pk=old.pk).get()
    assert (made.plan, made.classifiers, made.made_by) == (plan, [newer.ref], paula)
    assert (made.alpha, made.delta, made.falls_back, made.n) == (old.alpha, old.delta, True, 20)
    assert AuditEvent.objects.filter(action="certificate.made").count() == 2
    assert "nothing to make anew" in lead.post(reverse("certificate_reissue"), follow=True).content.decode()


def test_without_audits_of_the_new_version_it_says_how_many_are_missing(
    newer: ClassifierVersion, platform: Client, rita: User, paula: User
) -> None:
    audited(platform, rita, [0.1] * 20)
    family = certifying.assess_all([WEAPONS, PRIVACY], **LIMIT)
    certifying.keep_all(family, actor=ACTOR)
    adoption.adopt(newer.ref, actor=ACTOR)
    lead = at_page(paula)
    page = lead.get(reverse("certificates")).content.decode()
    assert f"category={CODE}&amp;risk=FOR&amp;limit=20&amp;confidence=" in page

    text = lead.post(reverse("certificate_reissue"), follow=True).content.decode()

    assert "Not yet proved." in text
    assert "more audits are needed" in text
    assert sorted(outgrown()) == sorted([CODE, "PRIVACY"])
    audited(platform, rita, [0.1] * 25)
    lead.post(reverse("certificate_reissue"))
    assert outgrown() == []
    again = BandCertificate.objects.order_by("-id")[:2]
    assert {one.family_delta for one in again} == {0.05}  # as before: both hold at once
    assert {one.category for one in again} == {CODE, "PRIVACY"}


def test_only_a_policy_lead_makes_them_anew(newer: ClassifierVersion, eve: User, ari: User, ming: User) -> None:
    for who in (eve, ari, ming):
        assert at_page(who).post(reverse("certificate_reissue")).status_code == 403
