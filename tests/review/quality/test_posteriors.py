from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from review.quality.posteriors import Posterior, beta_cdf, beta_quantile

SIZES = st.floats(0.5, 5000)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine the first draw takes long
@given(SIZES, SIZES, st.floats(0, 1))
def test_the_distribution_is_scipys(a: float, b: float, x: float) -> None:
    assert beta_cdf(x, a, b) == pytest.approx(float(stats.beta.cdf(x, a, b)), abs=1e-9)


@pytest.mark.parametrize("share", [0.025, 0.5, 0.975])
@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (0.5, 200.5), (41.5, 3.5), (5000, 3)])
def test_the_quantiles_are_scipys(a: float, b: float, share: float) -> None:
    assert beta_quantile(share, a, b) == pytest.approx(float(stats.beta.ppf(share, a, b)), abs=1e-9)


def test_jeffreys_intervals_are_those_published() -> None:
    """Brown, Cai & DasGupta (2001) tabulate the limits by x and n: 1 of 10 is .011 to .381."""
    found = Posterior(1, 10)
    assert (round(found.low, 3), round(found.high, 3)) == (0.011, 0.381)
    assert (Posterior(0, 10).low, Posterior(10, 10).high) == (0.0, 1.0)
    assert Posterior(0, 0).mean == 0.5
