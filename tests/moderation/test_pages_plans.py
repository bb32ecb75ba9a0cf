"""Plans on screen: read, drafted with a preview, published, rolled back."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from classifiers.models import ClassifierVersion
from moderation import policies
from moderation.actors import Actor
from moderation.models import Client, TriagePlan, User
from moderation.plan_forms import whole_draft_of
from moderation.policies import parsed
from moderation.triage import run_once
from tests import world

DRAFT = "/policies/plans/draft/"


@pytest.fixture(autouse=True)
def one_person(settings: Any) -> None:
    """What takes two is tested apart (test_pages_plan_proposals)."""
    settings.SECOND_APPROVER = False


@pytest.fixture
def browser(client: Browser, paula: User) -> Browser:
    client.force_login(paula)
    return client


def draft(plan: TriagePlan, **changes: Any) -> dict[str, Any]:
    """The form as a browser sends it: the plan, but for `changes`; None takes a field out."""
    shown = whole_draft_of(parsed(plan), based_on=plan.number)
    sent = {**shown, "note": "Because.", "action": "publish", **changes}
    return {name: value for name, value in sent.items() if value is not None and value is not False}


def rolled(number: int) -> str:
    return reverse("plan_roll_back", kwargs={"number": number})


def test_the_plan_in_force_shows_its_cuts_classifiers_and_audit_rate(
    browser: Browser, guidelines: None, eyes: TriagePlan
) -> None:
    policies.publish_plan({**eyes.body, "audit_rate": 0.025}, note="Audit more.", actor=Actor.command("test"))

    page = browser.get("/policies/plans/")

    lines = {line.category: line for line in page.context["lines"]}
    assert (lines["WEAPONS_DANGEROUS"].band.approve, lines["WEAPONS_DANGEROUS"].band.block) == (0.2, 0.9)
    assert [version.ref for version in lines["PRIVACY"].speakers] == ["colour-eyes@1"]
    assert lines["HATE"].band is None
    assert "2.5 % of what machines decide" in page.content.decode()
    assert "Audit more." in page.content.decode()


def test_before_the_first_plan_the_page_says_what_to_do(browser: Browser) -> None:
    assert "Draft the first plan" in browser.get("/policies/plans/").content.decode()


def test_a_plan_that_never_was_is_not_found(browser: Browser, eyes: TriagePlan) -> None:
    assert browser.get("/policies/plans/9/").status_code == 404


def test_a_long_history_comes_in_pages_at_the_same_cost(
    browser: Browser, eyes: TriagePlan, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        policies.publish_plan(eyes.body, note=f"note {number}", actor=Actor.command("test"))

    with django_assert_max_num_queries(15):
        first = browser.get("/policies/plans/")
    second = browser.get("/policies/plans/", {"before": first.context["older"]})

    assert [row.number for row in first.context["history"]] == list(range(31, 6, -1))
    assert [row.number for row in second.context["history"]] == list(range(6, 0, -1))
    assert second.context["older"] is None


class TestDraft:
    def test_it_starts_from_the_plan_in_force(self, browser: Browser, eyes: TriagePlan) -> None:
        form = browser.get(DRAFT).context["form"]

        assert form.initial == whole_draft_of(parsed(eyes), based_on=1)

    def test_it_may_start_from_an_earlier_plan(self, browser: Browser, eyes: TriagePlan) -> None:
        policies.publish_plan({**eyes.body, "audit_rate": 0.5}, note="", actor=Actor.command("test"))

        form = browser.get(DRAFT, {"from": "1"}).context["form"]

        assert (form.initial["audit_percent"], form.initial["based_on"]) == (0, 2)

    def test_the_first_one_starts_from_cautious_cuts(self, browser: Browser) -> None:
        form = browser.get(DRAFT).context["form"]

        assert (form.initial["approve_CSAE"], form.initial["automatic_CSAE"]) == (0.01, False)
        assert form.initial["based_on"] == 0

    def test_publishing_puts_it_in_force(self, browser: Browser, eyes: TriagePlan, paula: User) -> None:
        sent = draft(eyes, approve_PRIVACY="0.3", automatic_PRIVACY="on", block_PRIVACY="0.95", audit_percent="5")

        answer = browser.post(DRAFT, sent)

        plan = TriagePlan.objects.in_force()
        assert plan is not None
        assert answer["Location"] == reverse("plan", kwargs={"number": 2})
        assert (plan.number, plan.note, plan.published_by) == (2, "Because.", paula)
        assert plan.body["bands"]["PRIVACY"] == {"approve": 0.3, "block": 0.95}
        assert plan.body["audit_rate"] == 0.05
        assert plan.body["classifiers"] == ["colour-eyes@1"]

    def test_an_unticked_box_leaves_blocking_to_people(self, browser: Browser, eyes: TriagePlan) -> None:
        browser.post(DRAFT, draft(eyes, automatic_REGULATED=None))

        plan = TriagePlan.objects.in_force()
        assert plan is not None
        assert plan.body["bands"]["REGULATED"] == {"approve": 0.2, "block": None}

    def test_the_gravest_harms_are_never_blocked_by_machine(self, browser: Browser, eyes: TriagePlan) -> None:
        browser.post(DRAFT, draft(eyes, approve_CSAE="0.01", automatic_CSAE="on", block_CSAE="0.9"))

        plan = TriagePlan.objects.in_force()
        assert plan is not None
        assert plan.body["bands"]["CSAE"] == {"approve": 0.01, "block": None}

    @pytest.mark.parametrize(
        ("change", "field", "words"),
        [
            ({"approve_PRIVACY": None}, "approve_PRIVACY", "colour-eyes@1 scores this category"),
            ({"approve_PRIVACY": "1.2"}, "approve_PRIVACY", "less than or equal to 1"),
            ({"approve_PRIVACY": "nan"}, "approve_PRIVACY", "Enter a number"),
            ({"block_REGULATED": "0.1"}, "block_REGULATED", "must not lie below"),
            ({"block_REGULATED": None}, "block_REGULATED", "from which probability"),
            ({"automatic_OTHER": "on"}, "approve_OTHER", "Set the approve cut too"),
            ({"audit_percent": "101"}, "audit_percent", "less than or equal to 100"),
            ({"classifiers": None}, "classifiers", "Pin at least one"),
            ({"classifiers": ["nobody@1"]}, "classifiers", "not one of the available choices"),
            ({"note": " "}, "note", "This field is required."),
        ],
    )
    def test_what_cannot_be_followed_is_said_beside_its_field(
        self, browser: Browser, eyes: TriagePlan, change: dict[str, Any], field: str, words: str
    ) -> None:
        answer = browser.post(DRAFT, draft(eyes, **change))

        assert answer.status_code == 200
        assert words in str(answer.context["form"].errors[field])
        assert words.replace("'", "&#x27;") in answer.content.decode()
        assert TriagePlan.objects.count() == 1

    def test_a_plan_published_meanwhile_is_shown_with_what_it_changed(
        self, browser: Browser, eyes: TriagePlan, sam: User
    ) -> None:
        mine = draft(eyes, approve_PRIVACY="0.4")
        theirs = {**eyes.body, "bands": {**eyes.body["bands"], "REGULATED": {"approve": 0.1, "block": 0.9}}}
        policies.publish_plan(theirs, note="Stricter on goods.", actor=Actor.person(sam), person=sam)

        answer = browser.post(DRAFT, mine)

        page = answer.content.decode()
        assert answer.status_code == 409
        assert "sam published plan 2 while you were drafting." in page
        assert "approve below 0.20 → 0.10" in page
        assert (answer.context["form"]["approve_PRIVACY"].value(), answer.context["form"]["based_on"].value()) == (
            "0.4",
            "2",
        )
        assert TriagePlan.objects.count() == 2

    def test_a_preview_of_an_outdated_draft_says_so_too(self, browser: Browser, eyes: TriagePlan) -> None:
        mine = draft(eyes, action="preview")
        policies.publish_plan(eyes.body, note="", actor=Actor.command("test"))

        assert browser.post(DRAFT, mine).status_code == 409


class TestPreview:
    @pytest.fixture
    def history(self, eyes: TriagePlan, platform: Client) -> None:
        for tenth in range(10):
            world.submit(platform, world.png(red=(tenth + 0.5) / 10, size=32))
        run_once()

    def test_it_says_in_words_and_counts_what_changes(self, browser: Browser, eyes: TriagePlan, history: None) -> None:
        sent = draft(eyes, approve_WEAPONS_DANGEROUS="0.4", audit_percent="10", action="preview", note=None)

        answer = browser.post(DRAFT, sent)

        page = answer.content.decode()
        assert "approve below 0.20 → 0.40" in page
        assert "0 % → 10 %" in page
        assert "2 of the last 10 images go elsewhere" in page
        assert [(share.action, share.before, share.after, share.points) for share in answer.context["shares"]] == [
            ("approve", 2, 4, "+20.0"),
            ("review", 7, 5, "−20.0"),
            ("block", 1, 1, "+0.0"),
        ]

    def test_it_publishes_nothing(self, browser: Browser, eyes: TriagePlan, history: None) -> None:
        browser.post(DRAFT, draft(eyes, approve_WEAPONS_DANGEROUS="0.4", action="preview"))

        assert TriagePlan.objects.count() == 1

    def test_a_draft_that_changes_nothing_says_so(self, browser: Browser, eyes: TriagePlan, history: None) -> None:
        page = browser.post(DRAFT, draft(eyes, action="preview")).content.decode()

        assert "the draft says what the plan in force says" in page

    def test_without_images_it_shows_the_words_alone(self, browser: Browser, eyes: TriagePlan) -> None:
        page = browser.post(DRAFT, draft(eyes, approve_PRIVACY="0.4", action="preview")).content.decode()

        assert "approve below 0.20 → 0.40" in page
        assert "nothing could be replayed" in page


class TestRollBack:
    def test_an_earlier_plan_is_published_again(self, browser: Browser, eyes: TriagePlan, paula: User) -> None:
        browser.post(DRAFT, draft(eyes, approve_PRIVACY="0.4"))

        browser.post(rolled(1), {"note": "Too many were missed."})

        plan = TriagePlan.objects.in_force()
        assert plan is not None
        assert (plan.number, plan.body, plan.note) == (3, eyes.body, "Too many were missed.")
        assert plan.published_by == paula

    def test_it_is_offered_on_earlier_plans_only(self, browser: Browser, eyes: TriagePlan) -> None:
        policies.publish_plan(eyes.body, note="", actor=Actor.command("test"))

        assert rolled(1) in browser.get("/policies/plans/1/").content.decode()
        assert rolled(2) not in browser.get("/policies/plans/2/").content.decode()

    def test_there_is_no_way_back_to_a_plan_that_never_was(self, browser: Browser, eyes: TriagePlan) -> None:
        assert browser.post(rolled(7)).status_code == 404


def test_what_can_be_pinned_is_the_newest_of_each_name_and_what_is_pinned(browser: Browser, eyes: TriagePlan) -> None:
    backbone = ClassifierVersion.objects.get()
    for number in range(8):
        ClassifierVersion.objects.create(
            name="heads",
            version=str(number),
            kind="heads",
            card={},
            weights="x",
            sha256="0" * 64,
            categories=["PRIVACY"],
            backbone=backbone,
        )

    offered = [ref for ref, _words in browser.get(DRAFT).context["form"].fields["classifiers"].choices]

    assert offered == ["colour-eyes@1", "heads@7", "heads@6", "heads@5", "heads@4", "heads@3"]
