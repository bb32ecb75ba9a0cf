"""From decisions on audits to certificates that are kept, expire and are watched."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.utils import timezone

from moderation import automation, guarantees, policies
from moderation.actors import Actor
from moderation.guarantees import Ground, Unproven, drifting, why_expired
from moderation.models import (
    AuditEvent,
    BandCertificate,
    CertificateWatch,
    Client,
    PolicyVersion,
    Reason,
    ReviewRequest,
    TriagePlan,
    User,
)
from moderation.taxonomy import Category, Severity
from review import audits, certifying, queue, service_times, watching
from review.decisions import decide
from review.models import Measure, QualityRollup
from tests import world
from tests.review.arranging import another
from tests.review.auditing import BLOCK, CODE, audited

WEAPONS = Category.WEAPONS_DANGEROUS
ACTOR = Actor.command("test")
LIMIT: dict[str, Any] = {"risk": "FOR", "alpha": 0.2, "delta": 0.05}  # 14 clean audits are enough
LATER = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def no_gold(settings: Any) -> None:
    settings.GOLD_SHARE = 0.0


@pytest.fixture
def all_audited(eyes: TriagePlan) -> TriagePlan:
    return world.publish(*eyes.body["classifiers"], audit_rate=1.0)


def gather() -> audits.Audits:
    ground = Ground.now()
    return audits.gathered(WEAPONS, ground.scoring(WEAPONS), worded=ground.policies[WEAPONS].published_at)


@pytest.fixture
def certificate(all_audited: TriagePlan, platform: Client, rita: User, paula: User) -> BandCertificate:
    audited(platform, rita, [0.1] * 20)
    made = certifying.assess(WEAPONS, **LIMIT)
    return certifying.keep(made, actor=Actor.person(paula), person=paula, falls_back=True)


class TestGathering:
    def test_an_audit_has_its_score_its_chance_and_what_was_said(
        self, all_audited: TriagePlan, platform: Client, rita: User
    ) -> None:
        one, other = audited(platform, rita, [0.1, 0.95], violating=0.9)

        found = {audit.submission: audit for audit in gather().rows}

        assert found[one.pk].score == pytest.approx(0.1, abs=0.01)
        assert found[other.pk].score == pytest.approx(0.95, abs=0.01)
        assert (found[one.pk].violating, found[other.pk].violating) == (False, True)
        assert {audit.chance for audit in found.values()} == {1.0}

    def test_the_chance_is_the_one_that_triage_stored(self, eyes: TriagePlan, platform: Client, rita: User) -> None:
        world.publish(*eyes.body["classifiers"], audit_rate=0.5)
        sent = audited(platform, rita, [0.1] * 12 + [0.5] * 2)
        drawn = ReviewRequest.objects.filter(reason=Reason.AUDIT_SAMPLE).count()

        found = gather()

        assert 0 < drawn < 12
        assert len(found) == drawn + 2
        assert sorted(set(found.weights)) == [1.0, 2.0]
        assert {row.submission for row in found.rows} <= {one.pk for one in sent}

    def test_what_no_lot_could_bring_up_is_not_spoken_for(self, eyes: TriagePlan, platform: Client, rita: User) -> None:
        """Plan 1 audits nothing: what people saw then says nothing of what machines approved."""
        audited(platform, rita, [0.5, 0.1])
        world.publish(*eyes.body["classifiers"], audit_rate=1.0)
        (later,) = audited(platform, rita, [0.1])

        found = gather()

        assert [one.submission for one in found.rows] == [later.pk]
        assert found.unlotted is not None

    def test_a_report_brings_no_image_in_but_corrects_one_that_is(
        self, all_audited: TriagePlan, platform: Client, rita: User, sam: User
    ) -> None:
        (one,) = audited(platform, rita, [0.1])
        world.publish(*all_audited.body["classifiers"], audit_rate=0.000001)
        (never_drawn,) = audited(platform, rita, [0.1])
        for submission in (one, never_drawn):
            request = ReviewRequest(submission=submission, queue=queue.GENERAL)
            another(request, Reason.REPORT)
            (claim,) = queue.claim(sam, queue.GENERAL, 1)
            decide(claim.pk, sam, **BLOCK)

        found = gather()

        assert [(row.submission, row.violating) for row in found.rows] == [(one.pk, True)]

    def test_answers_under_an_earlier_wording_or_another_classifier_do_not_count(
        self, all_audited: TriagePlan, platform: Client, rita: User, tmp_path: Any
    ) -> None:
        audited(platform, rita, [0.1])
        reword()

        assert len(gather()) == 0

        audited(platform, rita, [0.1])
        assert len(gather()) == 1
        world.publish(world.colour_eyes(tmp_path, version="2").ref, audit_rate=1.0)
        assert len(gather()) == 0

    def test_gold_items_and_answers_that_wait_are_left_out(
        self, all_audited: TriagePlan, platform: Client, rita: User
    ) -> None:
        world.triaged(platform, world.png(red=0.1))

        found = gather()

        assert (len(found), found.waiting) == (0, 1)


def reword() -> PolicyVersion:
    return policies.publish_policy(
        WEAPONS,
        headline="No weapons, or nearly.",
        definition="As said.",
        allowed=[],
        not_allowed=[],
        exceptions="",
        severity=Severity.S2,
        actor=ACTOR,
    )


class TestAssessing:
    def test_clean_audits_certify_as_far_as_they_reach(
        self, all_audited: TriagePlan, platform: Client, rita: User
    ) -> None:
        audited(platform, rita, [0.1] * 16 + [0.5] * 4, violating=0.4)

        made = certifying.assess(WEAPONS, **LIMIT)

        assert made.found.threshold == pytest.approx(0.1, abs=0.02)
        assert (made.found.n, made.found.k, made.cut) == (16, 0, 0.2)

    def test_too_few_say_how_many_more_and_what_they_cost(
        self, all_audited: TriagePlan, platform: Client, rita: User, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(service_times, "LEAST", 4)
        monkeypatch.setattr(service_times, "SHORTEST", 0.0)
        audited(platform, rita, [0.1] * 4)

        made = certifying.assess(WEAPONS, **LIMIT)

        assert made.found.threshold is None
        assert (made.need.inside, made.need.audits) == (10, 10)
        assert made.seconds == service_times.service_times().of(CODE)
        assert made.seconds is not None
        assert made.need.hours == pytest.approx(10 * made.seconds / 3600)
        with pytest.raises(Unproven, match="all goes to people"):
            certifying.keep(made, actor=ACTOR)

    def test_readers_errors_are_reckoned_in_beside_the_raw_share(
        self, all_audited: TriagePlan, platform: Client, rita: User
    ) -> None:
        counts = {"tp": 35, "fn": 15, "tn": 200, "fp": 0}
        QualityRollup.objects.create(day=timezone.now().date(), measure=Measure.GOLD, category=CODE, counts=counts)
        audited(platform, rita, [0.1] * 18 + [0.15] * 2, violating=0.13)

        made = certifying.assess(WEAPONS, risk="FOR", alpha=0.5, delta=0.05)

        assert made.found.rate == pytest.approx(0.1)
        assert made.corrected is not None
        assert made.corrected.share == pytest.approx(0.1 / (0.7 - 0.0), abs=0.02)
        assert made.corrected.high > made.raw.high

    def test_a_category_that_nobody_scores_has_nothing_to_certify(self, all_audited: TriagePlan) -> None:
        with pytest.raises(Unproven, match="scores this category"):
            certifying.assess(Category.HATE, **LIMIT)


class TestKeeping:
    def test_it_is_stored_with_all_it_stands_on_and_never_changed(
        self, certificate: BandCertificate, paula: User
    ) -> None:
        assert (certificate.plan.number, certificate.made_by, certificate.n, certificate.k) == (2, paula, 20, 0)
        assert certificate.classifiers == ["colour-eyes@1"]
        assert (certificate.policy.category, certificate.policy.number) == (CODE, 1)
        assert AuditEvent.objects.filter(action="certificate.made", subject=f"certificate:{certificate.pk}").exists()
        with pytest.raises(DatabaseError, match=r"."), transaction.atomic():
            BandCertificate.objects.update(alpha=0.9)

    def test_moving_the_cuts_leaves_it_standing(self, certificate: BandCertificate) -> None:
        bands = {**world.BANDS, CODE: {"approve": 0.1, "block": None}}
        world.publish(*certificate.classifiers, bands=bands, audit_rate=1.0)

        assert why_expired(certificate, timezone.now()) == ""
        assert guarantees.standing(timezone.now()) == [certificate]

    def test_another_classifier_ends_it(self, certificate: BandCertificate, tmp_path: Any) -> None:
        world.publish(world.colour_eyes(tmp_path, version="2").ref, audit_rate=1.0)

        assert "colour-eyes@2" in why_expired(certificate, timezone.now())
        assert guarantees.standing(timezone.now()) == []

    def test_another_wording_ends_it(self, certificate: BandCertificate) -> None:
        reword()

        assert "version 2" in why_expired(certificate, timezone.now())

    def test_another_taxonomy_ends_it(self, certificate: BandCertificate) -> None:
        ground = Ground.now()
        other = Ground(ground.plan, ground.scorers, ground.policies, "another")

        assert "taxonomy" in why_expired(certificate, timezone.now(), ground=other)

    def test_age_ends_it(self, certificate: BandCertificate) -> None:
        assert why_expired(certificate, certificate.expires_at - LATER) == ""
        assert "too old" in why_expired(certificate, certificate.expires_at)

    def test_a_lead_withdraws_it_once(self, certificate: BandCertificate, paula: User) -> None:
        guarantees.withdraw(certificate.pk, Actor.person(paula))

        again = BandCertificate.objects.get(pk=certificate.pk)
        assert "withdrew" in why_expired(again, timezone.now())
        with pytest.raises(Unproven):
            guarantees.withdraw(certificate.pk, Actor.person(paula))


class TestWatching:
    def test_clean_audits_raise_no_alarm(self, certificate: BandCertificate, platform: Client, rita: User) -> None:
        audited(platform, rita, [0.1] * 10)

        assert watching.watch(now=timezone.now() + LATER) == 0

        watch = CertificateWatch.objects.get()
        assert (watch.seen, watch.wrong, watch.ended_at) == (10, 0, None)

    def test_each_audit_is_read_once(self, certificate: BandCertificate, platform: Client, rita: User) -> None:
        audited(platform, rita, [0.1] * 3)
        for _look in range(2):
            watching.watch(now=timezone.now() + LATER)
        audited(platform, rita, [0.1] * 2 + [0.5])  # what lies outside is none of its business
        watching.watch(now=timezone.now() + LATER)

        assert CertificateWatch.objects.get().seen == 5

    def test_violations_raise_the_alarm_and_people_decide_from_then_on(
        self, certificate: BandCertificate, platform: Client, rita: User, paula: User
    ) -> None:
        paula.email = "paula@example.org"
        paula.save()
        audited(platform, rita, [0.1] * 12, violating=0.05)

        assert watching.watch(now=timezone.now() + LATER) == 1

        watch = CertificateWatch.objects.select_related("certificate").get()
        assert watch.ended_because == "alarm"
        assert "broken" in why_expired(watch.certificate, timezone.now())
        assert automation.stopped().bars("approve", CODE)
        assert not automation.stopped().bars("block", CODE)
        assert AuditEvent.objects.filter(action="certificate.ended").count() == 1
        assert (watching.tell(), watching.tell()) == (1, 0)
        assert "Weapons" in mail.outbox[0].subject

    def test_without_the_leads_word_an_alarm_stops_nothing(
        self, all_audited: TriagePlan, platform: Client, rita: User
    ) -> None:
        audited(platform, rita, [0.1] * 20)
        certifying.keep(certifying.assess(WEAPONS, **LIMIT), actor=ACTOR)
        audited(platform, rita, [0.1] * 12, violating=0.05)

        assert watching.watch(now=timezone.now() + LATER) == 1
        assert not automation.stopped()

    def test_other_scores_than_were_audited_end_it(
        self, certificate: BandCertificate, platform: Client, rita: User, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(drifting, "LEAST", 10)
        audited(platform, rita, [0.6] * 12)

        assert watching.watch(now=timezone.now() + LATER) == 1
        assert CertificateWatch.objects.get().ended_because == "drift"


class TestCommand:
    def asked(self, *more: str) -> tuple[int, dict[str, Any]]:
        out, status = io.StringIO(), 0
        said = ["--category", CODE, "--risk", "FOR", "--alpha", "0.2", "--delta", "0.05", "--json", *more]
        try:
            call_command("certify", *said, stdout=out)
        except CommandError as error:
            status = error.returncode
        return status, json.loads(out.getvalue()) if out.getvalue() else {}

    def test_it_says_what_is_certified_and_stores_it_when_asked(
        self, all_audited: TriagePlan, platform: Client, rita: User
    ) -> None:
        audited(platform, rita, [0.1] * 20)

        status, said = self.asked("--store")

        assert (status, said["n"], said["k"], said["share"]) == (0, 20, 0, 1.0)
        assert said["certificate"] == str(BandCertificate.objects.get().pk)

    def test_where_nothing_is_certified_it_says_what_is_missing_and_fails(
        self, all_audited: TriagePlan, platform: Client, rita: User
    ) -> None:
        audited(platform, rita, [0.1] * 2)

        status, said = self.asked("--store")

        assert (status, said["threshold"], said["needed"]["audits"]) == (1, None, 12)
        assert not BandCertificate.objects.exists()

    def test_bad_numbers_are_bad_use(self, all_audited: TriagePlan) -> None:
        assert self.asked("--alpha", "2")[0] == 2

    def test_several_categories_hold_at_once(self, all_audited: TriagePlan, platform: Client, rita: User) -> None:
        audited(platform, rita, [0.1] * 30, violating=0.05)

        status, said = self.asked("--category", "PRIVACY,REGULATED", "--store")

        found = {one["category"]: one["threshold"] for one in said["certificates"]}
        assert (status, said["delta"]) == (1, 0.05)
        assert found[CODE] is None
        assert {row.category for row in BandCertificate.objects.all()} == {"PRIVACY", "REGULATED"}
        assert {row.family_delta for row in BandCertificate.objects.all()} == {0.05}

    def test_a_category_that_is_none_is_bad_use(self, all_audited: TriagePlan) -> None:
        assert self.asked("--category", "PRIVACY,NONE")[0] == 2
