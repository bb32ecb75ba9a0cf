"""What a guideline says, as a proposal's body: checked, made uniform, and turned into a version's columns and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext as _

from moderation.guidelines import images
from moderation.guidelines.faults import UnfitWording
from moderation.guidelines.markdown import has_high_heading
from moderation.guidelines.subjects import Subject
from moderation.models import Audience, DefaultAction, ExceptionKind, PolicyVersion
from moderation.taxonomy import Severity

TEXTS: Final = ("definition", "exceptions", "report_duty")
LISTS: Final = ("allowed", "not_allowed")
MAPS: Final = ("exempt", "ladder", "actions")
REQUIRED: Final = frozenset({"headline", "definition", "allowed", "not_allowed", "exceptions", "severity"})
FIELDS: Final = (
    "headline", "severity", "definition", "allowed", "not_allowed", "exceptions", "exempt", "ladder", "actions",
    "examples", "report_duty", "owner", "review_by", "archived", "translates",
)  # fmt: skip
# A translation says in other words what the original says; what is no words, it has from the original.
UNTRANSLATED: Final = ("severity", "actions", "examples", "owner", "review_by")
LONGEST_TEXT: Final = 10_000
LONGEST_LINE: Final = 300
MOST_LINES: Final = 100
SPACES: Final = re.compile(r"[ \t]+$", re.MULTILINE)


def checked(subject: Subject, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with every field, its texts without stray blanks. Raises UnfitWording."""
    unknown = sorted(set(body) - set(FIELDS))
    if unknown or not set(body) >= REQUIRED:
        wrong = unknown or sorted(REQUIRED - set(body))
        raise UnfitWording(wrong[0], _("A guideline says: %(fields)s.") % {"fields": ", ".join(FIELDS)})
    said: dict[str, Any] = {
        "headline": line("headline", body["headline"], 200),
        "severity": severity(body["severity"]),
        **{name: text(name, body.get(name, "")) for name in TEXTS},
        **{name: lines(name, body[name]) for name in LISTS},
        "exempt": texts("exempt", body.get("exempt"), ExceptionKind.values),
        "ladder": texts("ladder", body.get("ladder"), [str(level) for level in Severity.values]),
        "actions": actions(body.get("actions")),
        "examples": images.checked(subject, body.get("examples")),
        "owner": line("owner", body.get("owner", ""), 150, needed=False),
        "review_by": day(body.get("review_by")),
        "archived": body.get("archived", False) is True,
        "translates": None,
    }
    if not said["definition"]:
        raise UnfitWording("definition", _("The definition is missing."))
    if said["archived"] and subject.is_category:
        raise UnfitWording(
            "archived",
            _("A category’s own guideline is not archived: people must have one to decide by. Write its next version."),
        )
    return translation(subject, said, body.get("translates")) if subject.locale else said


def translation(subject: Subject, said: dict[str, Any], number: Any) -> dict[str, Any]:
    original = subject.original.versions().filter(number=number if isinstance(number, int) else 0).first()
    if original is None:
        raise UnfitWording("translates", _("Say which version of %(what)s it translates.") % {"what": subject.original})
    whole = body_of(original)
    return {**said, **{name: whole[name] for name in UNTRANSLATED}, "examples": [], "translates": original.number}


def columns(body: Mapping[str, Any]) -> dict[str, Any]:
    """Of a checked body: the fields of a PolicyVersion."""
    review_by = body["review_by"]
    return {
        **body,
        "severity": Severity(body["severity"]),
        "review_by": date.fromisoformat(review_by) if review_by else None,
    }


def body_of(policy: PolicyVersion) -> dict[str, Any]:
    """A published version as the body of a draft."""
    said = {name: getattr(policy, name) for name in FIELDS}
    day = policy.review_by.isoformat() if policy.review_by else ""
    return {**said, "severity": int(policy.severity), "review_by": day}


def text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise UnfitWording(name, _("“%(field)s” is words.") % {"field": name})
    words = SPACES.sub("", storable(value).replace("\r\n", "\n").replace("\r", "\n")).strip("\n").rstrip()
    if len(words) > LONGEST_TEXT:
        raise UnfitWording(name, _("At most %(most)d characters.") % {"most": LONGEST_TEXT})
    if has_high_heading(words):
        raise UnfitWording(name, _("Headings inside a text begin with ####: the larger ones are the page’s own."))
    return words


def storable(value: str) -> str:
    """Without what PostgreSQL keeps in no text: NUL, and halves of surrogate pairs."""
    return value.encode(errors="ignore").decode().replace("\x00", "")


def line(name: str, value: Any, most: int, *, needed: bool = True) -> str:
    if not isinstance(value, str):
        raise UnfitWording(name, _("“%(field)s” is words.") % {"field": name})
    words = " ".join(storable(value).split())
    if needed and not words:
        raise UnfitWording(name, _("“%(field)s” is missing.") % {"field": name})
    if len(words) > most:
        raise UnfitWording(name, _("At most %(most)d characters.") % {"most": most})
    return words


def lines(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > MOST_LINES:
        raise UnfitWording(name, _("Examples are a list of at most %(most)d lines.") % {"most": MOST_LINES})
    return [line(name, one, LONGEST_LINE) for one in value]


def severity(value: Any) -> int:
    if isinstance(value, bool) or value not in Severity.values:
        raise UnfitWording("severity", _("A severity is a number from 0 to 4."))
    return int(value)


def texts(name: str, value: Any, keys: list[str]) -> dict[str, str]:
    """In the order of the keys; what is empty is left out."""
    said = mapping(name, value, keys)
    written = {key: text(name, said.get(key, "")) for key in keys}
    return {key: words for key, words in written.items() if words}


def actions(value: Any) -> dict[str, str]:
    said = {audience: action for audience, action in mapping("actions", value, Audience.values).items() if action}
    if not set(said.values()) <= set(DefaultAction.values):
        raise UnfitWording("actions", _("An action is one of: %(all)s.") % {"all": ", ".join(DefaultAction.values)})
    return {audience: said[audience] for audience in Audience.values if audience in said}


def mapping(name: str, value: Any, keys: list[str]) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not set(value) <= set(keys):
        raise UnfitWording(name, _("“%(field)s” has only: %(all)s.") % {"field": name, "all": ", ".join(keys)})
    if not all(isinstance(one, str) for one in value.values()):
        raise UnfitWording(name, _("“%(field)s” is words.") % {"field": name})
    return value


def day(value: Any) -> str:
    """As 2027-01-31; "" for none."""
    if value is None or value == "":
        return ""
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise UnfitWording("review_by", _("A day is written 2027-01-31.")) from error
