"""What the quality pages say, worked out from the sums of days. Each figure comes with how much it rests on and, where
there is one, the interval in which the truth lies with 95 % confidence.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from moderation.models import User
from moderation.taxonomy import Category
from review.agreement import Share
from review.estimates.shares import Sums, share
from review.models import GoldItem, Measure, QualityRollup, Verdict
from review.quality import reliability
from review.quality.posteriors import Posterior
from review.quality.reliability import Unit

DRAWS: Final = 200
TENTATIVE, GOOD = 0.667, 0.8  # Krippendorff's customary lines
WEEK: Final = 7
CHECKED: Final = ("approve", "block")
LEAST: Final = 5  # answers before a person's share is worth a word


@dataclass(frozen=True, slots=True)
class Agreed:
    """How far people agreed on one category ("": on whether there is any harm) in `units` images rated twice."""

    category: str
    units: int
    alpha: float | None
    interval: tuple[float, float] | None
    ordinal: float | None
    positive: float | None
    ac1: float | None

    @property
    def verdict(self) -> str:
        """By Krippendorff's lines: good, tentative, low; "" where α says nothing."""
        if self.alpha is None:
            return ""
        return "good" if self.alpha >= GOOD else "tentative" if self.alpha >= TENTATIVE else "low"


@dataclass(frozen=True, slots=True)
class Skill:
    """How one person decides, against gold items and against what settled the image; and what Dawid and Skene's model
    makes of it where nobody knows the truth.
    """

    person: User
    gold: Mapping[str, int]
    reference: Mapping[str, int]
    votes: int = 0
    modelled_sensitivity: float | None = None
    modelled_specificity: float | None = None

    @property
    def sensitivity(self) -> Posterior:
        return Posterior(self.gold.get("tp", 0), self.gold.get("tp", 0) + self.gold.get("fn", 0))

    @property
    def specificity(self) -> Posterior:
        return Posterior(self.gold.get("tn", 0), self.gold.get("tn", 0) + self.gold.get("fp", 0))

    @property
    def agreed_harm(self) -> Posterior:
        return Posterior(self.reference.get("tp", 0), self.reference.get("tp", 0) + self.reference.get("fn", 0))

    @property
    def agreed_harmless(self) -> Posterior:
        return Posterior(self.reference.get("tn", 0), self.reference.get("tn", 0) + self.reference.get("fp", 0))

    @property
    def kappa(self) -> float | None:
        """Cohen's κ of this person and what settled the images."""
        cells = {"tp": (1, 1), "fn": (0, 1), "fp": (1, 0), "tn": (0, 0)}
        table: dict[tuple[Hashable, Hashable], int] = {cells[name]: count for name, count in self.reference.items()}
        return reliability.kappa_of(table) if table else None


@dataclass(frozen=True, slots=True)
class Errors:
    """How often machines settled an image one way and the person who checked a sample of those said otherwise.

    `rate` weighs each by the inverse of its chance to be drawn, and has its interval, by `review.estimates.shares`;
    `raw` is not weighted.
    """

    route: str
    category: str
    raw: Share
    rate: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """The gold items of one category in use, and how often they were answered in the period."""

    category: str
    harmful: int
    harmless: int
    answered: int
    missed: int


@dataclass(frozen=True, slots=True)
class Week:
    """`start` is a Monday."""

    start: date
    units: int
    alpha: float | None


@dataclass(frozen=True, slots=True)
class Period:
    """Days, both ends included."""

    since: date
    until: date

    @classmethod
    def last(cls, days: int, *, today: date) -> Period:
        return cls(today - timedelta(days=days - 1), today)

    def rows(self, *measures: Measure, person: UUID | None = None) -> Sequence[QualityRollup]:
        rows = QualityRollup.objects.filter(measure__in=measures, day__gte=self.since, day__lte=self.until)
        return list(rows.filter(person=person) if person else rows)


def patterns(rows: Iterable[QualityRollup]) -> dict[str, Counter[Unit]]:
    """Category → how often which severities were given to one image."""
    found: dict[str, Counter[Unit]] = defaultdict(Counter)
    for row in rows:
        for words, times in row.counts.items():
            found[row.category][tuple(map(int, words.split()))] += times
    return found


def agreement(rows: Sequence[QualityRollup]) -> list[Agreed]:
    found = patterns(rows)
    return [agreed(category, found[category]) for category in in_order(found)]


def agreed(category: str, units: Counter[Unit]) -> Agreed:
    named = Counter[Unit]()
    for values, times in units.items():
        named[tuple(sorted(int(value > 0) for value in values))] += times
    return Agreed(
        category,
        units.total(),
        reliability.alpha_of(named),
        reliability.interval_of(named, draws=DRAWS),
        reliability.alpha_of(units, "ordinal"),
        reliability.positive_agreement(named),
        reliability.gwet_ac1(named),
    )


def in_order(categories: Iterable[str]) -> list[str]:
    """All harm first, then as the taxonomy has them."""
    known = ["", *Category.values]
    return sorted(categories, key=lambda code: (known.index(code) if code in known else len(known), code))


def weeks(rows: Iterable[QualityRollup], category: str, period: Period) -> list[Week]:
    """α of each week of the period, oldest first."""
    by_week: dict[date, list[QualityRollup]] = defaultdict(list)
    for row in rows:
        if row.category == category:
            by_week[row.day - timedelta(days=row.day.weekday())].append(row)
    start = period.since - timedelta(days=period.since.weekday())
    starts = [start + timedelta(days=WEEK * week) for week in range((period.until - start).days // WEEK + 1)]
    found = {monday: patterns(by_week[monday])[category] for monday in starts}
    named = {
        monday: Counter(tuple(int(value > 0) for value in values) for values in units.elements())
        for monday, units in found.items()
    }
    return [Week(monday, units.total(), reliability.alpha_of(units)) for monday, units in named.items()]


def summed(rows: Iterable[QualityRollup]) -> dict[tuple[Measure, str, UUID | None], Counter[str]]:
    found: dict[tuple[Measure, str, UUID | None], Counter[str]] = defaultdict(Counter)
    for row in rows:
        found[Measure(row.measure), row.category, row.person_id].update(row.counts)
    return found


def skills(rows: Sequence[QualityRollup], people: Mapping[UUID, User]) -> list[Skill]:
    """By name: this is no ranking."""
    gold: dict[UUID, Counter[str]] = defaultdict(Counter)
    reference: dict[UUID, Counter[str]] = defaultdict(Counter)
    modelled: dict[UUID, QualityRollup] = {}
    for row in sorted(rows, key=lambda one: one.day):
        if row.person_id is None:
            continue
        if row.measure == Measure.GOLD:
            gold[row.person_id].update(row.counts)
        elif row.measure == Measure.REFERENCE:
            reference[row.person_id].update(row.counts)
        elif row.measure == Measure.SKILL:
            modelled[row.person_id] = row
    found = [
        Skill(people[key], gold[key], reference[key], *model_of(modelled.get(key)))
        for key in {*gold, *reference, *modelled}
        if key in people
    ]
    return sorted(found, key=lambda one: one.person.username)


def model_of(row: QualityRollup | None) -> tuple[int, float | None, float | None]:
    said: Mapping[str, Any] = row.counts if row else {}
    return said.get("votes", 0), said.get("sensitivity"), said.get("specificity")


def automation(rows: Iterable[QualityRollup]) -> list[Errors]:
    found: dict[tuple[str, str], Sums] = defaultdict(Sums)
    for row in rows:
        for route in CHECKED:
            if row.measure == Measure.AUTOMATION and row.counts.get(f"{route}_n"):
                found[route, row.category] += checked(route, row.counts)
    categories = in_order({category for _route, category in found})
    return [
        errors(route, category, found[route, category])
        for route in CHECKED
        for category in categories
        if (route, category) in found
    ]


def checked(route: str, counts: Mapping[str, float]) -> Sums:
    """Rows of before Σw² of what was wrong was kept take it to be as heavy as the rest."""
    n, wrong, w, w_wrong, w2 = (counts.get(f"{route}_{name}", 0) for name in ("n", "wrong", "w", "w_wrong", "w2"))
    return Sums(w, int(n), int(wrong), w, w2, w_wrong, counts.get(f"{route}_w2_wrong", w2 * w_wrong / w))


def errors(route: str, category: str, sums: Sums) -> Errors:
    found = share(sums)
    return Errors(route, category, Share(sums.hits, sums.n), found.value, found.low, found.high)


def overturned(rows: Sequence[QualityRollup]) -> list[tuple[str, Share]]:
    """Of what was settled and looked at again by somebody else, how much came out otherwise. Looks are no random
    sample: appeals and reports bring up what is likely wrong.
    """
    sums = summed(rows)
    codes = in_order({category for _measure, category, _person in sums})
    counted = ((code, sums[Measure.OVERTURNED, code, None]) for code in codes)
    return [(code, Share(counts["overturned"], counts["again"])) for code, counts in counted]


def adjudicated(rows: Sequence[QualityRollup]) -> list[tuple[str, int, int]]:
    """Category, disagreements that seniors settled, and how many of them as harmful."""
    sums = summed(rows)
    codes = in_order({category for _measure, category, _person in sums})
    counted = ((code, sums[Measure.ADJUDICATED, code, None]) for code in codes)
    return [(code, counts["n"], counts["n"] - counts[Verdict.APPROVE]) for code, counts in counted]


def coverage(rows: Sequence[QualityRollup]) -> list[Coverage]:
    """Every category, so that gaps are seen. One query."""
    active = Counter(GoldItem.objects.filter(retired_at__isnull=True).values_list("category", "verdict"))
    sums = summed(row for row in rows if row.person_id is None)
    found = []
    for code in Category.values:
        counts = sums.get((Measure.GOLD, code, None), Counter())
        missed = counts["fn"] + counts["fp"]
        found.append(Coverage(code, active[code, Verdict.BLOCK], active[code, Verdict.APPROVE], counts.total(), missed))
    return found


def examples(rows: Iterable[QualityRollup], category: str, *, most: int) -> list[UUID]:
    """The latest submissions worth a look, newest first, each once."""
    chosen = sorted((row for row in rows if row.category == category), key=lambda row: row.day, reverse=True)
    keys = dict.fromkeys(UUID(key) for row in chosen for key in reversed(row.examples))
    return list(keys)[:most]
