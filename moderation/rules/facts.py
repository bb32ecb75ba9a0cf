"""What a rule may know of an image: every field by name, with its type, an example, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from moderation.routing import is_probability
from moderation.taxonomy import Category

if TYPE_CHECKING:
    from moderation.models import Submission
    from moderation.routing import Evidence

LARGEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Author:
    """What the author did before this image, as far as `moderation.rules.history` looks back."""

    strikes: int = 0
    volume_24h: int = 0
    blocked_share: float = 0.0


NOBODY: Final = Author()


@dataclass(frozen=True, slots=True)
class Case:
    """One image: what was declared, what the other signals said, what its file says of itself, who sent it."""

    submission: Submission
    evidence: Sequence[Evidence]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    author: Author = NOBODY


@dataclass(frozen=True, slots=True)
class Field:
    """`kind` as CEL writes it. `submission` names the column that it is read from, if any."""

    kind: str
    example: str
    read: Callable[[Case], Any]
    submission: str = ""


def declared(column: str, example: str, kind: str = "string") -> Field:
    return Field(kind, example, lambda case: plain(getattr(case.submission, column)), column)


def generator(part: str, example: str) -> Field:
    return Field("string", example, lambda case: str(case.submission.generator.get(part) or ""), "generator")


def score(code: str, case: Case) -> float:
    """The highest that any signal says; 0 where none says anything."""
    said = [one.probabilities[code] for one in case.evidence if code in one.probabilities]
    return max((float(one) for one in said if is_probability(one)), default=0.0)


def demanded(code: str, part: str) -> Callable[[Case], list[str]]:
    def read(case: Case) -> list[str]:
        found = {getattr(one, part) for each in case.evidence for one in each.demands if one.code == code}
        return sorted(found - {""})

    return read


FIELDS: Final[Mapping[str, Field]] = {
    "prompt": declared("prompt", 'prompt.contains("uniform")'),
    "negative_prompt": declared("negative_prompt", 'negative_prompt != ""'),
    "generator.name": generator("name", 'generator.name.startsWith("SD")'),
    "generator.version": generator("version", 'generator.version == "2.1"'),
    "surface": declared("surface", 'surface == "feed"'),
    "audience": declared("audience", 'audience in ["teen", "general"]'),
    "territories": declared("territories", '"DE" in territories', "list<string>"),
    "context": declared("context", "has(context.draft) && context.draft == true", "map<string, dyn>"),
    "image.width": declared("width", "image.width < 128", "int"),
    "image.height": declared("height", "image.height > 4 * image.width", "int"),
    "image.media_type": declared("media_type", 'image.media_type == "image/gif"'),
    "image.byte_size": declared("byte_size", "image.byte_size < 2000", "int"),
    **{
        f"scores.{code}": Field("double", f"scores.{code} >= 0.3", partial(score, str(code.value))) for code in Category
    },
    "matches": Field("list<string>", 'matches.exists(m, m.contains("hotline"))', demanded("match", "detail")),
    "match_categories": Field("list<string>", '"NCII" in match_categories', demanded("match", "category")),
    "terms": Field("list<string>", "terms.size() > 0", demanded("term", "detail")),
    "provenance": Field(
        "map<string, dyn>",
        'has(provenance.c2pa) && provenance.c2pa.state == "invalid"',
        lambda case: plain(case.provenance),
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
