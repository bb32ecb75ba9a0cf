"""The reasons of routing in words a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from moderation.provenance import disagreement
from moderation.taxonomy import Category


def category_name(code: str) -> str:
    return named(code, get_language())


@lru_cache(maxsize=1024)
def named(code: str, _language: str | None) -> str:
    """In the language that is active, which the caller names."""
    return str(Category(code).label) if code in Category.values else code


def sentence(why: Mapping[str, Any]) -> str:
    """One stored `Why` as a sentence, or two: what was found, and whether its cuts were tightened. Unknown codes (of a
    later version) are shown as they are rather than lost.
    """
    return " ".join(filter(None, (finding(why), overlaid(why), tightening(why))))


def overlaid(why: Mapping[str, Any]) -> str:
    """Whose cuts they are, where they are not the plan's own."""
    named = why.get("overlay")
    return _("These are the cuts of “%(overlay)s”.") % {"overlay": named} if named else ""


def tightening(why: Mapping[str, Any]) -> str:
    by, whose = why.get("tightened"), why.get("tightened_by") or ""
    if not by:
        return ""
    words = {"by": figure(by), "whose": category_name(whose)}
    if whose in Category.values:
        return _("Its cuts are %(by)s lower here, because %(whose)s stands out.") % words
    return _("Its cuts are %(by)s lower here, as “%(whose)s” asks.") % words


def finding(why: Mapping[str, Any]) -> str:
    words = {
        "category": category_name(why.get("category") or ""),
        "probability": figure(why.get("probability")),
        "approve": figure(why.get("approve")),
        "block": figure(why.get("block")),
        "detail": detail(why),
    }
    code = why.get("code")
    if code == "between" and why.get("block") is None:
        return (
            _("%(category)s at %(probability)s: above the plan’s cut of %(approve)s, and only a person may block it.")
            % words
        )
    if code == "below" and not why.get("category"):
        return _("Nothing was found.")
    if code == "stopped":
        return stopped(why)
    if code == "capped":
        return capped(str(why.get("detail")))
    templates = {
        "no_plan": _("No plan is published yet, so a person looks."),
        "classifier_error": _("A classifier gave no usable answer (%(detail)s), so a person looks."),
        "unknown_category": _("%(category)s is not in the plan, so a person looks."),
        "block": _("%(category)s at %(probability)s: at or above the plan’s block cut of %(block)s."),
        "between": _("%(category)s at %(probability)s: between the plan’s cuts of %(approve)s and %(block)s."),
        "copy": _("A near-duplicate of an image that a person decided (decision %(detail)s)."),
        "match": _("A known image (%(detail)s)."),
        "rule": _("The rule “%(detail)s” asks for this."),
        "rule_error": _("The rule “%(detail)s” could not be worked out for this image, so a person looks."),
        "term": _("The prompt holds a listed term (%(detail)s)."),
        "contradiction": _("The file and what was declared about it disagree (%(detail)s)."),
        "below": _("Every category is below its cut; nearest is %(category)s at %(probability)s under %(approve)s."),
    }
    return templates[code] % words if code in templates else str(code)


def fate(route: str) -> str:
    """Where a route puts an image, in a word or two."""
    words = {
        "approve": _("approved"),
        "review": _("a person decides"),
        "block": _("blocked"),
        "quarantine": _("under legal hold"),
    }
    return words.get(route, route)


def stopped(why: Mapping[str, Any]) -> str:
    """`detail` is what the machine would have done."""
    words = {"category": category_name(why.get("category") or "")}
    blocking = why.get("detail") == "block"
    if not why.get("category"):
        return (
            _("Automatic blocking is stopped, so a person looks.")
            if blocking
            else _("Automatic approval is stopped, so a person looks.")
        )
    if blocking:
        return _("Automatic blocking is stopped for %(category)s, so a person looks.") % words
    return _("Automatic approval is stopped for %(category)s, so a person looks.") % words


def capped(scope: str) -> str:
    said = {
        "plan": _("As many images as the plan may block in a day are blocked, so a person looks."),
        "category": _("As many images as may be blocked in a day in this category are blocked, so a person looks."),
        "client": _("As many images of this client as may be blocked in a day are blocked, so a person looks."),
    }
    return said.get(scope, "capped")


def detail(why: Mapping[str, Any]) -> str:
    said = str(why.get("detail") or "")
    return disagreement(said) if why.get("code") == "contradiction" else said


def figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
