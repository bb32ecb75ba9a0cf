"""Rules on screen: listed with their hits, drafted, tried, published, switched; refused with the place of the fault."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser

from moderation import policies
from moderation.actors import Actor
from moderation.models import AuditEvent, Client, Submission, TriagePlan, User
from moderation.rules.publishing import in_force
from moderation.triage import run_once
from tests import world
from tests.moderation.rulings import put, rule

PAGE = "/policies/rules/"
DRAFT = "/policies/rules/draft/"
SWITCH = "/policies/rules/switch/"

pytestmark = pytest.mark.usefixtures("eyes")


@pytest.fixture(autouse=True)
def one_person(settings: Any) -> None:
    """The way through a second one is tests/moderation/test_second_person.py's."""
    settings.SECOND_APPROVER = False


@pytest.fixture
def browser(client: Browser, paula: User) -> Browser:
    client.force_login(paula)
    return client


def sent(*rules: dict[str, Any], given: int = 0, based_on: str = "", **more: Any) -> dict[str, Any]:
    """The form as a browser sends it; `given` of the rules were there before."""
    data = {"rule-TOTAL_FORMS": len(rules), "rule-INITIAL_FORMS": given, "based_on": based_on, "note": "Because."}
    for at, one in enumerate(rules):
        whole = {"name": "a rule", "when": "image.width > 0", "effect": "review", "mode": "live", "on_error": "review"}
        data |= {f"rule-{at}-{part}": value for part, value in {**whole, **one}.items()}
    return {**data, "action": "publish", **more}


def names() -> list[tuple[str, str]]:
    version = in_force()
    return [(one["name"], one["mode"]) for one in version.card["rules"]] if version else []


class TestList:
    def test_each_rule_stands_with_its_effect_mode_and_hits(self, browser: Browser, platform: Client) -> None:
        put(
            rule("teens", 'audience == "teen"', "tighten", category="HATE", amount=0.1, note="Care."),
            rule("shops", "context.shop == 1", mode="shadow"),
        )
        world.triaged(platform, audience="teen")

        answer = browser.get(PAGE)

        page = answer.content.decode()
        assert [(line.rule.name, line.tally.hits, line.tally.failures) for line in answer.context["lines"]] == [
            ("teens", 1, 0),
            ("shops", 0, 1),
        ]
        assert "Lowers the cuts of Hate by 0.10" in page
        assert "audience == &quot;teen&quot;" in page

    def test_before_the_first_rule_it_says_what_to_do(self, browser: Browser) -> None:
        assert "No rules are written yet" in browser.get(PAGE).content.decode()

    def test_an_earlier_version_can_be_read(self, browser: Browser) -> None:
        put(rule("first"))
        put(rule("second"))

        page = browser.get(PAGE, {"version": "1"}).content.decode()

        assert "house-rules@1, not in force" in page
        assert "first" in page

    def test_a_version_that_never_was_is_not_found(self, browser: Browser) -> None:
        assert browser.get(PAGE, {"version": "9"}).status_code == 404

    def test_many_rules_and_days_cost_the_same_few_queries(
        self, browser: Browser, django_assert_max_num_queries: Any
    ) -> None:
        put(*(rule(f"rule {number}") for number in range(40)))

        with django_assert_max_num_queries(12):
            browser.get(PAGE)


class TestDraft:
    def test_publishing_registers_a_version_and_a_plan_that_pins_it(self, browser: Browser, paula: User) -> None:
        answer = browser.post(DRAFT, sent({"name": "teens", "effect": "tighten", "category": "HATE", "amount": "0.1"}))

        plan, version = TriagePlan.objects.in_force(), in_force()
        assert answer["Location"] == PAGE
        assert plan is not None
        assert version is not None
        assert (plan.number, plan.note, plan.published_by) == (2, "Because.", paula)
        assert plan.body["classifiers"] == ["colour-eyes@1", "house-rules@1"]
        assert version.card["rules"][0]["amount"] == 0.1
        assert AuditEvent.objects.filter(action="plan.published", actor_label="paula").count() == 1

    def test_each_version_takes_the_place_of_the_one_before(self, browser: Browser) -> None:
        put(rule("first", effect="find", category="HATE", amount=0.5))

        browser.post(DRAFT, sent({"name": "second"}, based_on="house-rules@1"))

        plan = TriagePlan.objects.in_force()
        assert plan is not None
        assert plan.body["classifiers"] == ["colour-eyes@1", "house-rules@2"]

    def test_it_starts_from_the_rules_in_force_or_an_earlier_version(self, browser: Browser) -> None:
        put(rule("first"))
        put(rule("second"))

        now, before = browser.get(DRAFT), browser.get(DRAFT, {"from": "1"})

        assert [form["name"].value() for form in now.context["forms"]] == ["second"]
        assert [form["name"].value() for form in before.context["forms"]] == ["first"]
        assert before.context["form"]["based_on"].value() == "house-rules@2"

    def test_a_new_rule_starts_in_the_shadow(self, browser: Browser) -> None:
        assert [form["mode"].value() for form in browser.get(DRAFT).context["forms"]] == ["shadow"]

    def test_one_more_can_be_added_and_nothing_is_lost(self, browser: Browser) -> None:
        answer = browser.post(DRAFT, sent({"name": "first"}, action="add"))

        assert [form["name"].value() for form in answer.context["forms"]] == ["first", None]
        assert in_force() is None

    def test_one_that_is_removed_is_gone(self, browser: Browser) -> None:
        put(rule("first"), rule("second"))

        browser.post(
            DRAFT,
            sent({"name": "first", "DELETE": "on"}, {"name": "second"}, given=2, based_on="house-rules@1"),
        )

        assert names() == [("second", "live")]

    def test_all_may_be_removed(self, browser: Browser) -> None:
        put(rule("first"))

        browser.post(DRAFT, sent({"name": "first", "DELETE": "on"}, given=1, based_on="house-rules@1"))

        assert (names(), in_force() is None) == ([], False)

    @pytest.mark.parametrize(
        ("change", "field", "words"),
        [
            ({"when": "prompt.contains("}, "when", "Line 1, column 17: This is not CEL"),
            ({"when": "true &&\n nudity"}, "when", "Line 2, column 2: “nudity” is no field"),
            ({"when": "scores.HATE > 1"}, "when", "cannot be used on double, int"),
            ({"when": 'prompt.matches("(")'}, "when", "The pattern cannot be read"),
            ({"name": ""}, "name", "This field is required."),
            ({"effect": "tighten", "amount": "0.1"}, "category", "Choose a category."),
            ({"effect": "find", "category": "HATE"}, "amount", "Give a number above 0"),
            ({"effect": "queue"}, "queue", "Name the queue."),
            ({"effect": "queue", "queue": "no spaces"}, "queue", "Letters, digits"),
            ({"effect": "queue", "queue": "escalated"}, "queue", "only people escalate"),
            ({"mode": "loud"}, "mode", "Select a valid choice"),
        ],
    )
    def test_what_cannot_be_kept_is_said_beside_its_field_and_nothing_is_published(
        self, browser: Browser, change: dict[str, str], field: str, words: str
    ) -> None:
        answer = browser.post(DRAFT, sent({"name": "fine"}, {"name": "wrong", **change}))

        errors = answer.context["forms"].forms[1].errors
        assert (answer.status_code, in_force()) == (200, None)
        assert words in str(errors[field])
        assert words in answer.content.decode()
        assert answer.context["forms"].forms[1]["when"].value() == change.get("when", "image.width > 0")

    def test_two_rules_of_one_name_are_refused(self, browser: Browser) -> None:
        answer = browser.post(DRAFT, sent({"name": "same"}, {"name": "same"}))

        assert "Another rule has this name." in str(answer.context["forms"].forms[1].errors)
        assert in_force() is None

    def test_a_note_is_asked_for(self, browser: Browser) -> None:
        answer = browser.post(DRAFT, sent({}, note=" "))

        assert "note" in answer.context["form"].errors
        assert in_force() is None

    def test_rules_published_meanwhile_are_not_overwritten_unseen(self, browser: Browser) -> None:
        put(rule("theirs"))

        answer = browser.post(DRAFT, sent({"name": "mine"}))

        assert answer.status_code == 409
        assert "house-rules@1 was published while you were drafting." in answer.content.decode()
        assert answer.context["form"]["based_on"].value() == "house-rules@1"
        assert names() == [("theirs", "live")]
        browser.post(DRAFT, sent({"name": "mine"}, based_on="house-rules@1"))
        assert names() == [("mine", "live")]

    def test_going_back_is_rolling_back_the_plan(self, browser: Browser) -> None:
        put(rule("first"))
        put(rule("second"))

        policies.roll_back(2, actor=Actor.command("test"))

        assert names() == [("first", "live")]

    def test_a_plan_drafted_beside_keeps_the_rules(self, browser: Browser) -> None:
        put(rule("first"))

        offered = browser.get("/policies/plans/draft/").context["form"]

        assert "house-rules@1" in offered.initial["classifiers"]
        assert "house-rules@1" in [ref for ref, _words in offered.fields["classifiers"].choices]


class TestTrial:
    @pytest.fixture
    def images(self, platform: Client) -> list[Submission]:
        for number in range(10):
            context = {"shop": 1} if number == 0 else {}
            audience = "teen" if number % 2 else "adult"
            world.submit(
                platform, world.png(red=0.05, seed=number), prompt=f"no. {number}", audience=audience, context=context
            )
        run_once()
        return list(Submission.objects.order_by("pk"))

    def test_it_says_which_images_each_rule_holds_on_and_where_they_would_go(
        self, browser: Browser, images: list[Submission]
    ) -> None:
        answer = browser.post(
            DRAFT,
            sent(
                {"name": "teens", "when": 'audience == "teen"'},
                {"name": "looks on", "when": "image.width == 64", "mode": "shadow"},
                {"name": "shops", "when": "context.shop == 1", "on_error": "pass"},
                action="try",
            ),
        )

        trial, page = answer.context["trial"], answer.content.decode()
        assert [(one.rule.name, one.hits, dict(one.failures)) for one in trial.rules] == [
            ("teens", 5, {}),
            ("looks on", 10, {}),
            ("shops", 1, {"missing": 9}),
        ]
        assert trial.moves == {("approve", "review"): 6}
        assert "6 of the last 10 images go elsewhere" in page
        assert "9 without an answer: a key was missing" in page
        assert "no. 9" in page
        assert f"/images/{images[9].pk}/glimpse.jpg" in page
        assert "/working.jpg" not in page
        assert in_force() is None

    def test_what_is_under_legal_hold_is_neither_counted_nor_shown(
        self, browser: Browser, images: list[Submission]
    ) -> None:
        Submission.objects.filter(pk=images[1].pk).update(status="quarantined")

        answer = browser.post(DRAFT, sent({}, action="try"))

        assert answer.context["trial"].images == 9
        assert "no. 1<" not in answer.content.decode()
        assert f"/images/{images[1].pk}/" not in answer.content.decode()

    def test_it_replaces_the_rules_in_force_for_the_trial(self, browser: Browser, images: list[Submission]) -> None:
        put(rule("asks"))

        answer = browser.post(DRAFT, sent({"mode": "shadow"}, based_on="house-rules@1", action="try"))

        assert answer.context["trial"].moves == {("review", "approve"): 10}

    def test_it_costs_a_few_queries_however_many_images_and_rules(
        self, browser: Browser, images: list[Submission], django_assert_max_num_queries: Any
    ) -> None:
        rules = [{"name": f"rule {number}", "when": "author.strikes >= 0"} for number in range(20)]

        with django_assert_max_num_queries(24):
            browser.post(DRAFT, sent(*rules, action="try"))

    def test_without_images_it_says_so(self, browser: Browser) -> None:
        page = browser.post(DRAFT, sent({}, action="try")).content.decode()

        assert "No triaged image is stored" in page


class TestSwitch:
    def test_it_publishes_the_same_rules_with_one_mode_changed(self, browser: Browser) -> None:
        put(rule("one", mode="shadow"), rule("two"))

        browser.post(SWITCH, {"rule": "one", "based_on": "house-rules@1"})

        plan = TriagePlan.objects.in_force()
        assert plan is not None
        assert (names(), plan.note) == ([("one", "live"), ("two", "live")], "“one” is live.")

    def test_one_shown_before_others_published_changes_nothing(self, browser: Browser) -> None:
        put(rule("one", mode="shadow"))
        put(rule("one", mode="shadow"), rule("two"))

        page = browser.post(SWITCH, {"rule": "one", "based_on": "house-rules@1"}, follow=True).content.decode()

        assert "Somebody changed the rules" in page
        assert names() == [("one", "shadow"), ("two", "live")]

    @pytest.mark.parametrize("name", ["nobody", ""])
    def test_a_rule_that_is_not_in_force_cannot_be_switched(self, browser: Browser, name: str) -> None:
        assert browser.post(SWITCH, {"rule": name}).status_code == 404


@pytest.mark.parametrize(("who", "may_read"), [("eve", False), ("rita", True), ("ming", True), ("ari", True)])
def test_only_policy_leads_write_rules(
    client: Browser, request: pytest.FixtureRequest, who: str, may_read: bool
) -> None:
    put(rule("one"))
    client.force_login(request.getfixturevalue(who))

    assert client.get(PAGE).status_code == (200 if may_read else 403)
    assert client.get(DRAFT).status_code == 403
    assert client.post(DRAFT, sent({"name": "mine"})).status_code == 403
    assert client.post(SWITCH, {"rule": "one", "based_on": "house-rules@1"}).status_code == 403
    assert names() == [("one", "live")]


def test_strangers_are_sent_to_the_login(client: Browser) -> None:
    assert "/accounts/login/" in client.get(PAGE)["Location"]


def test_a_switch_is_never_a_link(browser: Browser) -> None:
    assert browser.get(SWITCH).status_code == 405
