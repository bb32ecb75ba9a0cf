"""The signal of kind ``terms``: a term edition in service."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from classifiers.base import CardError, ImageInput, Outputs, Score, Shown, scores
from classifiers.cards import Card
from classifiers.prompts import editions
from classifiers.prompts.terms import EditionError, Screening, TermIndex, index

MOST_SHOWN: Final = 50
"""Matches of one prompt that are kept as evidence; what they ask for counts all of them."""


class TermList:
    """Says of a prompt which listed terms it holds. What a picture is asked *not* to show asks for nothing, so the
    negative prompt is not read."""

    embedding_size: int | None = None

    def __init__(self, card: Card) -> None:
        self.card = card
        self.name, self.version, self.categories = card.name, card.version, card.codes
        self.index = _indexed(card)
        self.blockable = frozenset(
            spec["category"] for spec in card.table["outputs"] if spec.get("demand", "review") == "block"
        )
        """Categories in which this edition may ask for a picture to be blocked; in the others a person looks."""

    def check(self) -> None:
        """CardError when the edition speaks of a category that the card does not list."""
        spoken = self.index.categories.keys() | {rule.category for rule in self.index.combinations}
        if stray := sorted(spoken - set(self.categories)):
            raise CardError(f"the edition speaks of {', '.join(stray)}: list them in the card's [[outputs]]")

    def screen(self, prompt: str) -> Screening:
        """What the edition says of a prompt before there is a picture."""
        return self.index.screen(prompt)

    def guidance(self, codes: Sequence[str]) -> list[str]:
        """What a generator can steer away from, for these categories, each once."""
        listed = self.index.categories
        return list(dict.fromkeys(term for code in codes if code in listed for term in listed[code].guidance))

    def run(self, images: Sequence[ImageInput]) -> Outputs:
        """Probabilities [N, K] as the edition states them, matches and demands shown; no embedding."""
        probabilities = np.zeros((len(images), len(self.categories)), dtype=np.float32)
        shown: list[Shown] = []
        for row, image in enumerate(images):
            screening = self.screen(image.prompt)
            for code, (probability, _action) in screening.found.items():
                probabilities[row, self.categories.index(code)] = probability
            shown.append(self._shown(screening, image.prompt))
        return Outputs(probabilities, shown=shown)

    def score(self, images: Sequence[ImageInput]) -> list[Score]:
        return scores(self.run(images), self.categories)

    def _shown(self, screening: Screening, prompt: str) -> Shown:
        if not screening.found:
            return {}
        told = {match.name: match.term for match in reversed(screening.matches)}
        told |= {rule.category: rule.name for rule in screening.combinations}
        demands = [
            {
                "action": "block" if action == "block" and code in self.blockable else "review",
                "code": "term",
                "category": code,
                "detail": told[code],
            }
            for code, (_probability, action) in screening.found.items()
            if action != "transform"
        ]
        matched = [
            described(match.name, match.term, match.start, match.end, prompt)
            for match in screening.matches[:MOST_SHOWN]
        ]
        return {"demands": demands, "matched": matched, "rules": [rule.name for rule in screening.combinations]}


def described(name: str, term: str, start: int, end: int, prompt: str) -> Mapping[str, Any]:
    """A match as people and clients read it: ``text`` is what stands in the prompt."""
    return {"term": term, "category": name, "start": start, "end": end, "text": prompt[start:end]}


def open_card(card: Card, *, cache: Path | None = None) -> TermList:  # noqa: ARG001 - as every opener
    return TermList(card)


def _indexed(card: Card) -> TermIndex:
    try:
        with card.weights.open(encoding="utf-8") as lines:
            return index(editions.read(lines))
    except EditionError as error:
        raise CardError(f"{card.weights.name}: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise CardError(f"{card.weights.name} cannot be read: {error}") from error
