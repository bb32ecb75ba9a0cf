"""Sets of rules: what a card may hold, and that whatever they say, no route becomes milder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers import cards, registry
from classifiers.models import ClassifierVersion
from moderation.models import Submission
from moderation.policies import check
from moderation.routing import Band, Context, Evidence, Plan, PlanError, route
from moderation.rules.facts import Case
from moderation.rules.faults import RuleError
from moderation.rules.sets import MOST_RULES, NAME, Rule, RuleSet, card_of, from_card
from moderation.rules.wording import effect, told
from tests.moderation.rulings import rule
from tests.moderation.test_routing import bands, probabilities

CATEGORIES = ("HATE", "NUDITY", "CSAE")
STRICTNESS = {"approve": 0, "review": 1, "block": 2, "quarantine": 3}
amounts = st.floats(0.001, 1)
rules = st.builds(
    Rule,
    name=st.sampled_from(["one", "two", "three"]),
    when=st.sampled_from(["true", "image.width > 9", "scores.HATE > 0.5", "context.gone == 1", "prompt.contains('x')"]),
    effect=st.sampled_from(["find", "tighten", "review", "queue"]),
    category=st.sampled_from(CATEGORIES),
    amount=amounts,
    queue=st.just("night"),
    mode=st.sampled_from(["live", "shadow"]),
    on_error=st.sampled_from(["review", "pass"]),
)
plans = st.builds(
    Plan,
    number=st.just(1),
    bands=st.fixed_dictionaries(dict.fromkeys(CATEGORIES, bands())),
    classifiers=st.just(("eyes@1",)),
    audit_rate=probabilities,
)


@given(
    st.lists(rules, max_size=3, unique_by=lambda one: one.name),
    st.dictionaries(st.sampled_from(CATEGORIES), probabilities),
    plans,
    st.sampled_from(["", "x"]),
)
def test_no_rule_makes_a_route_milder(written: list[Rule], scores: dict[str, float], plan: Plan, prompt: str) -> None:
    seen = Evidence("eyes@1", scores)
    row = Submission(prompt=prompt, width=10, height=10, media_type="image/png", byte_size=1)
    word = RuleSet.read(written).judge(Case(row, [seen]))
    ruled = replace(plan, classifiers=("eyes@1", "rules@1"))

    after = route([seen, Evidence.read("rules@1", word.probabilities, word.shown)], ruled, Context())

    assert STRICTNESS[after.action] >= STRICTNESS[route([seen], plan, Context()).action]
    assert all(one.is_live for one in written if one.name in word.rules)


def test_a_card_of_rules_is_registered_and_read_back(db: None, tmp_path: Path) -> None:
    written = RuleSet.read([rule("teens", 'audience == "teen"', "find", category="HATE", amount=0.25), rule("two")])

    version = registry.register(cards.dump(card_of(written, version="1"), tmp_path / "rules.toml"))

    assert (version.ref, version.kind, version.categories) == (f"{NAME}@1", "rules", ["HATE"])
    assert from_card(version.card).rules == written.rules


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ({"rules": "all of them"}, "card"),
        ({"rules": [{"name": "half"}]}, "card"),
        ({"rules": [{"name": "n", "when": "true", "effect": "find", "category": "HATE", "amount": "much"}]}, "card"),
        ({"rules": [{"name": "n", "when": "true", "effect": "approve"}]}, "choice"),
        ({"rules": [{"name": "n", "when": "true", "effect": "find", "category": "HATE", "amount": -0.5}]}, "amount"),
        ({"rules": [{"name": "n", "when": "true", "effect": "find", "category": "RUDE", "amount": 0.5}]}, "category"),
        ({"rules": [{"name": "n", "when": "true", "effect": "review", "mode": "loud"}]}, "choice"),
        ({"rules": [{"name": "n", "when": "true", "effect": "queue"}]}, "no_queue"),
        ({"rules": [{"name": "n", "when": "gone > 1", "effect": "review"}]}, "unknown"),
        ({"rules": [{"name": "n", "when": "true", "effect": "review"}] * (MOST_RULES + 1)}, "many"),
        ({"rules": [{"name": " ", "when": "true", "effect": "review"}]}, "name"),
    ],
)
def test_a_card_that_cannot_be_followed_is_refused(card: dict[str, Any], code: str) -> None:
    with pytest.raises(RuleError) as caught:
        from_card(card)

    assert caught.value.fault.code == code
    assert told(caught.value.fault)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (rule(effect="find", category="HATE", amount=0.5), "finds Hate at 0.50"),
        (rule(effect="tighten", category="HATE", amount=0.1), "lowers the cuts of Hate by 0.10"),
        (rule(effect="queue", queue="night"), "if a person looks, then in the queue “night”"),
        (rule(queue="night"), "a person looks, in the queue “night”"),
        (rule(), "a person looks"),
    ],
)
def test_an_effect_is_put_into_words(one: Rule, words: str) -> None:
    assert effect(one) == words


def test_a_plan_does_not_take_rules_that_it_cannot_read(db: None, guidelines: None) -> None:
    card = {"rules": [{"name": "n", "when": "gone > 1", "effect": "review"}]}
    version = ClassifierVersion.objects.create(name=NAME, version="1", kind="rules", card=card)

    with pytest.raises(PlanError, match="house-rules@1, rule 1: Line 1, column 1: “gone” is no field"):
        check(Plan(0, {"HATE": Band(0.1)}, (version.ref,)))
