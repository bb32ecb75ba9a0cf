"""Routing by columns says of every image what `route` says of it alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from moderation.plans import Band, Plan, Tightening
from moderation.routing import Context, Evidence, route
from moderation.simulation.columns import SILENT, Voice, above, at_least, decimal, decimals
from moderation.simulation.sweep import swept

CODES = ("HATE", "NUDITY", "PRIVACY", "WEAPONS_DANGEROUS")
PLACES = tuple(round(place / 20, 2) for place in range(21))  # few, so that scores meet cuts and each other
numbers = st.sampled_from(PLACES) | st.floats(0, 1).map(lambda value: round(value, 6))
odd = st.sampled_from([np.nan, 1.5, -0.25, np.inf])
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
    score = st.one_of(numbers, numbers, numbers, st.just(float(SILENT)), st.floats(0, 1, width=32), odd)
    table = [[draw(score) for _ in range(images)] for _code in codes]
    spoke = np.array([draw(st.sampled_from([True, True, True, False])) for _ in range(images)], np.bool_)
    scores = Voice(ref, codes, np.array(table, np.float32).reshape(len(codes), images), spoke)
    shown = {row: one for row in range(images) if spoke[row] and (one := draw(showings))}
    said = {row: Evidence.read(ref, scores.evidence(row).probabilities, one) for row, one in shown.items()}
    return replace(scores, said=said)


@given(st.data(), plans(), st.integers(1, 6))
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
