"""What evidence may ask for, and what tightens the cuts: by properties where they hold for all, else by example."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation import wording
from moderation.routing import Band, Context, Demand, Evidence, Plan, PlanError, Tightening, route
from tests.moderation.test_routing import CATEGORIES, bands, contexts, probabilities, words

STRICTNESS = {"approve": 0, "review": 1, "block": 2, "quarantine": 3}
REFS = ("eyes@1", "rules@1")
numbers = st.floats(0, 1) | st.sampled_from([-0.5, 2.0, math.nan, math.inf])

tightenings = st.builds(
    Tightening, st.sampled_from(CATEGORIES), probabilities, st.sampled_from(CATEGORIES), probabilities
)
plans = st.builds(
    Plan,
    number=st.just(1),
    bands=st.fixed_dictionaries(dict.fromkeys(CATEGORIES, bands())),
    classifiers=st.just(REFS),
    audit_rate=probabilities,
    tightening=st.lists(tightenings, max_size=3).map(tuple),
)
demands = st.builds(
    Demand, st.sampled_from(["review", "block", "quarantine"]), st.just("rule"), st.sampled_from(["", *CATEGORIES])
)
asked = st.builds(
    Evidence,
    classifier=st.just("rules@1"),
    probabilities=words,
    demands=st.lists(demands, max_size=2).map(tuple),
    tighten=st.dictionaries(st.sampled_from([*CATEGORIES, "NEVER_HEARD_OF"]), numbers, max_size=3),
    queue=st.sampled_from(["", "night"]),
)
seen = st.builds(Evidence, classifier=st.just("eyes@1"), probabilities=words)


@given(seen, plans, contexts, tightenings)
def test_one_more_tightening_never_makes_a_route_milder(
    seen: Evidence, plan: Plan, context: Context, more: Tightening
) -> None:
    said = [seen, Evidence("rules@1")]
    stricter = replace(plan, tightening=(*plan.tightening, more))

    assert STRICTNESS[route(said, stricter, context).action] >= STRICTNESS[route(said, plan, context).action]


@given(seen, asked, plans, contexts)
def test_nothing_that_evidence_asks_for_makes_a_route_milder(
    seen: Evidence, asked: Evidence, plan: Plan, context: Context
) -> None:
    silent = route([seen, Evidence("rules@1")], plan, context)

    assert STRICTNESS[route([seen, asked], plan, context).action] >= STRICTNESS[silent.action]


@given(seen, asked, asked, plans, contexts)
def test_it_does_not_matter_who_asked_first(
    seen: Evidence, one: Evidence, other: Evidence, plan: Plan, context: Context
) -> None:
    other = replace(other, classifier="others@1")

    assert route([seen, one, other], plan, context) == route([other, one, seen], plan, context)


@given(seen, plans, contexts)
def test_a_cut_never_falls_below_0_nor_rises(seen: Evidence, plan: Plan, context: Context) -> None:
    found = route([seen, Evidence("rules@1")], plan, context)

    for why in found.why:
        if why.approve is not None:
            assert 0 <= why.approve <= plan.bands[why.category].approve


@pytest.mark.parametrize(
    ("asked", "action"),
    [
        (["review"], "review"),
        (["review", "block"], "block"),
        (["block", "quarantine"], "quarantine"),
        (["quarantine", "review", "block"], "quarantine"),
    ],
)
def test_of_several_demands_the_strictest_is_followed(asked: list[Any], action: str) -> None:
    plan = Plan(1, {"GORE": Band(0.2, 0.9)}, ("a@1",))
    found = route(
        [Evidence("a@1", {"GORE": 0.01}, demands=tuple(Demand(one, "match") for one in asked))], plan, Context()
    )

    assert found.action == action


def test_a_demand_outranks_the_bands_and_stands_first_among_the_reasons() -> None:
    plan = Plan(1, {"GORE": Band(0.2, 0.9)}, ("a@1", "b@1"))
    known = Evidence("b@1", demands=(Demand("quarantine", "match", "CSAE", "bank one"),))

    found = route([Evidence("a@1", {"GORE": 0.95}), known], plan, Context())

    assert (found.action, found.category) == ("quarantine", "CSAE")
    assert [why.code for why in found.why] == ["match", "block"]


def test_a_demand_to_block_stands_whatever_failed() -> None:
    plan = Plan(1, {"GORE": Band(0.2)}, ("a@1", "b@1"))
    barred = Evidence("b@1", demands=(Demand("block", "match", "GORE"),))

    assert route([Evidence("a@1", error="a@1: OSError"), barred], plan, Context()).action == "block"


def test_a_request_waits_in_the_queue_that_was_asked_for() -> None:
    plan = Plan(1, {"GORE": Band(0.2)}, ("a@1", "b@1"))

    found = route([Evidence("a@1", {"GORE": 0.5}), Evidence("b@1", queue="night")], plan, Context())

    assert (found.action, found.queue) == ("review", "night")


def test_a_queue_alone_asks_nobody_to_look() -> None:
    plan = Plan(1, {"GORE": Band(0.2)}, ("a@1", "b@1"))

    assert route([Evidence("a@1", {"GORE": 0.1}), Evidence("b@1", queue="night")], plan, Context()).action == "approve"


def test_what_was_shown_is_read_back_as_evidence() -> None:
    shown = {
        "demands": [{"action": "block", "code": "term", "category": "HATE", "detail": "list 3"}],
        "tighten": {"GORE": 0.1},
        "tightened_by": {"GORE": "night uploads"},
        "queue": "night",
        "for people": ["to read"],
    }

    assert Evidence.read("a@1", {"GORE": 0.5}, shown) == Evidence(
        "a@1",
        {"GORE": 0.5},
        demands=(Demand("block", "term", "HATE", "list 3"),),
        tighten={"GORE": 0.1},
        queue="night",
        tightened_by={"GORE": "night uploads"},
    )
    assert Evidence.read("a@1", {"GORE": 0.5}, {}) == Evidence("a@1", {"GORE": 0.5})


class TestTightening:
    PLAN = Plan(
        1,
        {"VIOLENCE_GORE": Band(0.5, 0.9), "HATE": Band(0.4, 0.8), "CSAE": Band(0.5)},
        ("a@1",),
        tightening=(Tightening("VIOLENCE_GORE", 0.3, "HATE", 0.25),),
    )

    @pytest.mark.parametrize(
        ("gore", "hate", "action"),
        [(0.3, 0.2, "approve"), (0.31, 0.14, "approve"), (0.31, 0.15, "review"), (0.31, 0.55, "block")],
    )
    def test_above_its_line_both_cuts_of_the_other_category_are_lower(
        self, gore: float, hate: float, action: str
    ) -> None:
        assert route([Evidence("a@1", {"VIOLENCE_GORE": gore, "HATE": hate})], self.PLAN, Context()).action == action

    def test_what_only_people_block_stays_with_people(self) -> None:
        plan = replace(self.PLAN, tightening=(Tightening("VIOLENCE_GORE", 0.3, "CSAE", 1.0),))

        assert route([Evidence("a@1", {"VIOLENCE_GORE": 0.4, "CSAE": 1.0})], plan, Context()).action == "review"

    def test_of_several_steps_the_largest_counts(self) -> None:
        asked = Evidence("r@1", tighten={"HATE": 0.3}, tightened_by={"HATE": "night uploads"})
        found = route([Evidence("a@1", {"VIOLENCE_GORE": 0.4, "HATE": 0.2}), asked], self.PLAN, Context())

        assert (found.why[0].approve, found.why[0].tightened, found.why[0].tightened_by) == (0.1, 0.3, "night uploads")

    def test_the_reason_says_by_how_much_and_for_what(self) -> None:
        found = route([Evidence("a@1", {"VIOLENCE_GORE": 0.4, "HATE": 0.2})], self.PLAN, Context())

        assert wording.sentence(asdict(found.why[0])) == (
            "Hate at 0.20: between the plan’s cuts of 0.15 and 0.55. "
            "Its cuts are 0.25 lower here, because Violence, gore stands out."
        )

    def test_the_reason_names_the_rule_that_asked(self) -> None:
        asked = Evidence("r@1", tighten={"HATE": 0.3}, tightened_by={"HATE": "night uploads"})
        found = route([Evidence("a@1", {"HATE": 0.2}), asked], self.PLAN, Context())

        assert wording.sentence(asdict(found.why[0])).endswith("Its cuts are 0.30 lower here, as “night uploads” asks.")

    def test_an_untightened_reason_says_nothing_of_it(self) -> None:
        found = route([Evidence("a@1", {"HATE": 0.5})], self.PLAN, Context())

        assert "lower" not in wording.sentence(asdict(found.why[0]))

    @pytest.mark.parametrize(
        "rule",
        [
            {"when": "HATE", "above": 0.3, "category": "NUDITY", "by": 0.1},
            {"when": "HATE", "above": 1.3, "category": "HATE", "by": 0.1},
            {"when": "HATE", "above": 0.3, "category": "HATE", "by": -0.1},
            {"when": "HATE", "category": "HATE", "by": 0.1},
        ],
    )
    def test_one_that_cannot_be_followed_is_refused(self, rule: dict[str, Any]) -> None:
        body = {"bands": {"HATE": {"approve": 0.5}}, "classifiers": ["a@1"], "tightening": [rule]}

        with pytest.raises(PlanError, match="Tightening"):
            Plan.from_body(body, number=1)
