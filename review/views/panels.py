"""Parts of the side panel: the prompt with listed terms marked, known images, and the clauses nearest the case."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from moderation.models import Polarity, PolicyVersion
from moderation.wording import category_name
from review.cases import Said

WORD: Final = re.compile(r"\w{3,}")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the prompt; `found` says what a listed term in it stands for, "" where there is none."""

    text: str
    found: str = ""


def pieces(prompt: str, findings: Sequence[Said]) -> list[Piece]:
    """The prompt, cut where listed terms begin and end. What does not fit the text (a later one) is passed over."""
    spans = sorted(
        (one["start"], one["end"], named(one))
        for said in findings
        for one in said.evidence.get("matched", ())
        if prompt[one["start"] : one["end"]] == one["text"]
    )
    cut: list[Piece] = []
    at = 0
    for start, end, found in spans:
        if end <= at:
            continue
        if start > at:
            cut.append(Piece(prompt[at:start]))
        cut.append(Piece(prompt[max(start, at) : end], found))
        at = end
    return [*cut, Piece(prompt[at:])] if at < len(prompt) else cut


def named(match: Mapping[str, Any]) -> str:
    return f"{category_name(match['category'])}: {match['term']}"


@dataclass(frozen=True, slots=True)
class Hit:
    """A bank that knows the image, and how near."""

    bank: str
    category: str
    words: str
    is_good: bool


def hits(findings: Sequence[Said]) -> list[Hit]:
    """The nearest match of each bank."""
    found: dict[int, Mapping[str, Any]] = {}
    for one in (match for said in findings for match in said.evidence.get("matches", ())):
        if one["bank"] not in found or one["distance"] < found[one["bank"]]["distance"]:
            found[one["bank"]] = one
    return [
        Hit(one["name"], category_name(one["category"]), apart(one), one["polarity"] == Polarity.KNOWN_GOOD)
        for one in found.values()
    ]


def apart(match: Mapping[str, Any]) -> str:
    if match["kind"] != "pdq":
        return _("the same file")
    words = ngettext("%(n)d bit of 256 apart", "%(n)d bits of 256 apart", match["distance"]) % {"n": match["distance"]}
    return _("%(words)s, of little weight") % {"words": words} if match["weak"] else words


def by_nearness(examples: Sequence[str], text: str) -> list[str]:
    """Those that share most words with the text first; else in the guideline's own order."""
    words = set(WORD.findall(text.lower()))
    return sorted(examples, key=lambda one: -len(words & set(WORD.findall(one.lower()))))


def clauses(guidelines: Mapping[str, PolicyVersion]) -> dict[str, list[str]]:
    """Sentences to begin a rationale with, by category: what the guideline's clauses forbid."""
    words = _("%(category)s, version %(number)d: %(clause)s")
    return {
        code: [
            words % {"category": category_name(code), "number": law.number, "clause": clause}
            for clause in (law.headline, *law.not_allowed)
        ]
        for code, law in guidelines.items()
    }
