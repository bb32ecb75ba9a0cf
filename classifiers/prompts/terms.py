"""Listed terms in a prompt: whole words by their hash, the rest in one pass (Aho and Corasick 1975)."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import ahocorasick

from classifiers.prompts.editions import (
    ACTIONS,
    Action,
    BadRow,
    Benign,
    Combination,
    ListedCategory,
    Row,
    Term,
    is_code,
)
from classifiers.prompts.folding import HANGUL, KINDS, UNSPACED
from classifiers.prompts.readings import Reading, canonical, readings
from classifiers.prompts.whole_words import BENIGN, OPEN_LEFT, OPEN_RIGHT, Entry, WholeWords

_JOINED_FROM: Final = 7
"""Terms of several words are also found written as one, from this many letters on: ``underage``."""
REPORTED: Final = 20


class EditionError(ValueError):
    """The edition cannot be searched with. ``bad`` are the rows at fault."""

    def __init__(self, message: str, bad: Sequence[BadRow] = ()) -> None:
        super().__init__(message)
        self.bad = tuple(bad)


@dataclass(frozen=True, slots=True)
class Match:
    """A listed term, in the spelling it is kept under, at ``original[start:end]``; ``name`` is its category or
    group."""

    name: str
    term: str
    start: int
    end: int
    action: Action
    probability: float


class Screening(NamedTuple):
    """What an edition says of one prompt: ``found`` has category -> (probability, the strictest action)."""

    matches: Sequence[Match]
    combinations: Sequence[Combination]
    found: Mapping[str, tuple[float, Action]]


@dataclass(slots=True)
class TermIndex:
    """The terms of one edition, searched all at once. Build it with ``index``."""

    categories: dict[str, ListedCategory]
    combinations: list[Combination]
    names: list[str]
    size: int
    _automaton: Any
    _more: dict[str, list[Entry]] = field(default_factory=dict)
    _whole: WholeWords = field(default_factory=WholeWords)

    def screen(self, prompt: str) -> Screening:
        """Every term in any reading of the prompt, benign phrases taken out, and what follows."""
        matches = self.matches(prompt)
        present = {match.name for match in matches}
        combined = [one for one in self.combinations if present.issuperset(one.all)]
        found: dict[str, tuple[float, Action]] = {}
        said = [(match.name, match.probability, match.action) for match in matches if is_code(match.name)]
        for code, probability, action in said + [(one.category, one.probability, one.action) for one in combined]:
            before = found.get(code, (0.0, ACTIONS[0]))
            found[code] = (max(before[0], probability), max(before[1], action, key=ACTIONS.index))
        return Screening(matches, combined, found)

    def matches(self, prompt: str) -> list[Match]:
        """In the order of the text; of two in one list that lie within each other the longer."""
        found: dict[tuple[str, int, int], Match] = {}
        benign: list[tuple[str, int, int]] = []
        if not self.size:
            return []
        for reading in readings(prompt):
            for name, entry, term, start, end in self._hits(reading):
                if entry.flags & BENIGN:
                    benign.append((name, start, end))
                else:
                    found.setdefault((name, start, end), self._match(name, entry, term, start, end))
        kept = _outside(found.values(), benign)
        return sorted(_widest(kept), key=lambda one: (one.start, -one.end, one.name))

    def _hits(self, reading: Reading) -> Iterable[tuple[str, Entry, str, int, int]]:
        text = reading.text
        for start, end, entry in self._whole.find(text):
            yield (self.names[entry.place], entry, text[start:end], *reading.span(start, end))
        if not self._automaton:
            return
        for last, place in self._automaton.iter(text):
            key = self._keys_of(place, text, last)
            for entry in key[1]:
                start, end = last + 1 - len(key[0]), last + 1
                if _stands_alone(text, start, end, entry.flags):
                    if entry.flags & OPEN_LEFT:
                        start = text.rfind(" ", 0, start) + 1
                    if entry.flags & OPEN_RIGHT:
                        end = found if (found := text.find(" ", end)) >= 0 else len(text)
                    yield (self.names[entry.place], entry, key[0], *reading.span(start, end))

    def _keys_of(self, packed: int, text: str, last: int) -> tuple[str, Sequence[Entry]]:
        length, rest = packed & 0x1FF, packed >> 9
        key = text[last + 1 - length : last + 1]
        if rest & 1:
            return key, self._more[key]
        return key, (Entry(rest >> 4, rest >> 1 & 7, None, None),)

    def _match(self, name: str, entry: Entry, term: str, start: int, end: int) -> Match:
        category = self.categories.get(name, _GROUPED)
        probability = category.probability if entry.probability is None else entry.probability
        return Match(name, term, start, end, entry.action or category.action, probability)


_GROUPED: Final = ListedCategory("", ACTIONS[0], 0.0, 0)
"""A term of a group asks for nothing by itself."""


def index(rows: Iterable[Row | BadRow]) -> TermIndex:
    """Read all rows into something that can be searched; EditionError lists those that cannot be used.

    A term of whole words costs sixteen bytes. What may begin or end within a word (an open end, a script without
    spaces) costs its letters in the automaton.
    """
    # length of the key (9 bits), whether _more has its entries, its flags (3 bits) and list: one number a term, since
    # an object a term would weigh more than the automaton.
    automaton = ahocorasick.Automaton(ahocorasick.STORE_INTS)
    built = TermIndex({}, [], [], 0, automaton)
    places: dict[str, int] = {}
    bad: list[BadRow] = []
    for row in rows:
        match row:
            case BadRow():
                bad.append(row)
            case ListedCategory():
                built.categories[row.name] = row
            case Combination():
                built.combinations.append(row)
            case Term() | Benign():
                place = places.setdefault(row.name, len(places))
                _enter(built, row, place)
                built.size += 1
    built.names = list(places)
    _check(built, bad)
    built._whole.close()
    if automaton:
        automaton.make_automaton()
    return built


def _check(built: TermIndex, bad: list[BadRow]) -> None:
    names = set(built.names)
    known = names | built.categories.keys()
    bad += [
        BadRow(0, f"terms of {name}, but no row says what they ask for: add a category row")
        for name in sorted(names)
        if is_code(name) and name not in built.categories
    ]
    bad += [
        BadRow(0, f"the rule {rule.name} names {part}, which has no terms")
        for rule in built.combinations
        for part in rule.all
        if part not in known
    ]
    if bad:
        told = "; ".join(str(one) if one.line else one.reason for one in bad[:REPORTED])
        more = f"; and {len(bad) - REPORTED} more" if len(bad) > REPORTED else ""
        raise EditionError(told + more, bad)


def _enter(built: TermIndex, row: Term | Benign, place: int) -> None:
    flags = BENIGN if isinstance(row, Benign) else 0
    flags |= OPEN_LEFT * row.text.startswith("*") | OPEN_RIGHT * row.text.endswith("*")
    action, probability = (row.action, row.probability) if isinstance(row, Term) else (None, None)
    entry = Entry(place, flags, action, probability)
    key = canonical(row.text)
    keys = [key]
    if " " in key and len(joined := key.replace(" ", "")) >= _JOINED_FROM and joined.isalpha():
        keys.append(joined)
    for one in keys:
        if not built._whole.add(one, entry):
            _add(built, one, entry)


def _add(built: TermIndex, key: str, entry: Entry) -> None:
    simple = entry.action is None and entry.probability is None
    packed = built._automaton.get(key, None)
    if packed is None and simple:
        built._automaton.add_word(key, ((entry.place << 3 | entry.flags) << 1) << 9 | len(key))
        return
    if packed is not None and not packed >> 9 & 1:
        rest = packed >> 10
        built._more[key] = [Entry(rest >> 3, rest & 7, None, None)]
    entries = built._more.setdefault(key, [])
    if entry not in entries:
        entries.append(entry)
    built._automaton.add_word(key, 1 << 9 | len(key))


def _stands_alone(text: str, start: int, end: int, flags: int) -> bool:
    """Whole words only, where the script shows where words begin and end."""
    left = start == 0 or text[start - 1] == " " or flags & OPEN_LEFT or _kind(text[start]) == UNSPACED
    right = end == len(text) or text[end] == " " or flags & OPEN_RIGHT or _kind(text[end - 1]) in UNSPACED + HANGUL
    return bool(left and right)


def _kind(sign: str) -> str:
    return KINDS[ord(sign)]


def _outside(matches: Iterable[Match], benign: Iterable[tuple[str, int, int]]) -> list[Match]:
    """Those that no benign phrase of their list holds."""
    starts: dict[str, list[int]] = {}
    furthest: dict[str, list[int]] = {}
    for name, start, end in sorted(benign):
        ends = furthest.setdefault(name, [])
        ends.append(max(end, ends[-1] if ends else 0))
        starts.setdefault(name, []).append(start)
    kept = []
    for one in matches:
        before = bisect_right(starts.get(one.name, ()), one.start)
        if not before or furthest[one.name][before - 1] < one.end:
            kept.append(one)
    return kept


def _widest(matches: Iterable[Match]) -> Iterable[Match]:
    """Those that do not lie within another of their list."""
    reached: dict[str, int] = {}
    for one in sorted(matches, key=lambda one: (one.start, -one.end)):
        if one.end > reached.get(one.name, 0):
            reached[one.name] = one.end
            yield one
