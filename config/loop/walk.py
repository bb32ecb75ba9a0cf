"""One run: cold start, rounds of asking, deciding, exporting, training and adopting, and what became of it. The first
round is the same for all strategies, so they go on from copies of one house.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self
from uuid import uuid4

from django.core.management import CommandError

from config.demo import stream
from config.demo.circle import await_effects
from config.loop.house import HELD_BACK, LEARNING, House
from config.loop.measuring import Held, certificate_of, scores_of
from config.loop.oracle import Answers, Oracle
from config.loop.pictures import Division, Picture
from config.loop.terms import Run
from config.loop.typed import said
from config.loop.untaught import UNTAUGHT, write_untaught

HEADS: Final = "loop-heads"
STILL_SECONDS: Final = 120.0
COLD: Final = "random"
"""Of the first round: no head is there yet whose doubt could be asked about."""


class Stuck(RuntimeError):
    """The house did not do its part. The message says which part, and what was seen instead."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round asked and taught. `decisions` of this round; `labels` in the manifest of all so far."""

    number: int
    strategy: str
    answers: Answers
    labels: int
    fingerprint: str
    version: str
    plan: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Start:
    """A house after the first round: `house` names it, in whatever folder a copy lies."""

    house: str
    backbone: str
    pool: int
    first: Round

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        first = found["first"]
        return cls(**found | {"first": Round(**first | {"answers": Answers(**first["answers"])})})


@dataclass(slots=True)
class Walk:
    """`tell` is told a line a step."""

    run: Run
    house: House
    division: Division
    tell: Callable[[str], object]
    rounds: list[Round] = field(default_factory=list)

    def begin(self) -> Start:
        """Cold start and first round. Raises Stuck, CommandError and what HTTP raises."""
        began = time.monotonic()
        backbone = self.pin()
        pool = self.send(self.division.pool, {})
        self.tell(f"{pool} pictures came in; plan 1 sends every one to people ({time.monotonic() - began:.0f} s)")
        return Start(uuid4().hex, backbone, pool, self.go_round(1, self.oracle(self.run.terms.error), backbone))

    def go_on(self, start: Start) -> dict[str, Any]:
        """All rounds after the first, then the measuring; JSON. Raises what `begin` does."""
        terms, began = self.run.terms, time.monotonic()
        self.rounds = [start.first]
        oracle = self.oracle(terms.error)
        for number in range(2, terms.rounds + 1):
            self.rounds.append(self.go_round(number, oracle, start.backbone))
        held, own = self.measure(self.oracle(0.0), start.backbone)
        audit = said("verify_audit")
        return {
            "strategy": self.run.strategy,
            "seed": self.run.seed,
            "house": start.house,
            "backbone": start.backbone,
            "pool": start.pool,
            "rounds": [asdict(one) for one in self.rounds],
            "held_back": held.as_json(),
            "certificate": own,
            "audit": {"events": audit["events"], "breaks": len(audit["breaks"])},
            "seconds": round(time.monotonic() - began, 1),
        }

    def oracle(self, error: float) -> Oracle:
        terms = self.run.terms
        truth = {one.name: one.kind in terms.violating for one in [*self.division.pool, *self.division.held_back]}
        return Oracle(truth, terms.category, error, self.run.seed)

    def pin(self) -> str:
        """The real backbone, and on it a head that knows nothing; returns the backbone's name@version."""
        eyes = said("add_classifier", self.run.terms.model)
        card = write_untaught(
            self.house.folder / "cold", self.run.terms.category, backbone=eyes["version"], size=eyes["embedding_size"]
        )
        said("adopt", said("add_classifier", card)["version"])
        return str(eyes["version"])

    def send(self, pictures: Sequence[Picture], fields: dict[str, str]) -> int:
        """Through the API, and triaged by the worker; returns how many. Raises Stuck."""
        items = [stream.Item(one.name, one.image, fields) for one in pictures]
        for item, refusal in stream.send(items, self.house.platform):
            if refusal:
                raise Stuck(f"{item.external_id} was not taken: {refusal}")
        await_triage()
        return len(items)

    def go_round(self, number: int, oracle: Oracle, backbone: str) -> Round:
        terms, began = self.run.terms, time.monotonic()
        strategy = COLD if number == 1 else self.run.strategy
        seed = 1000 * self.run.seed + number
        which = ("--strategy", strategy, "--budget", terms.decisions, "--category", terms.category)
        asked = said("select_learning", *which, "--waiting", "--seed", seed)
        answers = oracle.work_off(self.house.reviewer, LEARNING)
        if answers.decisions != asked["opened"]:
            raise Stuck(f"round {number}: {asked['opened']} were asked about, {answers.decisions} were decided")
        await_effects()
        folder = self.house.folder / f"labels-{number}"
        labels = said("export_labels", "--out", folder, "--category", terms.category)
        version = self.taught(folder, backbone)
        plan = said("adopt", version)  # one that is pinned already changes nothing
        self.tell(
            f"round {number}: {answers.decisions} decisions by {strategy} ({answers.violating} violate, "
            f"{answers.wrong} wrong) → {labels['rows']} labels → {version} → plan {plan['plan']}"
        )
        return Round(
            number,
            strategy,
            answers,
            int(labels["rows"]),
            str(labels["fingerprint"]),
            version,
            int(plan["plan"]),
            round(time.monotonic() - began, 1),
        )

    def taught(self, labels: Path, backbone: str) -> str:
        """The heads that these labels teach; those of the round before where they are too few."""
        recipe = ("--recipe", self.run.terms.recipe) if self.run.terms.recipe else ()
        what = ("--manifest", labels, "--name", HEADS, "--backbone", backbone, *recipe)
        try:
            return str(said("train", *what)["version"])
        except CommandError as error:
            if error.returncode != 1:
                raise
            before = self.rounds[-1].version if self.rounds else UNTAUGHT
            self.tell(f"{error}; {before} stays")
            return before

    def measure(self, oracle: Oracle, backbone: str) -> tuple[Held, dict[str, Any]]:
        """The held-back pictures come in as any others do, under the last plan; people who are never wrong say what
        they show. All heads are measured on them, and the house is asked for a certificate of its own.
        """
        terms, since = self.run.terms, datetime.now(UTC)
        count = self.send(self.division.held_back, {"surface": HELD_BACK})
        answers = oracle.work_off(self.house.auditor, HELD_BACK)
        if answers.decisions != count:
            raise Stuck(f"{count} pictures were held back, {answers.decisions} were decided")
        await_effects()
        folder = self.house.folder / "held-back"
        what = ("--out", folder, "--category", terms.category, "--backbone", backbone)
        said("export_labels", *what, "--since", since.isoformat())
        held = scores_of(folder, [one.version for one in self.rounds], category=terms.category)
        if len(held.violating) != count:
            raise Stuck(f"of {count} pictures held back {len(held.violating)} have a label and an embedding")
        own = certificate_of(terms.category, alpha=terms.alpha, delta=terms.delta)
        self.tell(f"{count} pictures held back were measured, {answers.violating} of them violate")
        return held, own


def await_triage() -> None:
    """Returns once no image waits. Raises Stuck when their number stands still."""
    from moderation.models import Submission

    before, still = -1, time.monotonic()
    while waiting := Submission.objects.filter(status="received").count():
        if waiting != before:
            before, still = waiting, time.monotonic()
        if time.monotonic() - still > STILL_SECONDS:
            raise Stuck(f"{waiting} images wait for triage, and for {STILL_SECONDS:.0f} s none was taken")
        time.sleep(0.2)
