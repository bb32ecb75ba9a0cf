"""What a person says of an image, checked and in the one form in which it is stored."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self
from uuid import UUID

from django.utils.translation import gettext as _

from moderation.taxonomy import Category, Severity
from review.models import Decision, Verdict

LONGEST: Final = 10_000  # characters of a rationale or a note
LONGEST_LOOK: Final = 86_400  # seconds
LARGEST_TILE: Final = 4096  # pixels

VARIANTS: Final = ("blurred", "working")
PANELS: Final = ("why", "prompt", "matches", "kin", "siblings", "author", "guideline", "provenance", "declared")
UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")  # no text to PostgreSQL: NUL, and halves of characters

VERDICTS: Final = frozenset(Verdict.values)
CATEGORIES: Final = frozenset(Category.values)
SEVERITIES: Final = frozenset(Severity.values)


class UnfitDecision(Exception):
    """The decision does not say enough, or says what cannot be. `pointer` names the field to mend, as in "#/labels"."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


@dataclass(frozen=True, slots=True)
class Judgement:
    verdict: Verdict
    labels: list[dict[str, Any]]
    rationale: str
    note: str
    seen: dict[str, Any]

    @classmethod
    def of(cls, *, verdict: Any, labels: Any = (), rationale: Any = "", note: Any = "", seen: Any = None) -> Self:
        """From what came in, of whatever types. Raises UnfitDecision."""
        if not isinstance(verdict, str) or verdict not in VERDICTS:
            raise UnfitDecision("#/verdict", _("A verdict is one of: %(all)s.") % {"all": ", ".join(Verdict.values)})
        checked = labels_of(labels)
        if verdict == Verdict.BLOCK and not checked:
            raise UnfitDecision("#/labels", _("A block names at least one category that the image violates."))
        return cls(Verdict(verdict), checked, text_of(rationale, "rationale"), text_of(note, "note"), seen_of(seen))

    @property
    def category(self) -> str:
        """The gravest of the categories named; "" when none is."""
        return str(max(self.labels, key=lambda label: int(label["severity"]))["category"]) if self.labels else ""

    @classmethod
    def of_row(cls, decision: Decision) -> Self:
        """As it was stored."""
        seen = {name: value for name, value in decision.seen.items() if name != "scores"}  # ours, not theirs
        return cls(Verdict(decision.verdict), decision.labels, decision.rationale, decision.note, seen)

    def is_of(self, decision: Decision) -> bool:
        return self == Judgement.of_row(decision)


def labels_of(labels: Any) -> list[dict[str, Any]]:
    if not isinstance(labels, Sequence) or isinstance(labels, str):
        raise UnfitDecision("#/labels", _("Labels are a list of categories with their severities."))
    checked = [label_of(label, f"#/labels/{index}") for index, label in enumerate(labels[: len(CATEGORIES) + 1])]
    if len({label["category"] for label in checked}) < len(checked):
        raise UnfitDecision("#/labels", _("Name each category once."))
    return checked


def label_of(label: Any, pointer: str) -> dict[str, Any]:
    if not isinstance(label, Mapping):
        raise UnfitDecision(pointer, _("A label is a category with its severity."))
    category, severity = label.get("category"), label.get("severity")
    if not isinstance(category, str) or category not in CATEGORIES:
        raise UnfitDecision(f"{pointer}/category", _("This category is not in the taxonomy."))
    if not isinstance(severity, int) or isinstance(severity, bool) or severity not in SEVERITIES:
        raise UnfitDecision(f"{pointer}/severity", _("A severity is a whole number from 0 to 4."))
    return {"category": str(category), "severity": int(severity)}


def text_of(text: Any, field: str) -> str:
    if not isinstance(text, str) or len(text) > LONGEST or UNSTORABLE.search(text):
        raise UnfitDecision(f"#/{field}", _("At most %(most)d characters of plain text.") % {"most": LONGEST})
    return text


def seen_of(seen: Any) -> dict[str, Any]:
    """Whether the image was shown unblurred, and for how many seconds; nothing where nobody measured it."""
    if seen is None or seen == {}:
        return {}
    if not isinstance(seen, Mapping):
        raise UnfitDecision("#/seen", _("Seen says whether the image was revealed, and for how many seconds."))
    revealed, seconds = seen.get("revealed"), seen.get("seconds")
    if not isinstance(revealed, bool):
        raise UnfitDecision("#/seen/revealed", _("Revealed is true or false."))
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds <= LONGEST_LOOK:
        raise UnfitDecision("#/seen/seconds", _("Seconds are a number from 0 to %(most)d.") % {"most": LONGEST_LOOK})
    return {"revealed": revealed, "seconds": seconds, **means_of(seen), **in_grid(seen)}


def means_of(seen: Mapping[str, Any]) -> dict[str, Any]:
    """How it was looked at, as far as somebody said: enlarged, in grey, which file, and what beside it was in view."""
    told: dict[str, Any] = {}
    for name in ("zoomed", "loupe", "grey"):
        if name in seen:
            if not isinstance(seen[name], bool):
                raise UnfitDecision(f"#/seen/{name}", _("This is true or false."))
            told[name] = seen[name]
    if "variant" in seen:
        if seen["variant"] not in VARIANTS:
            raise UnfitDecision("#/seen/variant", _("A variant is one of: %(all)s.") % {"all": ", ".join(VARIANTS)})
        told["variant"] = seen["variant"]
    if "panels" in seen:
        panels = seen["panels"]
        if not isinstance(panels, list) or not all(isinstance(one, str) and one in PANELS for one in panels):
            raise UnfitDecision("#/seen/panels", _("Panels are a list of: %(all)s.") % {"all": ", ".join(PANELS)})
        told["panels"] = sorted(set(panels))
    return told


def in_grid(seen: Mapping[str, Any]) -> dict[str, Any]:
    """Where it was one of many on a page: how large, and the decision it follows."""
    told: dict[str, Any] = {}
    if "tile" in seen:
        tile = seen["tile"]
        if not isinstance(tile, int) or isinstance(tile, bool) or not 1 <= tile <= LARGEST_TILE:
            raise UnfitDecision("#/seen/tile", _("A tile’s size is a number of pixels."))
        told["tile"] = tile
    if "cites" in seen:
        try:
            told["cites"] = str(UUID(seen["cites"]))
        except (ValueError, TypeError, AttributeError) as error:
            raise UnfitDecision("#/seen/cites", _("What is cited is the id of a decision.")) from error
    return told
