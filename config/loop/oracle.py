"""The oracle: reviewers who know what pictures show, and now and then are wrong; over HTTP, as people's browsers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from config.demo.http import Door
from moderation.taxonomy import DEFAULT_SEVERITY, Category

BATCH: Final = 10


@dataclass(frozen=True, slots=True)
class Answers:
    """What was said: decisions, how many said that it violates, and how many were wrong."""

    decisions: int = 0
    violating: int = 0
    wrong: int = 0

    def __add__(self, other: Answers) -> Answers:
        return Answers(self.decisions + other.decisions, self.violating + other.violating, self.wrong + other.wrong)


@dataclass(frozen=True, slots=True)
class Oracle:
    """`truth` says of each picture, by name, whether it violates. Whether the oracle is wrong about a picture depends
    on seed and picture alone, so that every strategy meets the same mistakes.
    """

    truth: Mapping[str, bool]
    category: str
    error: float
    seed: int

    def is_wrong(self, name: str) -> bool:
        digest = hashlib.sha256(f"{self.seed}:{name}".encode()).digest()
        return int.from_bytes(digest[:8]) / 2**64 < self.error

    def work_off(self, door: Door, queue: str) -> Answers:
        """Claim and decide until the queue is empty."""
        total = Answers()
        while claims := door.post(f"/api/v1/queues/{queue}/claim", {"count": BATCH})["claims"]:
            for claim in claims:
                total += self.decide(door, claim["claim_id"], claim["submission"]["external_id"])
        return total

    def decide(self, door: Door, claim: str, name: str) -> Answers:
        wrong = self.is_wrong(name)
        violates = self.truth[name] != wrong
        label = {"category": self.category, "severity": int(DEFAULT_SEVERITY[Category(self.category)])}
        said = {
            "verdict": "block" if violates else "approve",
            "labels": [label] if violates else [],
            "rationale": "",
            "note": "",
            "seen": {"revealed": True, "seconds": 0},
        }
        door.post(f"/api/v1/claims/{claim}/decision", said)
        return Answers(1, int(violates), int(wrong))
