"""A day's counts, and what they add up to. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from review.estimates.shares import Sums
from review.estimates.totals import Quality

ROUTES: Final = ("approve", "review", "block")
Key = tuple[str, str]  # category ("": any harm) and part


@dataclass(frozen=True, slots=True)
class Seen:
    """One image that people looked at by lot. `route`: where triage sent it, `decided`: the category that decided so,
    `found`: the categories people found it to violate.
    """

    route: str
    decided: str
    chance: float
    harmful: bool
    found: Set[str]


@dataclass(slots=True)
class Tally:
    """Of the images of some days: how many went which way, `own`: those blocked by the category that decided; `seen`:
    those that people looked at, as sums without hits; `hits`: with those that are. Each by category and part.
    """

    images: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    own: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    seen: dict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    hits: dict[Key, Sums] = field(default_factory=lambda: defaultdict(Sums))

    def count(self, route: str, decided: str, images: int) -> None:
        self.images[route] += images
        if route == "block":
            self.own[decided] += images

    def add(self, one: Seen) -> None:
        weight = 1 / one.chance
        own = f"own {one.decided}"
        for part in (one.route, own) if one.route == "block" else (one.route,):
            self.seen[part] += Sums(n=1, w=weight, w2=weight**2)
        hit = Sums(hits=1, w_hits=weight, w2_hits=weight**2)
        for category in {"", *one.found} if one.harmful else ():
            self.hits[category, one.route] += hit
        if one.route == "block" and one.harmful and one.decided in one.found:
            self.hits[one.decided, "own"] += hit

    def take(self, other: Tally) -> None:
        for mine, more in ((self.images, other.images), (self.own, other.own)):
            for name, number in more.items():
                mine[name] += number
        for part, sums in other.seen.items():
            self.seen[part] += sums
        for key, sums in other.hits.items():
            self.hits[key] += sums

    @classmethod
    def over(cls, tallies: Iterable[Tally]) -> Self:
        found = cls()
        for one in tallies:
            found.take(one)
        return found

    @property
    def categories(self) -> set[str]:
        """Those that anything was blocked for, or found to violate."""
        return {code for code, _part in self.hits if code} | {code for code, images in self.own.items() if images}

    def part(self, category: str, part: str) -> Sums:
        if part == "own" and category:
            images, seen, hits = self.own.get(category, 0.0), f"own {category}", (category, "own")
        else:
            route = "block" if part == "own" else part
            images, seen, hits = self.images.get(route, 0.0), route, (category, route)
        return Sums(images) + self.seen.get(seen, Sums()) + self.hits.get(hits, Sums())

    def quality(self, category: str = "") -> Quality:
        return Quality.of({part: self.part(category, part) for part in (*ROUTES, "own")})

    def dump(self) -> dict[str, Any]:
        return {
            "images": dict(self.images),
            "own": dict(self.own),
            "seen": {part: short(sums) for part, sums in self.seen.items() if sums.n},
            "hits": {f"{code} {part}": short(sums) for (code, part), sums in self.hits.items() if sums.hits},
        }

    @classmethod
    def load(cls, counts: Mapping[str, Any]) -> Self:
        found = cls()
        found.images.update(counts["images"])
        found.own.update(counts["own"])
        found.seen.update({part: Sums(**sums) for part, sums in counts["seen"].items()})
        for key, sums in counts["hits"].items():
            code, _space, part = key.partition(" ")
            found.hits[code, part] = Sums(**sums)
        return found


def short(sums: Sums) -> dict[str, float]:
    return {name: amount for name, amount in asdict(sums).items() if amount}
