"""The watch over a certificate, on planted streams of live audits."""

from __future__ import annotations

import numpy as np
import pytest

from moderation.certificates.monitoring import Monitor

ALPHA, DELTA = 0.02, 0.05


def ever_alarmed(rate: float, *, audits: int, seed: int) -> bool:
    """Audits drawn with a chance of 0.1 or 0.5, whatever the violation: looked at after every one."""
    rng = np.random.default_rng(seed)
    monitor = Monitor.started(ALPHA, DELTA)
    for wrong, rare in zip(rng.random(audits) < rate, rng.random(audits) < 1 / 6, strict=True):
        monitor = monitor.fed(wrong=bool(wrong), relative=1.0 if rare else 0.2)
        if monitor.alarmed:
            return True
    return False


@pytest.mark.parametrize("runs", [60, pytest.param(400, marks=pytest.mark.slow)])
def test_at_the_limit_it_hardly_ever_alarms_however_often_it_is_asked(runs: int) -> None:
    alarms = sum(ever_alarmed(ALPHA, audits=800, seed=seed) for seed in range(runs)) / runs

    assert alarms <= DELTA + 2 * (DELTA * (1 - DELTA) / runs) ** 0.5


def test_far_past_the_limit_it_alarms_soon() -> None:
    assert all(ever_alarmed(0.3, audits=300, seed=seed) for seed in range(20))


def test_it_goes_on_from_what_was_stored() -> None:
    first = Monitor.started(ALPHA, DELTA).fed(wrong=True)

    assert Monitor.started(ALPHA, DELTA, first.logs).fed(wrong=False) == first.fed(wrong=False)
