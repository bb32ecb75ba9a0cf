"""Results of runs as a house would give them, with scores that are made up to be as good as wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from config.loop.measuring import Held

N = 400


def held(separations: Sequence[float], *, seed: int) -> Held:
    """A fifth violates; a round's scores of those that do lie so many standard deviations above the others'."""
    rng = np.random.default_rng(seed)
    violating = (rng.random(N) < 0.2).astype(np.int8)
    noise = rng.normal(size=N)
    logits = np.array([noise + (violating - 0.5) * apart for apart in separations])
    return Held(violating, 1 / (1 + np.exp(-logits)))


def result(separations: Sequence[float], *, strategy: str = "uncertainty", seed: int = 1) -> dict[str, Any]:
    found = held(separations, seed=seed)
    load = found.loads(alpha=0.08, delta=0.05)[-1]
    return {
        "strategy": strategy,
        "seed": seed,
        "house": f"house-{seed}",
        "backbone": "eyes@1",
        "pool": 4 * N,
        "rounds": [
            {
                "number": number,
                "version": f"loop-heads@{number}",
                "fingerprint": f"{number:064x}",
                "answers": {"decisions": 200, "violating": 40, "wrong": 10},
            }
            for number in range(1, len(separations) + 1)
        ],
        "held_back": found.as_json(),
        "certificate": {"audits": N, "share": 1 - load},
        "audit": {"events": 100, "breaks": 0},
        "seconds": 60.0,
    }
