"""What a plan that pins other rules or terms would say, for who approves it: the plan itself names only the version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from classifiers.models import ClassifierVersion
from moderation import prompt_terms
from moderation.plans import Plan
from moderation.rules.faults import RuleError
from moderation.rules.sets import Rule, from_card
from moderation.rules.wording import effect

SHOWN = 40
MOST_TERMS = 20_000


@dataclass(frozen=True, slots=True)
class Pinned:
    """A version that was not pinned before, and what it adds to and takes from the one of its name before it."""

    version: ClassifierVersion
    before: ClassifierVersion | None
    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    more: int = 0


def pinned(before: Plan | None, after: Plan) -> list[Pinned]:
    """Of rules and terms in words, of anything else by name. Three queries at most, and the files of two editions."""
    old_refs = before.classifiers if before else ()
    found = {one.ref: one for one in ClassifierVersion.objects.with_refs([*old_refs, *after.classifiers])}
    gone = {found[ref].name: found[ref] for ref in old_refs if ref in found and ref not in after.classifiers}
    fresh = [found[ref] for ref in after.classifiers if ref in found and ref not in old_refs]
    return [told(one, gone.get(one.name)) for one in fresh]


def told(version: ClassifierVersion, before: ClassifierVersion | None) -> Pinned:
    if version.kind == "rules":
        return between(version, before, rules_of(before), rules_of(version))
    if version.kind == prompt_terms.KIND:
        if max(prompt_terms.summary(one).size for one in (version, before)) > MOST_TERMS:
            return Pinned(version, before)
        old, new = (listed(one) for one in (before, version))
        return between(version, before, old, new)
    return Pinned(version, before)


def between(
    version: ClassifierVersion, before: ClassifierVersion | None, old: Sequence[str], new: Sequence[str]
) -> Pinned:
    there, here = set(old), set(new)
    added = [line for line in new if line not in there]
    removed = [line for line in old if line not in here]
    more = max(0, len(added) - SHOWN) + max(0, len(removed) - SHOWN)
    return Pinned(version, before, added[:SHOWN], removed[:SHOWN], more)


def rules_of(version: ClassifierVersion | None) -> list[str]:
    try:
        return [rule_told(rule) for rule in from_card(version.card).rules] if version else []
    except RuleError:
        return []


def rule_told(rule: Rule) -> str:
    words = _("“%(name)s”: when %(when)s, %(effect)s") % {
        "name": rule.name,
        "when": rule.when,
        "effect": effect(rule),
    }
    return words if rule.is_live else _("%(rule)s (in the shadow)") % {"rule": words}


def listed(version: ClassifierVersion | None) -> list[str]:
    said = prompt_terms.told(prompt_terms.edition(version))
    return [f"{name}: {line}" if name else line for name, lines in said.items() for line in lines]
