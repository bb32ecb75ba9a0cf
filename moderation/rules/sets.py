"""A set of rules: read from its card, worked out on an image. No Django, no clock, no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from moderation.routing import is_probability
from moderation.rules.facts import Case, values
from moderation.rules.faults import Fault, RuleError, Unanswered
from moderation.rules.language import Expression, language
from moderation.taxonomy import Category

EFFECTS: Final = ("find", "tighten", "review", "queue")
MODES: Final = ("live", "shadow")
DOUBTS: Final = ("review", "pass")
QUEUE: Final = re.compile(r"[-a-zA-Z0-9_]{1,50}")
NAME: Final = "house-rules"
LONGEST_NAME: Final = 80
MOST_RULES: Final = 200
RESERVED_QUEUE: Final = "escalated"


@dataclass(frozen=True, slots=True)
class Rule:
    """`when` it holds, `effect`: find `category` with probability `amount`; tighten its cuts by `amount`; ask for a
    review, in `queue` if that is said; or, if a person is to look anyway, let the request wait in `queue`.

    `mode` shadow: worked out and counted, without effect. `on_error`: an image that it has no answer for goes to a
    person (review), or the rule is passed over (pass).
    """

    name: str
    when: str
    effect: str
    category: str = ""
    amount: float | None = None
    queue: str = ""
    mode: str = "live"
    on_error: str = "review"
    note: str = ""

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Rule:
        """Raises TypeError or ValueError where the table is not one."""
        texts = {part: str(table[part]) for part in cls.__dataclass_fields__ if part in table and part != "amount"}
        return cls(amount=float(table["amount"]) if table.get("amount") is not None else None, **texts)

    def as_table(self) -> dict[str, Any]:
        return {part: value for part, value in asdict(self).items() if value not in {None, ""}}

    @property
    def is_live(self) -> bool:
        return self.mode == "live"

    def check(self) -> None:
        """Everything but `when`. Raises RuleError."""
        if not 0 < len(self.name.strip()) <= LONGEST_NAME:
            raise RuleError(Fault("name", values={"limit": LONGEST_NAME}, part="name"))
        for part, among in (("effect", EFFECTS), ("mode", MODES), ("on_error", DOUBTS)):
            if getattr(self, part) not in among:
                raise RuleError(Fault("choice", values={"among": ", ".join(among)}, part=part))
        needs_category = self.effect in {"find", "tighten"}
        if (self.category or needs_category) and self.category not in Category.values:
            raise RuleError(Fault("category", part="category"))
        if needs_category and not (is_probability(self.amount) and self.amount):
            raise RuleError(Fault("amount", part="amount"))
        if self.effect == "queue" and not self.queue:
            raise RuleError(Fault("no_queue", part="queue"))
        if self.queue and (not QUEUE.fullmatch(self.queue) or self.queue == RESERVED_QUEUE):
            raise RuleError(Fault("queue", part="queue"))


@dataclass(slots=True)
class Word:
    """What a set of rules says of one image. `failed`: rule -> why it has no answer."""

    probabilities: dict[str, float] = field(default_factory=dict)
    demands: list[dict[str, str]] = field(default_factory=list)
    tighten: dict[str, float] = field(default_factory=dict)
    tightened_by: dict[str, str] = field(default_factory=dict)
    queue: str = ""
    rules: list[str] = field(default_factory=list)
    shadow: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> dict[str, Any]:
        """As evidence, `classifiers.base.Shown`; empty when no rule had anything to say."""
        parts = ("demands", "tighten", "tightened_by", "queue", "rules", "shadow", "failed")
        return {part: getattr(self, part) for part in parts if getattr(self, part)}

    def apply(self, rule: Rule) -> None:
        """Nothing here can make a route milder: probabilities only rise, cuts only fall, people are only asked."""
        match rule.effect:
            case "find":
                self.probabilities[rule.category] = max(amount(rule), self.probabilities.get(rule.category, 0.0))
            case "tighten" if amount(rule) > self.tighten.get(rule.category, 0.0):
                self.tighten[rule.category] = amount(rule)
                self.tightened_by[rule.category] = rule.name
            case "review":
                self.demands.append(demand("rule", rule))
        self.queue = self.queue or rule.queue


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Checked rules, in the order in which they were written; of several queues the first one counts."""

    rules: tuple[Rule, ...]
    conditions: tuple[Expression, ...]

    @classmethod
    def read(cls, rules: Sequence[Rule]) -> RuleSet:
        """Check each rule. Raises RuleError, which says at which one."""
        if len(rules) > MOST_RULES:
            raise RuleError(Fault("many", values={"limit": MOST_RULES}, part="name"))
        names: set[str] = set()
        conditions = []
        for at, rule in enumerate(rules):
            try:
                rule.check()
                if rule.name in names:
                    raise RuleError(Fault("taken", part="name"))
                names.add(rule.name)
                conditions.append(language().read(rule.when))
            except RuleError as error:
                raise RuleError(error.fault, rule=at) from error
        return cls(tuple(rules), tuple(conditions))

    @property
    def names(self) -> frozenset[str]:
        """The fields that its rules read."""
        return frozenset[str]().union(*(condition.names for condition in self.conditions))

    @property
    def categories(self) -> list[str]:
        """Those in which it may find something."""
        found = {rule.category for rule in self.rules if rule.effect == "find" and rule.is_live}
        return [code.value for code in Category if code in found]

    def judge(self, case: Case) -> Word:
        """What the rules say of this image: the same of the same facts, always."""
        facts, word = language().facts(values(self.names, case)), Word()
        for rule, condition in zip(self.rules, self.conditions, strict=True):
            try:
                holds = condition.holds(facts)
            except Unanswered as error:
                word.failed[rule.name] = error.code
                if rule.is_live and rule.on_error == "review":
                    word.demands.append(demand("rule_error", rule))
                continue
            if holds and rule.is_live:
                word.rules.append(rule.name)
                word.apply(rule)
            elif holds:
                word.shadow.append(rule.name)
        return word


def amount(rule: Rule) -> float:
    """To six decimals, which PostgreSQL's `real` keeps: live triage and replay see the same number."""
    return round(float(rule.amount or 0.0), 6)


def demand(code: str, rule: Rule) -> dict[str, str]:
    category = rule.category if rule.effect == "review" else ""
    return {"action": "review", "code": code, "category": category, "detail": rule.name}


def from_card(card: Mapping[str, Any]) -> RuleSet:
    """The rules that a card holds. Raises RuleError."""
    tables = card.get("rules", [])
    if not isinstance(tables, list) or not all(isinstance(one, Mapping) for one in tables):
        raise RuleError(Fault("card", part="name"))
    try:
        rules = [Rule.from_table(one) for one in tables]
    except (TypeError, ValueError):
        raise RuleError(Fault("card", part="name")) from None
    return RuleSet.read(rules)


def card_of(rules: RuleSet, *, version: str) -> dict[str, Any]:
    """The card of these rules, as the registry takes it."""
    return {
        "name": NAME,
        "version": version,
        "kind": "rules",
        "licence": "the house’s own",
        "trained_on": "nothing: people wrote it",
        "outputs": [{"category": category} for category in rules.categories],
        "rules": [rule.as_table() for rule in rules.rules],
    }
