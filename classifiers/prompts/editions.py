"""The file of a term edition: JSON Lines (``.jsonl``) or the same rows as CSV, read row by row and checked as it
goes."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, NamedTuple, cast

from classifiers.prompts.readings import canonical

Action = Literal["transform", "review", "block"]
ACTIONS: Final[tuple[Action, ...]] = ("transform", "review", "block")
"""Mildest first. ``transform``: harmless once the guidance goes into the negative prompt."""
COLUMNS: Final = ("row", "name", "text", "action", "probability", "severity", "guidance", "all", "category")
LONGEST_TERM: Final = 200
LONGEST_KEY: Final = 511
_MANY: Final = ("guidance", "all")
_CODE: Final = re.compile(r"[A-Z][A-Z_]{1,39}")
_GROUP: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_RULE: Final = re.compile(r"\S.{0,99}")


class RowError(ValueError):
    """A row cannot be used. The message says why."""


@dataclass(frozen=True, slots=True)
class ListedCategory:
    """What a listed term of this category asks for, unless the term says otherwise. ``guidance``: what a generator can
    steer away from."""

    name: str
    action: Action = "review"
    probability: float = 0.5
    severity: int = 1
    guidance: tuple[str, ...] = ()


class Term(NamedTuple):
    """``name`` is a category's code, or a group (lower case) that rules speak of. ``*`` at an end of ``text``: anything
    may follow there within the word."""

    name: str
    text: str
    action: Action | None = None
    probability: float | None = None


class Benign(NamedTuple):
    """A phrase in which the terms of ``name`` mean no harm."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Combination:
    """Terms of every one of ``all`` (groups and categories) in one prompt are a matter of ``category``."""

    name: str
    all: tuple[str, ...]
    category: str
    action: Action = "review"
    probability: float = 0.5


Row = ListedCategory | Term | Benign | Combination
_ROWS: Final = {"category": ListedCategory, "term": Term, "allow": Benign, "rule": Combination}
_WORDS: Final = {kind: word for word, kind in _ROWS.items()}


@dataclass(slots=True)
class Edition:
    """All rows of an edition, small enough to be edited by people."""

    categories: dict[str, ListedCategory] = field(default_factory=dict)
    terms: list[Term] = field(default_factory=list)
    benign: list[Benign] = field(default_factory=list)
    combinations: list[Combination] = field(default_factory=list)

    def rows(self) -> Iterator[Row]:
        yield from self.categories.values()
        yield from self.terms
        yield from self.benign
        yield from self.combinations

    def add(self, row: Row) -> None:
        match row:
            case ListedCategory():
                self.categories[row.name] = row
            case Term():
                self.terms.append(row)
            case Benign():
                self.benign.append(row)
            case Combination():
                self.combinations.append(row)

    def groups(self) -> list[str]:
        return sorted({term.name for term in self.terms if not is_code(term.name)})


@dataclass(frozen=True, slots=True)
class BadRow:
    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


def is_code(name: str) -> bool:
    """Whether this names a category rather than a group."""
    return name.isupper()


def read(lines: Iterable[str], *, form: str = "jsonl") -> Iterator[Row | BadRow]:
    """Every row of a file of ``form`` jsonl or csv, and each that cannot be used with its line and the reason."""
    numbered = _csv_rows(lines) if form == "csv" else _json_rows(lines)
    for line, found in numbered:
        if isinstance(found, str):
            yield BadRow(line, found)
            continue
        try:
            yield parse(found)
        except RowError as error:
            yield BadRow(line, str(error))


def gather(rows: Iterable[Row | BadRow]) -> tuple[Edition, list[BadRow]]:
    """An edition of the good rows, and the bad ones."""
    edition, bad = Edition(), []
    for row in rows:
        if isinstance(row, BadRow):
            bad.append(row)
        else:
            edition.add(row)
    return edition, bad


def parse(said: Mapping[str, Any]) -> Row:
    """One row from its fields; RowError says what is wrong with it."""
    kind = said.get("row")
    if kind not in _ROWS:
        raise RowError(f"row is {kind!r}; it must be one of {', '.join(_ROWS)}")
    if unknown := sorted(str(key) for key in said if key not in COLUMNS):
        raise RowError(f"unknown fields: {', '.join(unknown)}; there are {', '.join(COLUMNS)}")
    name = said.get("name")
    if not isinstance(name, str) or not name:
        raise RowError("name must be a text that is not empty")
    if kind == "term":
        return Term(_listed(name), _text(said), _action(said), _probability(said))
    if kind == "allow":
        return Benign(_listed(name), _text(said))
    return _combination(name, said) if kind == "rule" else _category(name, said)


def _combination(name: str, said: Mapping[str, Any]) -> Combination:
    if not _RULE.fullmatch(name):
        raise RowError("a rule's name has 1 to 100 characters")
    parts = tuple(_listed(part) for part in _many(said, "all"))
    if len(set(parts)) < 2:
        raise RowError("a rule needs two different groups or categories in all")
    category, probability = said.get("category"), _probability(said)
    if not isinstance(category, str) or not _CODE.fullmatch(category):
        raise RowError("a rule needs the code of its category")
    return Combination(name, parts, category, _action(said) or "review", 0.5 if probability is None else probability)


def _category(name: str, said: Mapping[str, Any]) -> ListedCategory:
    if not _CODE.fullmatch(name):
        raise RowError(f"{name!r} is no category code: capitals and _")
    severity, probability = said.get("severity"), _probability(said)
    severity = 1 if severity is None else severity
    if isinstance(severity, bool) or not isinstance(severity, int) or not 0 <= severity <= 4:
        raise RowError("severity must be 0 to 4")
    guidance = tuple(_many(said, "guidance"))
    return ListedCategory(
        name, _action(said) or "review", 0.5 if probability is None else probability, severity, guidance
    )


def written(rows: Iterable[Row]) -> Iterator[str]:
    """The lines of a JSON Lines file, each with its end."""
    for row in rows:
        yield json.dumps(_fields(row), ensure_ascii=False) + "\n"


def as_csv(rows: Iterable[Row]) -> Iterator[str]:
    """The lines of a CSV file with a head; lists within a cell are parted by semicolons."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS)
    writer.writeheader()
    for row in rows:
        cells = _fields(row)
        writer.writerow(cells | {name: "; ".join(cells[name]) for name in _MANY if name in cells})
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _fields(row: Row) -> dict[str, Any]:
    said = row._asdict() if isinstance(row, Term | Benign) else asdict(row)
    return {"row": _WORDS[type(row)], **{key: value for key, value in said.items() if value not in (None, (), "")}}


def _json_rows(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            said = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, f"not JSON: {error}"
            continue
        yield number, said if isinstance(said, dict) else "not a JSON object"


def _csv_rows(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    reader = csv.DictReader(lines, restkey="")
    try:
        for cells in reader:
            said: dict[str, Any] = {key: value.strip() for key, value in cells.items() if key and value}
            for name in _MANY:
                if name in said:
                    said[name] = [part.strip() for part in said[name].split(";") if part.strip()]
            if "" in cells:
                yield reader.line_num, "more cells than columns: put quotes around text with commas"
                continue
            try:
                if "probability" in said:
                    said["probability"] = float(said["probability"])
                if "severity" in said:
                    said["severity"] = int(said["severity"])
            except ValueError as error:
                yield reader.line_num, f"not a number: {error}"
                continue
            if said:
                yield reader.line_num, said
    except csv.Error as error:
        yield reader.line_num, f"not CSV: {error}"


def _listed(name: str) -> str:
    if not _CODE.fullmatch(name) and not _GROUP.fullmatch(name):
        raise RowError(f"{name!r} is neither a category code (capitals) nor a group (small letters)")
    return name


def _text(said: Mapping[str, Any]) -> str:
    text = said.get("text")
    if not isinstance(text, str) or not text.strip():
        raise RowError("text must not be empty")
    text = text.strip()
    if len(text) > LONGEST_TERM:
        raise RowError(f"text has {len(text)} characters, at most {LONGEST_TERM} can be")
    key = canonical(text)
    if len(key) > LONGEST_KEY:
        raise RowError(f"text is too long once its signs are written out: at most {LONGEST_KEY}")
    if not key:
        raise RowError(f"nothing is left of {text!r} to search for: it has no letter, digit or picture")
    return text


def _action(said: Mapping[str, Any]) -> Action | None:
    action = said.get("action")
    if action is not None and action not in ACTIONS:
        raise RowError(f"action is {action!r}; it must be one of {', '.join(ACTIONS)}")
    return cast("Action | None", action)


def _probability(said: Mapping[str, Any]) -> float | None:
    value = said.get("probability")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise RowError("probability must be a number from 0 to 1")
    return float(value)


def _many(said: Mapping[str, Any], name: str) -> list[str]:
    value = said.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        raise RowError(f"{name} must be a list of texts")
    return [one.strip() for one in value]
