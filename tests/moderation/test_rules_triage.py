"""Rules in triage: each effect from end to end, shadow without effect, doubt, counting, history, and replay."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from classifiers.models import ClassifierVersion
from moderation.models import Client, Finding, ReviewRequest, RuleHits, Status, Submission, TriagePlan, User
from moderation.policies import parsed
from moderation.routing import Context, route
from moderation.rules import hits
from moderation.rules.publishing import in_force
from moderation.simulation import effect
from moderation.triage import run_once
from moderation.triage.replay import evidence_under
from moderation.wording import sentence
from review import queue
from tests import world
from tests.moderation.rulings import put, rule, shown

CLEAR = world.png(red=0.05)


@pytest.fixture
def law(eyes: TriagePlan) -> TriagePlan:
    return eyes


def test_a_finding_is_judged_by_the_bands_as_any_other(law: TriagePlan, platform: Client) -> None:
    put(rule(when='prompt.contains("gun")', effect="find", category="WEAPONS_DANGEROUS", amount=0.5))

    hit, miss = world.submit(platform, CLEAR, prompt="a gun"), world.submit(platform, CLEAR, prompt="a rose")
    run_once()
    hit.refresh_from_db()
    miss.refresh_from_db()

    assert (hit.status, hit.flagged) == (Status.IN_REVIEW, ["WEAPONS_DANGEROUS"])
    assert miss.status == Status.APPROVED
    finding = Finding.objects.get(submission=hit, classifier__kind="rules")
    assert (finding.classifier.ref, finding.probabilities) == ("house-rules@1", [0.5])
    assert shown(hit) == {"rules": ["a rule"]}


def test_a_finding_high_enough_blocks(law: TriagePlan, platform: Client) -> None:
    put(rule(effect="find", category="WEAPONS_DANGEROUS", amount=0.95))

    assert world.triaged(platform, CLEAR).status == Status.BLOCKED


def test_a_finding_never_blocks_what_only_people_block(law: TriagePlan, platform: Client) -> None:
    put(rule(effect="find", category="CSAE", amount=1.0))

    assert world.triaged(platform, CLEAR).status == Status.IN_REVIEW


def test_a_category_new_to_the_plan_asks_for_people_where_the_rule_holds_and_only_there(
    law: TriagePlan, platform: Client
) -> None:
    put(rule(when='prompt == "x"', effect="find", category="HATE", amount=0.1))

    assert world.triaged(platform, CLEAR, prompt="x").status == Status.IN_REVIEW
    assert world.triaged(platform, CLEAR, prompt="y").status == Status.APPROVED


def test_tightened_cuts_are_lower_where_the_rule_holds_and_the_reason_names_it(
    law: TriagePlan, platform: Client
) -> None:
    put(rule("teens", 'audience == "teen"', "tighten", category="WEAPONS_DANGEROUS", amount=0.16))

    grown_up, teen = world.triaged(platform, CLEAR), world.triaged(platform, CLEAR, audience="teen")

    assert (grown_up.status, teen.status) == (Status.APPROVED, Status.IN_REVIEW)
    assert sentence(teen.reasons[0]).endswith("Its cuts are 0.16 lower here, as “teens” asks.")


def test_a_review_that_is_asked_for_is_given_and_says_by_which_rule(law: TriagePlan, platform: Client) -> None:
    put(rule("new faces", category="PRIVACY", queue="faces"))

    submission = world.triaged(platform, CLEAR)

    request = ReviewRequest.objects.get(submission=submission)
    assert (submission.status, request.queue, request.category) == (Status.IN_REVIEW, "faces", "PRIVACY")
    assert sentence(submission.reasons[0]) == "The rule “new faces” asks for this."


def test_a_queue_is_where_a_request_waits_but_asks_for_none(law: TriagePlan, platform: Client) -> None:
    put(rule(effect="queue", queue="night"))

    clear, unsure = world.triaged(platform, CLEAR), world.triaged(platform, world.png(red=0.5))

    assert clear.status == Status.APPROVED
    assert ReviewRequest.objects.get(submission=unsure).queue == "night"


def test_a_queue_that_a_rule_names_is_listed_and_can_be_claimed_from(
    law: TriagePlan, platform: Client, rita: User
) -> None:
    put(rule(queue="night"))
    submission = world.triaged(platform, CLEAR)

    assert [(one.queue, one.open) for one in queue.counts()] == [("general", 0), ("escalated", 0), ("night", 1)]
    assert [one.request.submission_id for one in queue.claim(rita, "night")] == [submission.pk]


def test_of_several_queues_the_first_rule_counts(law: TriagePlan, platform: Client) -> None:
    put(rule("one", queue="first"), rule("two", queue="second"))

    assert ReviewRequest.objects.get(submission=world.triaged(platform, CLEAR)).queue == "first"


@pytest.mark.parametrize(
    "effect",
    [
        {"effect": "find", "category": "WEAPONS_DANGEROUS", "amount": 1.0},
        {"effect": "tighten", "category": "WEAPONS_DANGEROUS", "amount": 1.0},
        {"effect": "review"},
    ],
)
def test_in_the_shadow_a_rule_is_worked_out_and_has_no_effect(
    law: TriagePlan, platform: Client, effect: dict[str, Any]
) -> None:
    put(rule(mode="shadow", **effect))

    submission = world.triaged(platform, CLEAR)

    assert submission.status == Status.APPROVED
    assert shown(submission) == {"shadow": ["a rule"]}
    assert RuleHits.objects.get().hits == 1


class TestDoubt:
    MISSING = 'context.shop == "verified"'

    def test_a_rule_without_an_answer_asks_for_a_person(self, law: TriagePlan, platform: Client) -> None:
        put(rule("shops", self.MISSING))

        submission = world.triaged(platform, CLEAR)

        assert submission.status == Status.IN_REVIEW
        assert sentence(submission.reasons[0]).startswith("The rule “shops” could not be worked out")
        assert shown(submission)["failed"] == {"shops": "missing"}
        assert submission.attempts == 1  # trying again would not help
        assert (RuleHits.objects.get().hits, RuleHits.objects.get().failures) == (0, 1)

    @pytest.mark.parametrize("lenient", [{"on_error": "pass"}, {"mode": "shadow"}])
    def test_unless_its_author_wants_it_passed_over_or_it_has_no_say(
        self, law: TriagePlan, platform: Client, lenient: dict[str, str]
    ) -> None:
        put(rule("shops", self.MISSING, **lenient))

        submission = world.triaged(platform, CLEAR)

        assert submission.status == Status.APPROVED
        assert shown(submission) == {"failed": {"shops": "missing"}}

    def test_the_other_rules_are_worked_out_all_the_same(self, law: TriagePlan, platform: Client) -> None:
        put(rule("shops", self.MISSING), rule("blocks", effect="find", category="WEAPONS_DANGEROUS", amount=1.0))

        assert world.triaged(platform, CLEAR).status == Status.BLOCKED

    def test_rules_that_cannot_be_read_send_images_to_people(self, law: TriagePlan, platform: Client) -> None:
        card = {"rules": [{"name": "old", "when": "gone.field", "effect": "review"}]}
        version = ClassifierVersion.objects.create(name="house-rules", version="1", kind="rules", card=card)
        TriagePlan.objects.create(
            number=2, body={**law.body, "classifiers": [*law.body["classifiers"], version.ref]}, note=""
        )

        submission = world.submit(platform, CLEAR)
        for _attempt in range(settings.TRIAGE_MAX_ATTEMPTS):
            Submission.objects.update(triage_after=timezone.now())
            run_once()
        submission.refresh_from_db()

        assert submission.status == Status.IN_REVIEW
        assert submission.reasons[0]["code"] == "classifier_error"

    def test_no_prompt_reaches_the_log(
        self, law: TriagePlan, platform: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        put(rule(when="int(prompt) == 3"))

        with caplog.at_level(logging.DEBUG):
            submission = world.triaged(platform, CLEAR, prompt="my secret")

        assert submission.status == Status.IN_REVIEW
        assert "my secret" not in caplog.text


class TestHits:
    def test_a_batch_costs_one_statement(
        self, law: TriagePlan, platform: Client, django_assert_max_num_queries: Any
    ) -> None:
        put(rule("one"), rule("two"), rule("three", "context.gone == 1", mode="shadow"))
        for seed in range(6):
            world.submit(platform, world.png(seed=seed))
        run_once()
        version = in_force()
        assert version is not None

        found = hits.tallies(version)

        assert {name: (one.hits, one.failures) for name, one in found.items()} == {
            "one": (6, 0),
            "two": (6, 0),
            "three": (0, 6),
        }
        assert found["one"].last_hit_at is not None
        assert found["three"].last_hit_at is None
        said = [(version, {"rules": ["one", "two"], "failed": {"three": "missing"}})] * 40
        with django_assert_max_num_queries(1):
            hits.count(said)
        assert hits.tallies(version)["one"].hits == 46

    def test_nothing_to_count_is_no_statement(
        self, law: TriagePlan, platform: Client, django_assert_num_queries: Any
    ) -> None:
        put(rule(when='prompt == "x"'))
        version = in_force()
        assert version is not None

        with django_assert_num_queries(0):
            hits.count([(version, {})])

    def test_each_version_counts_for_itself(self, law: TriagePlan, platform: Client) -> None:
        put(rule())
        world.triaged(platform, CLEAR)
        put(rule(mode="shadow"))
        version = in_force()
        assert version is not None

        assert hits.tallies(version) == {}


class TestReplay:
    RULES = (
        rule("finds", 'prompt.contains("gun")', "find", category="WEAPONS_DANGEROUS", amount=0.5),
        rule("tightens", "scores.REGULATED > 0.1", "tighten", category="PRIVACY", amount=0.15),
        rule("asks", 'author.volume_24h >= 2 && "DE" in territories'),
        rule("shops", "context.shop == 1", on_error="review"),
        rule("looks on", mode="shadow"),
    )

    def some(self, platform: Client) -> list[Submission]:
        for number in range(24):
            world.submit(
                platform,
                world.png(red=number / 60, green=number / 90, blue=0.1, seed=number),
                prompt="a gun" if number % 5 == 0 else "",
                territories=("DE",) if number % 2 else (),
                author_ref=f"author {number % 3}",
                context={"shop": 0} if number % 7 else {},
            )
        while run_once().claimed:
            pass
        return list(Submission.objects.order_by("pk"))

    def routes(self, rows: list[Submission], plan: TriagePlan) -> list[str]:
        return [route(said, parsed(plan), Context()).action for said in evidence_under(rows, parsed(plan))]

    def test_what_was_stored_takes_the_same_route_again(self, law: TriagePlan, platform: Client) -> None:
        plan = put(*self.RULES)
        rows = self.some(platform)

        assert self.routes(rows, plan) == [row.route for row in rows]
        assert len({row.route for row in rows}) == 2

    def test_rules_newer_than_the_images_say_what_they_would_have_said(self, law: TriagePlan, platform: Client) -> None:
        rows = self.some(platform)
        later = put(*self.RULES)
        replayed = self.routes(rows, later)
        first = [(row.prompt, row.territories, row.route) for row in rows]

        Submission.objects.filter(client=platform).update(author_ref="long gone")
        live = self.some(platform)[len(rows) :]

        assert [(row.prompt, row.territories) for row in live] == [(prompt, where) for prompt, where, _route in first]
        assert replayed == [row.route for row in live]

    def test_a_replay_costs_a_few_queries_however_many_images(
        self, law: TriagePlan, platform: Client, django_assert_max_num_queries: Any
    ) -> None:
        self.some(platform)
        later = put(*self.RULES)
        rows = list(Submission.objects.only("pk", "heard"))

        with django_assert_max_num_queries(6):
            evidence_under(rows, parsed(later))

    def test_a_preview_of_a_plan_counts_what_rules_would_move(self, law: TriagePlan, platform: Client) -> None:
        self.some(platform)
        later = put(rule())

        found = effect(parsed(law), parsed(later))

        assert found.unseen == 0
        assert found.after == {"review": 24}


def test_without_an_author_a_rule_about_authors_asks_no_question(
    law: TriagePlan, platform: Client, django_assert_num_queries: Any
) -> None:
    put(rule(when="author.strikes > 0"))

    assert world.triaged(platform, CLEAR).status == Status.APPROVED
