"""The pure heart, by properties: doubt goes to a person, more probability is never laxer, order does not matter."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.routing import Band, Context, Demand, Evidence, Plan, PlanError, Precedent, Route, route

CATEGORIES = ("GORE", "HATE", "NUDITY", "PRIVACY")
REFS = ("a@1", "b@1")
STRICTNESS = {"approve": 0, "review": 1, "block": 2}

probabilities = st.floats(0, 1)


@st.composite
def bands(draw: st.DrawFn) -> Band:
    approve = draw(probabilities)
    return Band(approve, draw(st.none() | st.floats(approve, 1)))


plans = st.builds(
    Plan,
    number=st.just(1),
    bands=st.fixed_dictionaries(dict.fromkeys(CATEGORIES, bands())),
    classifiers=st.just(REFS),
    audit_rate=probabilities,
)
contexts = st.builds(Context, draw=st.floats(0, 1, exclude_max=True))
words = st.dictionaries(st.sampled_from(CATEGORIES), probabilities)
complete = st.tuples(*(st.builds(Evidence, classifier=st.just(ref), probabilities=words) for ref in REFS))
doubts = st.sampled_from(["missing", "error", "nan", "infinite", "negative", "unknown"])


def doubtful(findings: tuple[Evidence, ...], doubt: str) -> list[Evidence]:
    """The same findings with one thing wrong in the first."""
    first, *rest = findings
    if doubt == "missing":
        return rest
    if doubt == "error":
        return [Evidence(first.classifier, error="it fell over"), *rest]
    wrong = {"nan": math.nan, "infinite": math.inf, "negative": -0.1}
    extra = {"NEVER_HEARD_OF": 0.0} if doubt == "unknown" else {"GORE": wrong[doubt]}
    return [replace(first, probabilities={**first.probabilities, **extra}), *rest]


@given(complete, plans, contexts, doubts)
def test_doubt_is_never_approved(findings: tuple[Evidence, ...], plan: Plan, context: Context, doubt: str) -> None:
    found = route(doubtful(findings, doubt), plan, context)

    assert found.action != "approve"


@given(complete, plans, contexts, doubts)
def test_doubt_takes_no_block_away(findings: tuple[Evidence, ...], plan: Plan, context: Context, doubt: str) -> None:
    seen = [Evidence("b@1", {"HATE": 1.0}), findings[0]]
    certain = replace(plan, bands={**plan.bands, "HATE": Band(0.1, 0.9)})

    assert route(doubtful((seen[1], seen[0]), doubt), certain, context).action == "block"


@given(complete, plans, contexts, st.data())
def test_a_higher_probability_never_makes_the_route_laxer(
    findings: tuple[Evidence, ...], plan: Plan, context: Context, data: st.DataObject
) -> None:
    spoken = [(at, code) for at, one in enumerate(findings) for code in one.probabilities]
    raised = list(findings)
    if spoken:
        at, code = data.draw(st.sampled_from(spoken))
        higher = data.draw(st.floats(findings[at].probabilities[code], 1))
        raised[at] = replace(findings[at], probabilities={**findings[at].probabilities, code: higher})

    before, after = route(findings, plan, context), route(raised, plan, context)

    assert STRICTNESS[after.action] >= STRICTNESS[before.action]


@given(complete, plans, contexts, st.none() | doubts)
def test_the_order_of_findings_does_not_matter(
    findings: tuple[Evidence, ...], plan: Plan, context: Context, doubt: str | None
) -> None:
    said = doubtful(findings, doubt) if doubt else list(findings)
    backwards = [replace(one, probabilities=dict(reversed(list(one.probabilities.items())))) for one in reversed(said)]

    # As text, for NaN is not equal to itself.
    assert shown(route(said, plan, context)) == shown(route(backwards, plan, context))


@given(complete, plans, contexts)
def test_the_same_evidence_always_takes_the_same_route(
    findings: tuple[Evidence, ...], plan: Plan, context: Context
) -> None:
    assert route(findings, plan, context) == route(list(findings), plan, context)


@given(complete, plans, contexts)
def test_a_route_always_says_why_and_with_what_chance_a_person_looks(
    findings: tuple[Evidence, ...], plan: Plan, context: Context
) -> None:
    found = route(findings, plan, context)

    assert found.why or not found.probabilities
    assert found.inclusion_probability == (1.0 if found.action == "review" else plan.audit_rate)
    assert found.audit == (found.action != "review" and context.draw < plan.audit_rate)


@given(complete, plans, contexts)
def test_nothing_is_blocked_in_a_category_that_only_people_block(
    findings: tuple[Evidence, ...], plan: Plan, context: Context
) -> None:
    people = replace(plan, bands={code: Band(band.approve) for code, band in plan.bands.items()})

    assert route(findings, people, context).action != "block"


def test_without_a_plan_a_person_looks() -> None:
    found = route([Evidence("a@1", {"GORE": 0.0})], None, Context())

    assert (found.action, found.why[0].code) == ("review", "no_plan")


@pytest.mark.parametrize(
    ("probability", "action"), [(0.199, "approve"), (0.2, "review"), (0.899, "review"), (0.9, "block"), (1.0, "block")]
)
def test_a_cut_belongs_to_the_stricter_side(probability: float, action: str) -> None:
    plan = Plan(1, {"GORE": Band(0.2, 0.9)}, ("a@1",))

    assert route([Evidence("a@1", {"GORE": probability})], plan, Context()).action == action


def test_the_highest_word_on_a_category_counts() -> None:
    plan = Plan(1, {"GORE": Band(0.2, 0.9)}, REFS)

    found = route([Evidence("a@1", {"GORE": 0.1}), Evidence("b@1", {"GORE": 0.5})], plan, Context())

    assert (found.action, found.probabilities["GORE"]) == ("review", 0.5)


def test_a_failed_classifier_is_named() -> None:
    plan = Plan(1, {"GORE": Band(0.2)}, REFS)

    found = route([Evidence("a@1", {"GORE": 0.1}), Evidence("b@1", error="b@1: OSError")], plan, Context())

    assert found.failed
    assert [why.detail for why in found.why] == ["b@1: OSError"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "at least one category"),
        ({"bands": {"GORE": {"approve": 0.1}}}, "at least one classifier"),
        ({"bands": {"GORE": {"approve": 1.1}}, "classifiers": ["a@1"]}, "GORE"),
        ({"bands": {"GORE": {"approve": math.nan}}, "classifiers": ["a@1"]}, "GORE"),
        ({"bands": {"GORE": {"approve": 0.5, "block": 0.4}}, "classifiers": ["a@1"]}, "below the approve cut"),
        ({"bands": {"GORE": {"approve": 0.5}}, "classifiers": ["a@1"], "audit_rate": 2}, "audit rate"),
        ({"bands": {"GORE": {}}, "classifiers": ["a@1"]}, "GORE"),
        ({"bands": {"GORE": {"approve": True}}, "classifiers": ["a@1"]}, "GORE"),
    ],
)
def test_a_plan_that_cannot_be_followed_says_what_to_mend(body: dict[str, Any], words: str) -> None:
    with pytest.raises(PlanError, match=words):
        Plan.from_body(body, number=1)


def shown(found: Route) -> str:
    return repr(
        replace(found, zones=dict(sorted(found.zones.items())), probabilities=dict(sorted(found.probabilities.items())))
    )


precedents = st.builds(
    Precedent,
    action=st.sampled_from(["approve", "review", "block"]),
    categories=st.frozensets(st.sampled_from(CATEGORIES)),
    decision=st.just("decision"),
    category=st.sampled_from(CATEGORIES),
)
settling = st.builds(replace, plans, copies=st.sampled_from(["settle", "settle_across_clients"]))
demands = st.lists(
    st.builds(Demand, action=st.sampled_from(["review", "block", "quarantine"]), code=st.just("rule")), max_size=2
)


@st.composite
def demanding(draw: st.DrawFn) -> tuple[Evidence, ...]:
    first, *rest = draw(complete)
    return (replace(first, demands=tuple(draw(demands))), *rest)


@given(demanding(), settling, contexts, precedents, st.none() | doubts)
def test_a_copy_is_approved_only_where_people_approved_what_it_is_doubted_for(
    findings: tuple[Evidence, ...], plan: Plan, context: Context, precedent: Precedent, doubt: str | None
) -> None:
    said = doubtful(findings, doubt) if doubt else list(findings)
    alone, copy = route(said, plan, context), route(said, plan, replace(context, precedent=precedent))

    if copy.action == "approve" and alone.action != "approve":
        assert precedent.action == "approve"
        assert {category for category, zone in alone.zones.items() if zone != "approve"} <= precedent.categories
        assert not doubt
        assert not any(one.demands for one in findings)


@given(demanding(), settling, contexts, precedents, st.none() | doubts)
def test_a_copy_is_never_milder_than_its_own_block_or_hold(
    findings: tuple[Evidence, ...], plan: Plan, context: Context, precedent: Precedent, doubt: str | None
) -> None:
    said = doubtful(findings, doubt) if doubt else list(findings)
    alone, copy = route(said, plan, context), route(said, plan, replace(context, precedent=precedent))

    if alone.action in {"block", "quarantine"}:
        assert shown(copy) == shown(alone)
    if precedent.action == "block":
        assert copy.action in {"block", "quarantine"}
    if precedent.action == "review":
        assert copy.action != "approve"


@given(complete, settling, contexts, precedents)
def test_a_copy_cites_the_decision_that_settled_it_and_is_drawn_for_audit_like_others(
    findings: tuple[Evidence, ...], plan: Plan, context: Context, precedent: Precedent
) -> None:
    copy = route(findings, plan, replace(context, precedent=precedent))

    if copy.precedent is None:
        assert shown(copy) == shown(route(findings, plan, context))
    else:
        assert (copy.why[0].code, copy.why[0].detail) == ("copy", "decision")
        assert copy.inclusion_probability == (1.0 if copy.action == "review" else plan.audit_rate)
        assert copy.audit == (copy.action != "review" and context.draw < plan.audit_rate)


@given(complete, plans, contexts, precedents)
def test_where_the_plan_settles_no_copies_a_precedent_says_nothing(
    findings: tuple[Evidence, ...], plan: Plan, context: Context, precedent: Precedent
) -> None:
    assert route(findings, plan, replace(context, precedent=precedent)) == route(findings, plan, context)


def test_a_plan_settles_copies_by_a_word_it_knows() -> None:
    body = {"bands": {"GORE": {"approve": 0.1}}, "classifiers": ["a@1"]}

    assert Plan.from_body(body, number=1).copies == "off"
    with pytest.raises(PlanError, match="copies is one of off, settle"):
        Plan.from_body({**body, "copies": "always"}, number=1)
