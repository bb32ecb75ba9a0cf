"""A sketch answers what one category's cuts would do, as routing would."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from moderation.plans import Band, Plan, Tightening
from moderation.simulation.columns import Voice
from moderation.simulation.history import History
from moderation.simulation.sketch import BINS, sketch
from moderation.simulation.sweep import swept

CODES = ("HATE", "NUDITY", "PRIVACY")
cuts = st.integers(0, BINS).map(lambda place: place / BINS)
scores = cuts | st.floats(0, 1).map(lambda value: round(value, 6)) | st.just(-1.0)


@st.composite
def bands(draw: st.DrawFn) -> Band:
    approve, block = sorted((draw(cuts), draw(cuts)))
    return Band(approve, draw(st.sampled_from([block, None])))


@given(
    st.lists(st.tuples(scores, scores, scores), min_size=1, max_size=12),
    st.tuples(bands(), bands(), bands()),
    st.lists(st.builds(Tightening, st.sampled_from(CODES), cuts, st.sampled_from(CODES), cuts), max_size=2),
    st.sampled_from(CODES),
    bands(),
)
def test_moving_one_categorys_cuts_counts_as_routing_would(
    table: list[tuple[float, float, float]],
    given_bands: tuple[Band, Band, Band],
    rules: list[Tightening],
    moved: str,
    band: Band,
) -> None:
    images = len(table)
    voice = Voice("a@1", CODES, np.array(table, np.float32).T.copy(), np.ones(images, np.bool_))
    history = History(np.arange(2 * images, dtype=np.uint64).reshape(images, 2), {"a@1": voice})
    plan = Plan(1, dict(zip(CODES, given_bands, strict=True)), ("a@1",), tightening=tuple(rules))

    found = sketch(history, plan).totals(moved, band.approve, band.block)

    routed = swept(history.voices, replace(plan, bands={**plan.bands, moved: band}), images)
    assert found == tuple(np.bincount(routed.actions, minlength=3).tolist())
