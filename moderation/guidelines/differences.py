"""Word by word: what one wording of a guideline says that another did not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Any, Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from moderation.guidelines.bodies import FIELDS
from moderation.models import Audience, DefaultAction, ExceptionKind
from moderation.taxonomy import Severity

WORDS: Final = re.compile(r"\w+|\s+|[^\w\s]")
MOST_WORDS: Final = 3000  # above that, line by line: the comparison grows with the square
LABELS: Final[Mapping[str, Promise]] = {
    "headline": gettext_lazy("Headline"),
    "severity": gettext_lazy("Severity"),
    "definition": gettext_lazy("Definition"),
    "allowed": gettext_lazy("Allowed"),
    "not_allowed": gettext_lazy("Not allowed"),
    "exceptions": gettext_lazy("Exceptions"),
    "exempt": gettext_lazy("Exceptions by kind"),
    "ladder": gettext_lazy("Severity ladder"),
    "actions": gettext_lazy("Default action by audience"),
    "examples": gettext_lazy("Images"),
    "report_duty": gettext_lazy("Report duty"),
    "owner": gettext_lazy("Owner"),
    "review_by": gettext_lazy("Review by"),
    "archived": gettext_lazy("Archived"),
    "translates": gettext_lazy("Translates version"),
}


@dataclass(frozen=True, slots=True)
class Piece:
    kind: Literal["same", "gone", "new"]
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs."""

    field: str
    label: str
    pieces: Sequence[Piece]

    @property
    def before(self) -> list[Piece]:
        return [piece for piece in self.pieces if piece.kind != "new"]

    @property
    def after(self) -> list[Piece]:
        return [piece for piece in self.pieces if piece.kind != "gone"]


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Of two bodies, in the order in which a guideline is read; an empty `before` is none."""
    found = []
    for field in FIELDS:
        old, new = told(field, before.get(field)), told(field, after.get(field))
        if old != new:
            found.append(Change(field, str(LABELS[field]), pieces(old, new)))
    return found


def pieces(old: str, new: str) -> list[Piece]:
    """The new text with what was taken out of the old one, as few pieces as there are runs."""
    a, b = WORDS.findall(old), WORDS.findall(new)
    if max(len(a), len(b)) > MOST_WORDS:
        a, b = old.splitlines(keepends=True), new.splitlines(keepends=True)
    start = sum(1 for _same in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
    rest = (reversed(a[start:]), reversed(b[start:]))
    end = sum(1 for _same in takewhile(lambda pair: pair[0] == pair[1], zip(*rest, strict=False)))
    middle_a, middle_b = a[start : len(a) - end], b[start : len(b) - end]
    found = [Piece("same", "".join(a[:start]))]
    for kind, a1, a2, b1, b2 in SequenceMatcher(None, middle_a, middle_b, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(Piece("same", "".join(middle_a[a1:a2])))
        else:
            found += [Piece("gone", "".join(middle_a[a1:a2])), Piece("new", "".join(middle_b[b1:b2]))]
    found.append(Piece("same", "".join(a[len(a) - end :])))
    return [piece for piece in found if piece.text]


def told(field: str, value: Any) -> str:
    """A field as text, the same for the same content."""
    if value in (None, "", [], {}):
        return ""
    match field:
        case "severity":
            return str(Severity(int(value)).label)
        case "archived":
            return _("yes") if value else ""
        case "allowed" | "not_allowed":
            return "\n".join(f"• {one}" for one in value)
        case "examples":
            return "\n".join(
                f"{_('Allowed') if one['allowed'] else _('Not allowed')}: {one['words']} ({one['submission']})"
                for one in value
            )
        case "exempt":
            return "\n\n".join(f"{label}: {value[kind]}" for kind, label in ExceptionKind.choices if kind in value)
        case "ladder":
            return "\n\n".join(f"S{level}: {value[str(level)]}" for level in Severity.values if str(level) in value)
        case "actions":
            kinds = dict(DefaultAction.choices)
            return "\n".join(f"{label}: {kinds[value[one]]}" for one, label in Audience.choices if one in value)
    return str(value)
