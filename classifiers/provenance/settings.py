"""What a card of kind `provenance` sets: probabilities, limits, and which contradictions ask for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from classifiers.base import CardError
from classifiers.cards import Card
from classifiers.fields import Table
from classifiers.provenance.privacy import SIGNALS

KINDS: Final = ("prompt", "negative_prompt", "generator", "capture", "source_type", "seed", "model", "sampler", "steps")


@dataclass(frozen=True, slots=True)
class Settings:
    """Each signal speaks of one category; probabilities are in [0, 1]."""

    categories: tuple[str, ...]
    contradictions: str
    contradiction: float
    demand: frozenset[str]
    undeclared_share: float
    credentials: str
    invalid: float
    unread: float
    max_bytes: int
    seconds: float
    batch_seconds: float
    anchors: str
    privacy: str
    signals: Mapping[str, float]

    @classmethod
    def read(cls, card: Card) -> Self:
        """Raises CardError, which says what to mend."""
        top = Table(card.table, "card")
        said, signed, private = (section(top, name) for name in ("contradictions", "credentials", "privacy"))
        demand = frozenset(said.strings("demand"))
        if unknown := sorted(demand - set(KINDS)):
            raise CardError(f"[contradictions] demand: {', '.join(unknown)} is none of {', '.join(KINDS)}")
        return cls(
            categories=card.codes,
            contradictions=said.string("category", among=card.codes),
            contradiction=probability(said, "probability"),
            demand=demand,
            undeclared_share=probability(said, "undeclared_share"),
            credentials=signed.string("category", among=card.codes),
            invalid=probability(signed, "invalid"),
            unread=probability(signed, "unread"),
            max_bytes=int(positive(signed, "max_bytes")),
            seconds=positive(signed, "seconds"),
            batch_seconds=positive(top, "batch_seconds"),
            anchors=signed.string("anchors", default="") if has(card.table, "credentials", "anchors") else "",
            privacy=private.string("category", among=card.codes),
            signals={signal: probability(private, signal) for signal in SIGNALS},
        )


def section(top: Table, name: str) -> Table:
    table = top.table(name)
    if table is None:
        raise CardError(f"[{name}] is missing")
    return table


def has(table: Mapping[str, Any], name: str, key: str) -> bool:
    return bool(table[name].get(key))


def probability(table: Table, key: str) -> float:
    value = table.number(key)
    if not 0 <= value <= 1:
        raise CardError(f"{key} is a probability: between 0 and 1")
    return value


def positive(table: Table, key: str) -> float:
    value = table.number(key)
    if value <= 0:
        raise CardError(f"{key} must be above 0")
    return value
