"""What integrators declared of labelled pictures: the groups that slices and fairness go by. Nothing is inferred."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np
from django.utils.translation import gettext as _

from moderation.models import Status, Submission
from moderation.plans.gates import ATTRIBUTES
from moderation.requests import language_of
from review.evaluations.labelled import key_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from review.evaluations.labelled import Labelled

CHUNK: Final = 5000
CONTEXT: Final = "context."
UNDECLARED: Final = ""
LONGEST: Final = 60
GROUPS: Final = ("territory", "language", "audience", "surface", "style")
"""What fairness compares where nothing else is said: of whom and for whom an image is, not what made it."""


class UnknownAttribute(ValueError):
    """No such attribute; the message names those there are."""


@dataclass(frozen=True, slots=True)
class Declared:
    """By submission and attribute, the values that were declared; `held` are under legal hold now."""

    values: Mapping[UUID, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    held: Collection[UUID] = frozenset()


def checked(by: Sequence[str]) -> tuple[str, ...]:
    """Each once. Raises UnknownAttribute."""
    for one in by:
        if one not in ATTRIBUTES and not (one.startswith(CONTEXT) and one != CONTEXT and len(one) <= LONGEST):
            known = ", ".join([*ATTRIBUTES, f"{CONTEXT}…"])
            raise UnknownAttribute(_("“%(one)s” is no attribute; there are %(known)s.") % {"one": one, "known": known})
    return tuple(dict.fromkeys(by))


def declared(keys: Sequence[UUID], by: Sequence[str]) -> Declared:
    """Of these submissions; one query for every CHUNK."""
    values: dict[UUID, dict[str, Sequence[str]]] = {}
    held = set()
    columns = ("pk", "status", "territories", "audience", "surface", "context", "generator")
    for start in range(0, len(keys), CHUNK):
        for key, status, *said in Submission.objects.filter(pk__in=keys[start : start + CHUNK]).values_list(*columns):
            if status == Status.QUARANTINED:
                held.add(key)
            values[key] = {name: told(name, *said) for name in by}
    return Declared(values, held)


def told(name: str, territories: Any, audience: str, surface: str, context: Any, generator: Any) -> Sequence[str]:
    of = context if isinstance(context, dict) else {}
    match name:
        case "territory":
            return list(territories)
        case "audience":
            return [audience]
        case "surface":
            return plain(surface)
        case "language":
            return plain(language_of(of))
        case "generator" | "seen":
            return plain(generator.get("name") if isinstance(generator, dict) else None)
        case _:
            return plain(of.get(name.removeprefix(CONTEXT)))


def plain(value: object) -> list[str]:
    """A short text, a number, yes or no, or a list of such; anything else is no group."""
    if isinstance(value, list):
        return [text for one in value[:20] for text in plain(one) if not isinstance(one, list)]
    if isinstance(value, bool | int) or (isinstance(value, str) and value.strip()):
        return [str(value).strip()[:LONGEST]]
    return []


def groups(
    rows: Labelled, by: Sequence[str], said: Declared, *, seen: Collection[str] | None
) -> dict[str, dict[str, NDArray[np.bool_]]]:
    """For each attribute, who is in which value; undeclared ones under "". `seen`: the generators that training knew,
    None where nobody can say.
    """
    keys = [key_of(name) for name in rows.submission]
    found: dict[str, dict[str, NDArray[np.bool_]]] = {}
    for name in by:
        if name == "seen" and seen is None:
            continue
        values: dict[str, NDArray[np.bool_]] = {}
        for row, key in enumerate(keys):
            one: Sequence[str] = said.values.get(key, {}).get(name, ()) if key else ()
            if name in {"generator", "seen"} and rows.generator[row]:
                one = [rows.generator[row]]  # as the data set froze it
            if name == "seen" and seen is not None and one:
                one = ["seen" if one[0] in seen else "unseen"]
            for value in one or (UNDECLARED,):
                values.setdefault(value, np.zeros(len(rows), dtype=bool))[row] = True
        found[name] = values
    return found
