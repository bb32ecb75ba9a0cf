"""What a sender says about an image, checked before anything is stored."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

from django.utils.translation import gettext as _

from moderation.ingest.territories import TERRITORIES
from moderation.models import Audience

TEXT_LIMITS: Final[Mapping[str, int]] = {
    "external_id": 200,
    "prompt": 20_000,
    "negative_prompt": 20_000,
    "author_ref": 200,
    "surface": 100,
}
GENERATOR_LIMITS: Final[Mapping[str, int]] = {"name": 200, "version": 100}
MAX_SEED: Final = 100
MAX_TERRITORIES: Final = len(TERRITORIES)
# Characters as JSON. A workflow graph of a node-based generator has some ten thousand.
MAX_PARAMETERS: Final = 100_000
MAX_CONTEXT: Final = 20_000
MAX_DEPTH: Final = 20


@dataclass(frozen=True, slots=True)
class FieldError:
    """`pointer` is a JSON pointer as in RFC 9457: "#/generator/name"."""

    pointer: str
    detail: str


class UnacceptableFields(Exception):
    """What is wrong with the declaration, a line a field."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.pointer}: {error.detail}" for error in errors))
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """The fields beside the image, checked: making one raises UnacceptableFields, which names every field at fault."""

    external_id: str | None = None
    prompt: str = ""
    negative_prompt: str = ""
    generator: Mapping[str, Any] = field(default_factory=dict)
    author_ref: str = ""
    surface: str = ""
    audience: str = Audience.GENERAL
    territories: Sequence[str] = ()
    context: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        errors = [*self._text_errors(), *self._choice_errors(), *generator_errors(self.generator)]
        errors += object_errors("#/context", self.context, limit=MAX_CONTEXT)
        if errors:
            raise UnacceptableFields(errors)

    @classmethod
    def from_mapping(cls, said: Mapping[str, Any]) -> Declared:
        """From an outsider's object: names that are no fields are passed over, null and an empty id mean unsaid."""
        known = {one.name for one in fields(cls)}
        given = {name: value for name, value in said.items() if name in known and value is not None}
        if given.get("external_id") == "":
            del given["external_id"]
        return cls(**given)

    def _text_errors(self) -> Iterator[FieldError]:
        for name, limit in TEXT_LIMITS.items():
            value = getattr(self, name)
            if not (name == "external_id" and value is None):
                yield from text_errors(f"#/{name}", value, limit=limit)

    def _choice_errors(self) -> Iterator[FieldError]:
        if self.audience not in Audience.values:
            known = ", ".join(Audience.values)
            yield FieldError("#/audience", _("Not an audience; use one of: %(known)s.") % {"known": known})
        said: object = self.territories
        if not isinstance(said, Sequence) or isinstance(said, str):
            yield FieldError("#/territories", _("Give a list of two-letter country codes."))
            return
        if len(said) > MAX_TERRITORIES:
            yield FieldError("#/territories", _("At most %(limit)d.") % {"limit": MAX_TERRITORIES})
            return
        for index, code in enumerate(said):
            if not isinstance(code, str) or code not in TERRITORIES:
                message = _("Not an ISO 3166-1 alpha-2 code in capitals, such as DE or BR.")
                yield FieldError(f"#/territories/{index}", message)


def text_errors(pointer: str, value: object, *, limit: int) -> Iterator[FieldError]:
    if not isinstance(value, str):
        yield FieldError(pointer, _("Must be text."))
    elif len(value) > limit:
        message = _("%(length)d characters are too many; at most %(limit)d.")
        yield FieldError(pointer, message % {"length": len(value), "limit": limit})
    elif flaw := flaw_of(value):
        yield FieldError(pointer, flaw)


def generator_errors(generator: object) -> Iterator[FieldError]:
    if not isinstance(generator, Mapping):
        yield FieldError("#/generator", _("Must be an object with name, version, seed and parameters."))
        return
    for unknown in sorted(map(str, generator.keys() - {*GENERATOR_LIMITS, "seed", "parameters"})):
        yield FieldError(
            f"#/generator/{escaped(unknown)}", _("Unknown; what is the generator's own goes into parameters.")
        )
    for name, limit in GENERATOR_LIMITS.items():
        yield from text_errors(f"#/generator/{name}", generator.get(name, ""), limit=limit)
    seed = generator.get("seed", "")
    if isinstance(seed, bool) or not isinstance(seed, int | str) or len(f"{seed}") > MAX_SEED or flaw_of(f"{seed}"):
        yield FieldError("#/generator/seed", _("Must be a whole number or a short text."))
    yield from object_errors("#/generator/parameters", generator.get("parameters", {}), limit=MAX_PARAMETERS)


def object_errors(pointer: str, value: object, *, limit: int) -> Iterator[FieldError]:
    """A JSON object that PostgreSQL can keep, no longer than `limit` characters."""
    if not isinstance(value, Mapping):
        yield FieldError(pointer, _("Must be an object."))
        return
    if flaw := next(flaws(value), ""):
        yield FieldError(pointer, flaw)
    elif (length := len(json.dumps(value, ensure_ascii=False))) > limit:
        message = _("%(length)d characters of JSON are too many; at most %(limit)d.")
        yield FieldError(pointer, message % {"length": length, "limit": limit})


def flaws(value: object, depth: int = 0) -> Iterator[str]:
    """What the database's jsonb would refuse, anywhere inside."""
    if depth > MAX_DEPTH:
        yield _("Nested too deeply; at most %(limit)d levels.") % {"limit": MAX_DEPTH}
    elif isinstance(value, str):
        if flaw := flaw_of(value):
            yield flaw
    elif isinstance(value, float) and not math.isfinite(value):
        yield _("Contains a number that is not finite.")
    elif isinstance(value, int) and abs(value) > 10**100:
        yield _("Contains a number that is absurdly large.")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flaws(str(key), depth + 1)
            yield from flaws(inner, depth + 1)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from flaws(inner, depth + 1)


def flaw_of(text: str) -> str:
    """Why PostgreSQL cannot keep this text, or nothing."""
    if "\0" in text:
        return _("Contains the character NUL.")
    try:
        text.encode()
    except UnicodeEncodeError:
        return _("Contains half of a surrogate pair, which is no character.")
    return ""


def escaped(name: str) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
