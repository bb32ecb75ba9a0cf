"""Rules, their fields and their faults in words a person reads."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from moderation.rules.facts import FIELDS
from moderation.rules.faults import Fault
from moderation.rules.sets import Rule, amount
from moderation.wording import category_name, figure

FAULTS: Final[dict[str, Promise]] = {
    "empty": gettext_lazy("Write a condition."),
    "long": gettext_lazy("A condition has at most %(limit)d characters; this one has %(length)d. Split the rule."),
    "deep": gettext_lazy("The condition is nested too deeply. Split the rule."),
    "syntax": gettext_lazy("This is not CEL: %(detail)s"),
    "unknown": gettext_lazy("“%(name)s” is no field and no function. The list beside shows what there is."),
    "close": gettext_lazy("“%(name)s” is no field and no function. Is “%(close)s” meant?"),
    "types": gettext_lazy("“%(operator)s” cannot be used on %(kinds)s."),
    "decimal": gettext_lazy("“%(operator)s” cannot be used on %(kinds)s. Write whole numbers as 1.0 beside decimals."),
    "not_condition": gettext_lazy("A condition is true or false; this is of type %(kind)s. Compare it with something."),
    "nested": gettext_lazy("A loop inside a loop could take too long. Split the rule."),
    "open_pattern": gettext_lazy("A pattern must be written out as a literal text."),
    "long_pattern": gettext_lazy("A pattern has at most %(limit)d characters."),
    "loop_text": gettext_lazy("“%(name)s” may be long: it cannot be read inside a loop."),
    "bad_pattern": gettext_lazy("The pattern cannot be read: %(detail)s"),
    "open_sum": gettext_lazy("Say what is added: int(…) or double(…) around each part."),
    "name": gettext_lazy("A rule needs a name of at most %(limit)d characters."),
    "taken": gettext_lazy("Another rule has this name."),
    "choice": gettext_lazy("One of: %(among)s."),
    "category": gettext_lazy("Choose a category."),
    "amount": gettext_lazy("Give a number above 0 and at most 1."),
    "no_queue": gettext_lazy("Name the queue."),
    "queue": gettext_lazy("Letters, digits, - and _, at most 50 of them; what is escalated, only people escalate."),
    "many": gettext_lazy("At most %(limit)d rules."),
    "card": gettext_lazy("The card does not hold rules."),
}
UNANSWERED: Final[dict[str, Promise]] = {
    "missing": gettext_lazy("a key was missing"),
    "mismatch": gettext_lazy("a value was of another type"),
    "invalid": gettext_lazy("a value could not be used"),
    "limit": gettext_lazy("too many steps"),
    "failed": gettext_lazy("it failed"),
}
ABOUT: Final[dict[str, Promise]] = {
    "prompt": gettext_lazy("What the image was made from, as declared."),
    "negative_prompt": gettext_lazy("What was to be left out, as declared."),
    "generator.name": gettext_lazy("Declared; empty when it was not."),
    "generator.version": gettext_lazy("Declared; empty when it was not."),
    "surface": gettext_lazy("Where the platform shows it."),
    "audience": gettext_lazy("general, teen, adult, medical or news."),
    "territories": gettext_lazy("Two-letter codes."),
    "context": gettext_lazy("What the platform sent along; ask with has(…) first."),
    "image.width": gettext_lazy("Pixels, as seen."),
    "image.height": gettext_lazy("Pixels, as seen."),
    "image.media_type": gettext_lazy("By content, whatever was claimed."),
    "image.byte_size": gettext_lazy("Of the original."),
    "matches": gettext_lazy("Names of the banks of known harm that it matches."),
    "match_categories": gettext_lazy("Categories of those banks."),
    "known_good": gettext_lazy("Names of the banks of known good that it matches."),
    "terms": gettext_lazy("Listed terms that its prompt holds, as the list writes them."),
    "provenance": gettext_lazy("What the file says of its origin; ask with has(…) first."),
    "author.strikes": gettext_lazy("Images that a person blocked, among the author’s last 500."),
    "author.volume_24h": gettext_lazy("Images in the 24 hours before this one, counted to 500."),
    "author.blocked_share": gettext_lazy("Blocked, of what is settled among the author’s last 500."),
}


def told(fault: Fault) -> str:
    """What is wrong, where, and what to do."""
    code = fault.code
    if code == "unknown" and fault.values.get("close"):
        code = "close"
    if code == "types" and {"int", "double"} <= set(str(fault.values["kinds"]).replace(",", " ").split()):
        code = "decimal"
    words = str(FAULTS[code]) % fault.values if code in FAULTS else code
    if fault.line is None or fault.column is None:
        return words
    place = _("Line %(line)d, column %(column)d:") % {"line": fault.line, "column": fault.column}
    return f"{place} {words}"


def effect(rule: Rule) -> str:
    """What a rule does where it holds."""
    words = {"category": category_name(rule.category), "amount": figure(amount(rule)), "queue": rule.queue}
    match rule.effect:
        case "find":
            return _("finds %(category)s at %(amount)s") % words
        case "tighten":
            return _("lowers the cuts of %(category)s by %(amount)s") % words
        case "queue":
            return _("if a person looks, then in the queue “%(queue)s”") % words
    return _("a person looks, in the queue “%(queue)s”") % words if rule.queue else _("a person looks")


def about(name: str) -> str:
    """What a field is."""
    if name.startswith("scores."):
        return _("%(category)s: the highest that any signal says.") % {
            "category": category_name(name[len("scores.") :])
        }
    return str(ABOUT.get(name, "")) if name in FIELDS else ""
