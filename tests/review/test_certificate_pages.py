"""Certificates on screen and over HTTP."""

from __future__ import annotations

import csv
import io
from typing import Any, ClassVar

import pytest
from django.test import Client as Browser
from django.urls import reverse

from moderation.models import BandCertificate, Client, TriagePlan, User
from moderation.taxonomy import Category
from review import certifying
from tests import world
from tests.moderation.callers import at_page, with_key, with_session
from tests.review.auditing import CODE, audited
from tests.review.test_certifying import ACTOR, LIMIT

PAGE = "/certificates/"
ASKED = {"category": CODE, "risk": "FOR", "limit": "20", "confidence": "95"}
ORDER = {"category": CODE, "risk": "FOR", "alpha": 0.2, "delta": 0.05}


@pytest.fixture(autouse=True)
def no_gold(settings: Any) -> None:
    settings.GOLD_SHARE = 0.0


@pytest.fixture
def twenty(eyes: TriagePlan, platform: Client, rita: User) -> TriagePlan:
    """Plan 2, and twenty clean audits under it."""
    plan = world.publish(*eyes.body["classifiers"], audit_rate=1.0)
    audited(platform, rita, [0.1] * 20)
    return plan


@pytest.fixture
def browser(paula: User) -> Browser:
    return at_page(paula)


def kept() -> BandCertificate:
    return certifying.keep(certifying.assess(Category.WEAPONS_DANGEROUS, **LIMIT), actor=ACTOR)


class TestPage:
    def test_before_the_first_it_says_what_to_do(self, browser: Browser) -> None:
        assert "No certificate is stored yet" in browser.get(PAGE).content.decode()

    def test_it_says_what_the_audits_prove(self, browser: Browser, twenty: TriagePlan) -> None:
        page = browser.get(PAGE, ASKED)

        made = page.context["made"]
        assert (made.found.n, made.found.k, made.found.share) == (20, 0, 1.0)
        assert "at most 20 % of it violates" in page.content.decode()
        assert "covers the cut of plan 2" in page.content.decode()

    def test_a_cut_beyond_what_is_proved_says_so(
        self, browser: Browser, twenty: TriagePlan, platform: Client, rita: User
    ) -> None:
        world.publish(*twenty.body["classifiers"], bands={**world.BANDS, CODE: {"approve": 0.6}}, audit_rate=1.0)
        audited(platform, rita, [0.5] * 10, violating=0.4)

        page = browser.get(PAGE, ASKED)

        assert page.context["made"].found.n == 20
        assert "lies beyond it" in page.content.decode()

    def test_too_few_audits_leave_all_to_people(self, browser: Browser, eyes: TriagePlan) -> None:
        text = browser.get(PAGE, ASKED).content.decode()

        assert "Nothing can be certified" in text
        assert "Store it" not in text

    def test_what_cannot_be_asked_is_said_beside_the_field(self, browser: Browser, twenty: TriagePlan) -> None:
        page = browser.get(PAGE, {**ASKED, "limit": "120"})

        assert page.context["form"].errors["limit"]
        assert "made" not in page.context

    def test_without_a_plan_it_says_so(self, browser: Browser, guidelines: None) -> None:
        assert "published plan" in browser.get(PAGE, ASKED).content.decode()

    def test_a_lead_stores_it_and_withdraws_it(self, browser: Browser, twenty: TriagePlan, paula: User) -> None:
        browser.post(PAGE + "keep", {**ASKED, "falls_back": "on"})

        row = BandCertificate.objects.get()
        assert (row.plan, row.made_by, row.falls_back) == (twenty, paula, True)
        assert "holds" in browser.get(PAGE).content.decode()

        browser.post(reverse("certificate_withdraw", args=[row.pk]))

        (line,) = browser.get(PAGE).context["lines"]
        assert "withdrew" in line.expired

    def test_the_plan_shows_it(self, browser: Browser, twenty: TriagePlan) -> None:
        kept()

        assert "certified" in browser.get("/policies/plans/").content.decode()

    def test_the_list_is_a_table_too(self, browser: Browser, twenty: TriagePlan) -> None:
        row = kept()

        (line,) = csv.DictReader(io.StringIO(browser.get(PAGE, {"csv": 1}).content.decode()))

        assert (line["id"], line["n"], line["k"], line["expired"]) == (str(row.pk), "20", "0", "")

    def test_a_long_list_costs_no_more(
        self, browser: Browser, twenty: TriagePlan, django_assert_max_num_queries: Any
    ) -> None:
        for _each in range(60):
            kept()

        with django_assert_max_num_queries(12):
            first = browser.get(PAGE)
        second = browser.get(PAGE, {"before": first.context["older"]})

        assert (len(first.context["lines"]), len(second.context["lines"])) == (50, 10)

    def test_who_may_read_plans_reads_certificates_and_changes_nothing(self, twenty: TriagePlan, rita: User) -> None:
        row = kept()
        mine = at_page(rita)

        assert mine.get(PAGE).status_code == 200
        assert mine.post(PAGE + "keep", ASKED).status_code == 403
        assert mine.post(reverse("certificate_withdraw", args=[row.pk])).status_code == 403
        assert BandCertificate.objects.count() == 1

    def test_who_has_no_rights_sees_nothing(self, eve: User) -> None:
        assert at_page(eve).get(PAGE).status_code == 403
        assert Browser().get(PAGE).status_code == 302


class TestSeveralAtOnce:
    SEVERAL: ClassVar[dict[str, Any]] = {**ASKED, "more": ["REGULATED", "PRIVACY", "HATE"]}

    def test_each_gets_its_part_of_the_doubt_and_says_what_it_proves(
        self, browser: Browser, twenty: TriagePlan
    ) -> None:
        page = browser.get(PAGE, self.SEVERAL)
        text = page.content.decode()

        assert [one.made.category for one in page.context["proved"]] == [CODE, "REGULATED", "PRIVACY"]
        assert [one.made.found.delta for one in page.context["proved"]] == [pytest.approx(0.05 / 3)] * 3
        assert "3 of 3 categories are certified" in text
        assert "No classifier of plan 2 scores this category." in text

    def test_what_cannot_be_certified_is_said_of_it_alone_and_the_rest_is_stored_together(
        self, browser: Browser, eyes: TriagePlan, platform: Client, rita: User
    ) -> None:
        plan = world.publish(*eyes.body["classifiers"], audit_rate=1.0)
        audited(platform, rita, [0.1] * 30, violating=0.05)

        page = browser.get(PAGE, self.SEVERAL)
        browser.post(PAGE + "keep", self.SEVERAL)

        assert "2 of 3 categories are certified" in page.content.decode()
        assert "cannot be certified" in page.content.decode()
        rows = list(BandCertificate.objects.order_by("category"))
        assert [(row.category, row.plan) for row in rows] == [("PRIVACY", plan), ("REGULATED", plan)]
        assert len({row.family for row in rows}) == 1
        assert {row.family_delta for row in rows} == {0.05}
        assert {tuple(row.family_of) for row in rows} == {(CODE, "REGULATED", "PRIVACY")}
        assert "one of 3 at once" in browser.get(PAGE).content.decode()

    def test_blocking_is_certified_for_several_too(
        self, browser: Browser, eyes: TriagePlan, platform: Client, rita: User
    ) -> None:
        world.publish(*eyes.body["classifiers"], audit_rate=1.0)
        audited(platform, rita, [0.95] * 20, violating=0.9)

        page = browser.get(PAGE, {**self.SEVERAL, "risk": "FDR"})

        found = {one.made.category: one.made.found.threshold for one in page.context["proved"]}
        assert found[Category.WEAPONS_DANGEROUS] is not None
        assert found[Category.PRIVACY] is None

    def test_the_call_takes_several(self, twenty: TriagePlan, paula: User) -> None:
        order = {"categories": [CODE, "PRIVACY", "HATE"], "risk": "FOR", "alpha": 0.2, "delta": 0.05, "store": True}

        answer = with_session(paula).post("/api/v1/plans/2/certificates", order, format="json")

        said = answer.json()
        assert (answer.status_code, said["delta"]) == (201, 0.05)
        assert [one["category"] for one in said["certificates"]] == [CODE, "PRIVACY"]
        assert {one["family_delta"] for one in said["certificates"]} == {0.05}
        assert said["refused"][0]["category"] == "HATE"
        assert BandCertificate.objects.count() == 2

    @pytest.mark.parametrize("named", [{}, {"category": CODE, "categories": [CODE]}, {"categories": []}])
    def test_a_call_names_one_or_several(self, twenty: TriagePlan, paula: User, named: dict[str, Any]) -> None:
        order = {"risk": "FOR", "alpha": 0.2, "delta": 0.05, **named}

        assert with_session(paula).post("/api/v1/plans/2/certificates", order, format="json").status_code == 422


class TestCall:
    URL = "/api/v1/plans/2/certificates"

    def test_it_answers_what_the_audits_prove(self, twenty: TriagePlan, paula: User) -> None:
        answer = with_session(paula).post(self.URL, ORDER, format="json")

        assert (answer.status_code, answer.json()["n"], answer.json()["id"]) == (200, 20, None)
        assert not BandCertificate.objects.exists()

    def test_it_stores_when_asked_and_lists(self, twenty: TriagePlan, paula: User) -> None:
        caller = with_session(paula)

        answer = caller.post(self.URL, {**ORDER, "store": True}, format="json")

        (listed,) = caller.get(self.URL).json()
        assert (answer.status_code, listed["id"]) == (201, answer.json()["id"])
        assert (listed["threshold"], listed["expired"]) == (answer.json()["threshold"], "")

    def test_an_earlier_plan_is_not_certified(self, twenty: TriagePlan, paula: User) -> None:
        caller = with_session(paula)

        assert caller.post("/api/v1/plans/1/certificates", ORDER, format="json").status_code == 409
        assert caller.post("/api/v1/plans/9/certificates", ORDER, format="json").status_code == 404

    def test_nothing_is_stored_of_too_few(self, eyes: TriagePlan, paula: User) -> None:
        answer = with_session(paula).post("/api/v1/plans/1/certificates", {**ORDER, "store": True}, format="json")

        assert (answer.status_code, answer.json()["type"]) == (409, "urn:loupe:problem:unproven")

    @pytest.mark.parametrize("wrong", [{"alpha": 2}, {"risk": "FNR"}, {"category": "NONE"}])
    def test_bad_numbers_are_refused(self, twenty: TriagePlan, paula: User, wrong: dict[str, Any]) -> None:
        assert with_session(paula).post(self.URL, {**ORDER, **wrong}, format="json").status_code == 422

    def test_only_policy_leads_ask_and_keys_never(
        self, twenty: TriagePlan, rita: User, eve: User, api_key: str
    ) -> None:
        assert with_session(rita).post(self.URL, ORDER, format="json").status_code == 403
        assert with_session(eve).get(self.URL).status_code == 403
        assert with_key(api_key).post(self.URL, ORDER, format="json").status_code == 403
