"""A tireless demo reviewer who knows what the drawn scenes show: claims and decides over HTTP, as a person's browser
does.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from config.demo.http import Door
from config.demo.stream import truth
from moderation.taxonomy import DEFAULT_SEVERITY, Category

BATCH: Final = 10


def work_off(door: Door, *, queue: str = "general", limit: int) -> Counter[str]:
    """Claim and decide until the queue is empty or `limit` requests are decided; returns verdicts."""
    verdicts: Counter[str] = Counter()
    while sum(verdicts.values()) < limit:
        claims = door.post(f"/api/v1/queues/{queue}/claim", {"count": BATCH})["claims"]
        if not claims:
            break
        for claim in claims:
            labels = sorted(truth(claim["submission"]["external_id"]))
            verdict = "block" if labels else "approve"
            door.post(
                f"/api/v1/claims/{claim['claim_id']}/decision",
                {
                    "verdict": verdict,
                    "labels": [
                        {"category": code, "severity": int(DEFAULT_SEVERITY[Category(code)])} for code in labels
                    ],
                    "rationale": "",
                    "note": "decided by the demo's check from what the scene was drawn to show",
                    "seen": {"revealed": True, "seconds": 0},
                },
            )
            verdicts[verdict] += 1
    return verdicts


def agree(door: Door) -> int:
    """A senior agrees to everything that waits for a second person; returns to how much."""
    agreed = 0
    while waiting := door.get("/api/v1/held?limit=200")["results"]:
        for one in waiting:
            door.post(f"/api/v1/held/{one['decision_id']}/approve", {})
        agreed += len(waiting)
    return agreed
