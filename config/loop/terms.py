"""The terms of the experiment: all that decides what is measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from config.loop.pictures import Picture
from moderation.taxonomy import UNTRAINABLE, Category


class BadTerms(ValueError):
    """The experiment cannot be made like this. The message names the option to mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What every run has in common. Pictures of the classes `violating` violate `category`; the oracle is wrong with a
    chance of `error`. Of each round's heads the reviewer load is that at which a false omission rate of `alpha` is
    certified with confidence 1 − `delta`; `beside` are further limits, for comparison. `made_from` names the content of
    the files: pictures, card and recipe.
    """

    images: str
    model: str
    violating: tuple[str, ...]
    category: str = Category.OTHER.value
    rounds: int = 5
    decisions: int = 200
    error: float = 0.05
    recipe: str = ""
    alpha: float = 0.08
    delta: float = 0.05
    beside: tuple[float, ...] = (0.05, 0.1)
    most: int = 0
    made_from: str = ""

    def are(self, other: Terms) -> bool:
        """Whether a run under these is one under the others, wherever the files lie."""
        return replace(other, images=self.images, model=self.model, recipe=self.recipe) == self

    @property
    def alphas(self) -> tuple[float, ...]:
        return tuple(sorted({self.alpha, *self.beside}))

    def check(self, pictures: Sequence[Picture]) -> None:
        """Raises BadTerms."""
        kinds = {one.kind for one in pictures}
        if unknown := [one for one in self.violating if one not in kinds]:
            raise BadTerms(f"--violating: there is no class {unknown[0]!r}; there are {', '.join(sorted(kinds))}")
        if not self.violating or set(self.violating) == kinds:
            raise BadTerms("--violating: some classes violate, and some do not")
        if self.category in UNTRAINABLE:
            raise BadTerms(f"--category: nobody may train on {self.category}")
        if self.rounds < 2 or self.decisions < 1:
            raise BadTerms("--rounds is 2 or more, --decisions 1 or more")
        shares = {"--error": self.error, "--alpha": self.alpha, "--delta": self.delta}
        if bad := [name for name, share in shares.items() if not 0 <= share < 1 or (name != "--error" and not share)]:
            raise BadTerms(f"{bad[0]} is a share below 1")
        pool = round(0.8 * min(self.most or len(pictures), len(pictures)))
        if self.rounds * self.decisions > pool:
            raise BadTerms(f"--decisions: {self.rounds} rounds of {self.decisions} need more than the pool of {pool}")


@dataclass(frozen=True, slots=True)
class Run:
    """One walk through all rounds: in a house of its own, by one strategy, from one seed."""

    terms: Terms
    strategy: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.strategy}-{self.seed}"

    def is_of(self, other: Run) -> bool:
        return self.terms.are(other.terms) and (self.strategy, self.seed) == (other.strategy, other.seed)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Self:
        said: dict[str, Any] = json.loads(path.read_text())
        terms = Terms(**said.pop("terms"))
        return cls(replace(terms, violating=tuple(terms.violating), beside=tuple(terms.beside)), **said)
