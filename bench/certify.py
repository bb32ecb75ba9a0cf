"""A million audits, certified: drawn with equal chance, and with unequal ones.

.venv/bin/python -m bench.certify
"""

from __future__ import annotations

import statistics
import time
from typing import Any, Final

import numpy as np

from bench.harness import emit, machine
from moderation.certificates import certify

AUDITS: Final = 1_000_000
ROUNDS: Final = 5


def main() -> None:
    rng = np.random.default_rng(1)
    violating = rng.random(AUDITS) < 0.05
    scores = np.where(violating, rng.beta(5, 2, AUDITS), rng.beta(1, 12, AUDITS))
    weights = np.where(scores < 0.25, 20.0, 1.0)
    for metric, given in (("certify.s_1m", None), ("certify.weighted_s_1m", weights)):
        for risk, alpha in (("FOR", 0.005), ("FDR", 0.1)):
            wall, cpu, found = timed(scores, violating, risk=risk, alpha=alpha, weights=given)
            params = {"risk": risk, "alpha": alpha, "delta": 0.05, "cpu_s": round(cpu, 3), "share": found.share}
            emit("certify", metric, wall, "s", n=AUDITS, params={**params, **machine()})


def timed(scores: Any, violating: Any, **how: Any) -> tuple[float, float, Any]:
    """Median seconds of the clock and of the processor."""
    walls, cpus, found = [], [], None
    for _round in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        found = certify(scores, violating, delta=0.05, **how)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return statistics.median(walls), statistics.median(cpus), found


if __name__ == "__main__":
    main()
