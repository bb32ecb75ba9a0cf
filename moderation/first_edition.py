"""The first edition of the law: a guideline a category, and plan 1, so that a new house has something to improve."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import classifiers
from classifiers import registry
from moderation import policies
from moderation.actors import Actor
from moderation.models import PolicyVersion, TriagePlan
from moderation.taxonomy import DEFAULT_SEVERITY, Category

GUIDELINES: Final = Path(__file__).parent / "guidelines"
SIGNALS: Final = Path(classifiers.__file__).parent / "signals"

# Cuts on the calibrated probability. The graver the harm, the lower the approve cut: a miss there hurts most.
# A block cut only where a picture can be judged by itself. Where law, consent, intent or care for the author decides,
# only a person blocks; so it is for every harm of the highest severity.
APPROVE: Final[Mapping[Category, float]] = {
    Category.CSAE: 0.01,
    Category.NCII: 0.05,
    Category.SEX_EXPLICIT: 0.15,
    Category.NUDITY: 0.25,
    Category.VIOLENCE_GORE: 0.15,
    Category.WEAPONS_DANGEROUS: 0.15,
    Category.TERROR_EXTREMISM: 0.05,
    Category.HATE: 0.10,
    Category.HARASSMENT: 0.20,
    Category.SELF_HARM: 0.10,
    Category.REGULATED: 0.25,
    Category.ANIMAL_CRUELTY: 0.15,
    Category.IMPERSONATION_FRAUD: 0.20,
    Category.CIVIC_DECEPTION: 0.20,
    Category.IP_LIKENESS: 0.30,
    Category.PRIVACY: 0.20,
    Category.CULTURAL: 0.30,
    Category.OTHER: 0.40,
}
BLOCK: Final[Mapping[Category, float]] = {
    Category.SEX_EXPLICIT: 0.95,
    Category.NUDITY: 0.98,
    Category.VIOLENCE_GORE: 0.95,
    Category.WEAPONS_DANGEROUS: 0.93,
    Category.REGULATED: 0.95,
    Category.ANIMAL_CRUELTY: 0.95,
    Category.IMPERSONATION_FRAUD: 0.95,
    Category.PRIVACY: 0.95,
}


def publish_guidelines(*, actor: Actor) -> list[PolicyVersion]:
    """Afterwards every category has a guideline; returns the ones that were published now."""
    written = policies.in_force()
    first = [
        PolicyVersion(category=category, number=1, **guideline(category), severity=DEFAULT_SEVERITY[category])
        for category in Category
        if category not in written
    ]
    return policies.publish_together(first, actor=actor)


def guideline(category: Category) -> dict[str, Any]:
    """The first wording: headline, definition, allowed, not_allowed, exceptions."""
    with (GUIDELINES / f"{category.lower()}.toml").open("rb") as file:
        text = tomllib.load(file)
    return {name: value.strip() if isinstance(value, str) else value for name, value in text.items()}


def bands() -> dict[str, dict[str, float | None]]:
    """Plan 1's band of every category, in the form of a plan's body."""
    return {category.value: {"approve": APPROVE[category], "block": BLOCK.get(category)} for category in Category}


def register_signals() -> list[str]:
    """Afterwards every signal that comes with the house is registered; returns their references, for a plan to pin."""
    return [registry.register(card).ref for card in sorted(SIGNALS.glob("*.toml"))]


def publish_plan_one(refs: Sequence[str], *, actor: Actor, audit_rate: float) -> TriagePlan:
    """Afterwards plan 1 is in force, with a band for every category and these classifiers pinned.

    Raises PlanError when a version is not registered, Outdated when some plan was published before.
    """
    body = {"bands": bands(), "classifiers": list(refs), "audit_rate": audit_rate}
    return policies.publish_plan(body, note="First edition.", actor=actor, based_on=0)
