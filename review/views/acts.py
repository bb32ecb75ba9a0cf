"""What one does at the desk, and the key of each act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Act:
    """`key` is the house's; one that is `fixed` stays where it is, the others a person may move."""

    code: str
    key: str
    words: str | Promise
    fixed: bool = False

    def for_page(self, key: str) -> dict[str, Any]:
        return {"act": self.code, "key": key, "words": str(self.words), "fixed": self.fixed}


ACTS = (
    Act("look", "Space", _("hold to look; let go to hide"), fixed=True),
    Act("show", "V", _("show or hide without holding")),
    Act("grey", "G", _("look in grey only")),
    Act("zoom-in", "+", _("zoom in, also by wheel or two fingers")),
    Act("zoom-out", "-", _("zoom out")),
    Act("fit", "F", _("fit the whole image in")),
    Act("actual", "P", _("one to one: pixel by pixel")),
    Act("turn", "T", _("turn by a quarter")),
    Act("loupe", "M", _("loupe: follows the pointer, or the arrows")),
    Act("approve", "A", _("approve")),
    Act("block", "B", _("block: then the digit of a category, 0 for any other")),
    Act("copies", "C", _("while blocking: make its copies known too")),
    Act("escalate", "E", _("escalate to a senior")),
    Act("opinion", "O", _("ask for a second opinion: one more person decides, not you")),
    Act("send", "Q", _("send to another queue")),
    Act("skip", "S", _("skip: somebody else decides, no reason needed")),
    Act("undo", "U", _("take the last decision back, also Ctrl+Z")),
    Act("note", "N", _("write a note for colleagues")),
    Act("rationale", "R", _("write the reason told to the author")),
    Act("history", "H", _("my last decisions")),
    Act("help", "?", _("all keys, and to change them")),
    Act("palette", "Ctrl+K", _("search all acts"), fixed=True),
)
HOUSE: Final = {act.code: act.key for act in ACTS}
FIXED: Final = [act.code for act in ACTS if act.fixed]


def table(keys: Mapping[str, str]) -> list[dict[str, Any]]:
    """Every act with this person's key, for the page."""
    return [act.for_page(keys[act.code]) for act in ACTS]
