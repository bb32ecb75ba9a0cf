"""Routing by columns says of every image what `route` says of it alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moderation.plans import Band, Plan, Tightening
from moderation.plans.overlays import Overlay, Served
from moderation.routing import Context, Evidence, route
from moderation.simulation.columns import SILENT, Voice, above, at_least, decimal, decimals
from moderation.simulation.places import Declared, swept_everywhere
from moderation.simulation.sweep import swept

CODES = ("HATE", "NUDITY", "PRIVACY", "WEAPONS_DANGEROUS")
PLACES = tuple(round(place / 20, 2) for place in range(21))  # few, so that scores meet cuts and each other
numbers = st.sampled_from(PLACES) | st.floats(0, 1).map(lambda value: round(value, 6))
ODD = (np.nan, 1.5, -0.25, np.inf)
demands = st.fixed_dictionaries(
    {
        "action": st.sampled_from(["review", "block", "quarantine"]),
        "code": st.sampled_from(["match", "rule", "term"]),
        "category": st.sampled_from(["", *CODES, "OTHER"]),
    }
)
showings: st.SearchStrategy[dict[str, Any]] = st.just({}) | st.fixed_dictionaries(
    {"demands": st.lists(demands, max_size=2), "tighten": st.dictionaries(st.sampled_from(CODES), numbers, max_size=2)}
)


@st.composite
def bands(draw: st.DrawFn) -> Band:
    approve, block = sorted((draw(numbers), draw(numbers)))
    return Band(approve, draw(st.sampled_from([block, None])))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    codes = draw(st.lists(st.sampled_from(CODES), min_size=1, unique=True))
    rules = st.builds(Tightening, st.sampled_from(codes), numbers, st.sampled_from(codes), numbers)
    refs = draw(st.sampled_from([("a@1",), ("a@1", "b@1"), ("b@1", "a@1"), ("a@1", "gone@1")]))
    return Plan(1, {code: draw(bands()) for code in codes}, refs, tightening=tuple(draw(st.lists(rules, max_size=4))))


@st.composite
def voices(draw: st.DrawFn, ref: str, images: int) -> Voice:
    codes = tuple(draw(st.lists(st.sampled_from(CODES), unique=True)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))  # quicker than a draw a score
    shape = (len(codes), images)
    kinds = [
        rng.choice(PLACES, shape),
        rng.random(shape).round(6),
        rng.random(shape),
        np.full(shape, SILENT),
        rng.choice(ODD, shape),
    ]
    table = np.choose(rng.choice(5, shape, p=[0.5, 0.2, 0.1, 0.15, 0.05]), kinds).astype(np.float32)
    spoke = rng.random(images) < 0.9
    scores = Voice(ref, codes, table, spoke)
    shown = {row: one for row in range(images) if spoke[row] and rng.random() < 0.3 and (one := draw(showings))}
    said = {row: Evidence.read(ref, scores.evidence(row).probabilities, one) for row, one in shown.items()}
    return replace(scores, said=said)


busy = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # a machine that does other work too


@busy
@given(st.data(), plans(), st.integers(1, 12))
def test_a_sweep_says_of_every_image_what_route_says(data: st.DataObject, plan: Plan, images: int) -> None:
    heard = {ref: data.draw(voices(ref, images)) for ref in ("a@1", "b@1")}

    found = swept(heard, plan, images)

    for row in range(images):
        evidence = [heard[ref].evidence(row) for ref in plan.classifiers if ref in heard]
        if len(evidence) < len(plan.classifiers) or any(one.error for one in evidence):
            assert found.action(row) is None
            continue
        expected = route(evidence, plan, Context())
        assert (found.action(row), found.category(row)) == (expected.action, expected.category)
        assert found.zoned(row) == expected.zones


places = st.lists(st.sampled_from(["DE", "IN", "US"]), unique=True)
words = st.sets(st.sampled_from(["feed", "shop"])).map(frozenset)
served = st.builds(
    Served,
    places.map(tuple),
    st.sampled_from(["general", "teen"]),
    st.sampled_from(["", "feed", "shop", "chat"]),
    st.sets(st.sampled_from(["news", "art"])).map(frozenset),
)


@st.composite
def overlays(draw: st.DrawFn, plan: Plan) -> Overlay:
    codes = draw(st.lists(st.sampled_from(sorted(plan.bands)), min_size=1, unique=True))
    conditions = (draw(places.map(frozenset)), draw(st.sets(st.just("teen")).map(frozenset)), draw(words))
    contexts = draw(st.sets(st.sampled_from(["news", "art"])).map(frozenset))
    return Overlay(draw(st.sampled_from("abc")), {code: draw(bands()) for code in codes}, *conditions, contexts)


@busy
@given(st.data(), plans(), st.lists(served, min_size=1, max_size=3), st.integers(1, 12))
def test_overlays_are_swept_as_route_has_them(
    data: st.DataObject, plan: Plan, cases: list[Served], images: int
) -> None:
    plan = replace(plan, overlays=tuple(data.draw(st.lists(overlays(plan), max_size=3))))
    heard = {ref: data.draw(voices(ref, images)) for ref in ("a@1", "b@1")}
    which = np.array(data.draw(st.lists(st.integers(0, len(cases) - 1), min_size=images, max_size=images)), np.intp)

    found = swept_everywhere(heard, plan, images, Declared(cases, which))

    for row in range(images):
        evidence = [heard[ref].evidence(row) for ref in plan.classifiers if ref in heard]
        if len(evidence) < len(plan.classifiers) or any(one.error for one in evidence):
            assert found.action(row) is None
            continue
        expected = route(evidence, plan, Context(served=cases[which[row]]))
        assert (found.action(row), found.category(row)) == (expected.action, expected.category)
        assert found.zoned(row) == expected.zones


@given(st.lists(st.floats(0, 1, width=32), min_size=1), st.floats(0, 1))
def test_cuts_are_held_against_the_decimal_that_is_stored(values: list[float], cut: float) -> None:
    column = np.array(values, np.float32)

    stored = [float(str(np.float32(value))) for value in values]
    assert at_least(column, cut).tolist() == [value >= cut for value in stored]
    assert above(column, cut).tolist() == [value > cut for value in stored]
    assert decimals(column).tolist() == stored


@given(st.integers(0, 1_000_000))
def test_six_decimals_survive_as_real(millionths: int) -> None:
    assert decimal(np.float32(millionths / 1e6)) == millionths / 1e6


def test_from_no_plan_everything_goes_to_people() -> None:
    assert [swept({}, None, 2).action(row) for row in range(2)] == ["review", "review"]
