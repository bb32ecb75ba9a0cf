"""Trying a draft of rules on images that were triaged already, before anyone publishes it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from moderation.models import Status, Submission
from moderation.routing import Action, Band, Evidence, Plan, Route
from moderation.rules.sets import Rule, RuleSet, Word
from moderation.simulation import routed, routes

if TYPE_CHECKING:
    from collections.abc import Sequence

TRIED: Final = 500
EXAMPLES: Final = 8
DRAFT: Final = "draft"


@dataclass(frozen=True, slots=True)
class Example:
    """An image on which a rule holds, and where it goes in service and under the draft."""

    submission: Submission
    before: Action | None
    after: Action | None

    @property
    def moved(self) -> bool:
        return self.before != self.after


@dataclass(slots=True)
class Tried:
    """One rule: on how many images it holds, on how many it has no answer (why -> how many)."""

    rule: Rule
    hits: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Trial:
    """The last images triaged, the newest first, under the plan in force and under the draft; what is under legal hold
    is left out. On `unseen` more, a pinned classifier has nothing stored.
    """

    images: int
    unseen: int
    rules: list[Tried]
    moves: Counter[tuple[Action, Action]]

    @property
    def moved(self) -> int:
        return self.moves.total()


def try_out(rules: RuleSet, plan: Plan, *, limit: int = TRIED) -> Trial:
    """Where the last `limit` images would go, by stored facts alone. A few queries; no image is opened."""
    from moderation.triage.replay import Stored  # late: it brings numpy
    from moderation.triage.scoring import pinned

    triaged = Submission.objects.exclude(status__in=[Status.RECEIVED, Status.QUARANTINED]).order_by("-pk")
    rows = list(triaged.defer("reasons", "generator", "negative_prompt")[:limit])
    versions = {version.ref: version for version in pinned(plan)}
    others = tuple(ref for ref in plan.classifiers if ref not in versions or versions[ref].kind != "rules")
    new = {category: Band(0.0) for category in rules.categories if category not in plan.bands}
    drafted = replace(plan, classifiers=(*others, DRAFT), bands={**plan.bands, **new})
    stored = Stored.of(rows, [(ref, versions.get(ref)) for ref in others])
    words = stored.judged(rules)
    after = [
        routed(row, [*said, Evidence.read(DRAFT, word.probabilities, word.shown)], drafted)
        for row, said, word in zip(rows, stored.said, words, strict=True)
    ]
    pairs = list(zip(routes(rows, plan), after, strict=True))
    moves = Counter((old.action, new.action) for old, new in pairs if old and new and old.action != new.action)
    unseen = sum(old is None or new is None for old, new in pairs)
    tried = [outcome(rule, rows, words, pairs) for rule in rules.rules]
    return Trial(len(rows) - unseen, unseen, tried, moves)


def outcome(
    rule: Rule, rows: Sequence[Submission], words: Sequence[Word], pairs: Sequence[tuple[Route | None, Route | None]]
) -> Tried:
    found = Tried(rule)
    for row, word, (old, new) in zip(rows, words, pairs, strict=True):
        if rule.name in word.failed:
            why = word.failed[rule.name]
            found.failures[why] = found.failures.get(why, 0) + 1
        elif rule.name in word.rules or rule.name in word.shadow:
            found.hits += 1
            if len(found.examples) < EXAMPLES:
                found.examples.append(Example(row, action(old), action(new)))
    return found


def action(found: Route | None) -> Action | None:
    return found.action if found else None
