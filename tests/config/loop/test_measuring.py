from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.evaluation import auc
from config.loop.measuring import Held, interval, weighted_aucs
from moderation.certificates import certify
from tests.config.loop.made import held

ROWS = st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.booleans(), st.integers(0, 3))


@given(st.lists(ROWS, min_size=1, max_size=30))
def test_a_weighted_auc_is_that_of_the_pictures_repeated(rows: list[tuple[float, bool, int]]) -> None:
    scores, violating, counts = (np.array(column) for column in zip(*rows, strict=True))

    found = weighted_aucs(scores, violating.astype(np.int8), counts[None].astype(np.float64))[0]

    again = auc(np.repeat(scores, counts), np.repeat(violating, counts))
    assert np.isnan(found) if again is None else found == pytest.approx(again)


def test_the_load_is_what_the_certificate_leaves_to_people() -> None:
    one = held([0.0, 2.0], seed=3)

    found = one.loads(alpha=0.1, delta=0.05)

    made = certify(one.scores[1], one.violating, risk="FOR", alpha=0.1, delta=0.05)
    assert found[0] == 1  # scores that say nothing certify nothing
    assert found[1] == 1 - made.share < 0.7


def test_draws_lie_about_what_was_measured_and_keep_pairs() -> None:
    one = held([1.0, 1.0], seed=4)

    draws = one.resampled(np.random.default_rng(0))

    low, high = interval(draws[:, 0])
    assert low < one.aucs()[0] < high
    assert high - low < 0.2
    np.testing.assert_array_equal(draws[:, 0], draws[:, 1])


def test_a_result_travels_as_json() -> None:
    one = held([0.5, 2.0], seed=5)
    again = Held.from_json(one.as_json())
    np.testing.assert_array_equal(one.violating, again.violating)
    np.testing.assert_allclose(one.scores, again.scores, atol=1e-9)
