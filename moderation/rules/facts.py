"""What a rule may know of an image: every field by name, with its type, an example, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from moderation.routing import is_probability
from moderation.taxonomy import Category

if TYPE_CHECKING:
    from moderation.models import Submission
    from moderation.routing import Evidence

LARGEST: Final = 2**63 - 1
GOOD: Final = "known_good"


@dataclass(frozen=True, slots=True)
class Author:
    """What the author did before this image, as far as `moderation.rules.history` looks back."""

    strikes: int = 0
    volume_24h: int = 0
    blocked_share: float = 0.0


NOBODY: Final = Author()


@dataclass(frozen=True, slots=True)
class Case:
    """One image: what was declared, what the other signals said and showed (by kind of signal), who sent it."""

    submission: Submission
    evidence: Sequence[Evidence]
    shown: Sequence[tuple[str, Mapping[str, Any]]] = ()
    author: Author = NOBODY

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        """What signals of this kind showed."""
        return [shown for one, shown in self.shown if one == kind]


@dataclass(frozen=True, slots=True)
class Field:
    """`kind` as CEL writes it. `submission` names the column that it is read from, if any. `long`: it may be so large
    that reading it once for each item of a list would take too long.
    """

    kind: str
    example: str
    read: Callable[[Case], Any]
    submission: str = ""
    long: bool = False


def declared(column: str, example: str, kind: str = "string", *, long: bool = False) -> Field:
    return Field(kind, example, lambda case: plain(getattr(case.submission, column)), column, long)


def generator(part: str, example: str) -> Field:
    return Field("string", example, lambda case: str(case.submission.generator.get(part) or ""), "generator")


def score(code: str, case: Case) -> float:
    """The highest that any signal says; 0 where none says anything."""
    said = [one.probabilities[code] for one in case.evidence if code in one.probabilities]
    return max((float(one) for one in said if is_probability(one)), default=0.0)


def known(part: str, *, good: bool = False) -> Callable[[Case], list[str]]:
    """Of the banks that the image matches, those of known harm or those of known good."""

    def read(case: Case) -> list[str]:
        matches = [one for shown in case.of("hashes") for one in shown.get("matches", ())]
        return sorted({str(one[part]) for one in matches if (one["polarity"] == GOOD) == good})

    return read


def terms(case: Case) -> list[str]:
    return sorted({str(one["term"]) for shown in case.of("terms") for one in shown.get("matched", ())})


def provenance(case: Case) -> dict[str, Any]:
    return {key: plain(value) for shown in case.of("provenance") for key, value in shown.items()}


FIELDS: Final[Mapping[str, Field]] = {
    "prompt": declared("prompt", 'prompt.contains("uniform")', long=True),
    "negative_prompt": declared("negative_prompt", 'negative_prompt != ""', long=True),
    "generator.name": generator("name", 'generator.name.startsWith("SD")'),
    "generator.version": generator("version", 'generator.version == "2.1"'),
    "surface": declared("surface", 'surface == "feed"'),
    "audience": declared("audience", 'audience in ["teen", "general"]'),
    "territories": declared("territories", '"DE" in territories', "list<string>"),
    "context": declared("context", "has(context.draft) && context.draft == true", "map<string, dyn>", long=True),
    "image.width": declared("width", "image.width < 128", "int"),
    "image.height": declared("height", "image.height > 4 * image.width", "int"),
    "image.media_type": declared("media_type", 'image.media_type == "image/gif"'),
    "image.byte_size": declared("byte_size", "image.byte_size < 2000", "int"),
    **{
        f"scores.{code}": Field("double", f"scores.{code} >= 0.3", partial(score, str(code.value))) for code in Category
    },
    "matches": Field("list<string>", 'matches.exists(m, m.contains("hotline"))', known("name")),
    "match_categories": Field("list<string>", '"NCII" in match_categories', known("category")),
    "known_good": Field("list<string>", "known_good.size() > 0", known("name", good=True)),
    "terms": Field("list<string>", 'terms.exists(t, t == "bomb")', terms),
    "provenance": Field(
        "map<string, dyn>",
        'has(provenance.c2pa) && provenance.c2pa.state == "invalid"',
        provenance,
        long=True,
    ),
    "author.strikes": Field("int", "author.strikes >= 3", lambda case: case.author.strikes, "author_ref"),
    "author.volume_24h": Field("int", "author.volume_24h > 200", lambda case: case.author.volume_24h, "author_ref"),
    "author.blocked_share": Field(
        "double", "author.blocked_share > 0.5", lambda case: case.author.blocked_share, "author_ref"
    ),
}


def values(names: Iterable[str], case: Case) -> dict[str, Any]:
    """The facts of these fields."""
    return {name: FIELDS[name].read(case) for name in names}


def columns(names: Iterable[str]) -> list[str]:
    """The submission's columns that these fields are read from."""
    return sorted({FIELDS[name].submission for name in names} - {""})


def asks_history(names: Iterable[str]) -> bool:
    return any(name.startswith("author.") for name in names)


def plain(value: Any) -> Any:
    """JSON as CEL takes it: its whole numbers have 64 bits."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, int) and not -LARGEST <= value <= LARGEST:
        return float(value) if abs(value) < 10**300 else float("inf")
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
