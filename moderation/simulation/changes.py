"""What a draft says otherwise than the plan in force: its cuts and rules, in words."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from moderation.plans import Band, Plan, Tightening
from moderation.wording import category_name


@dataclass(frozen=True, slots=True)
class CutChange:
    """A category whose band differs; None on a side where the plan has no band for it."""

    category: str
    before: Band | None
    after: Band | None

    @property
    def words(self) -> list[str]:
        """What changes, a phrase a cut."""
        if self.after is None:
            return [_("left out of the plan: every image it is scored on goes to a person")]
        if self.before is None:
            block = figure(self.after.block)
            return [
                _("new: approve below %(cut)s") % {"cut": figure(self.after.approve)},
                _("block from %(cut)s") % {"cut": block},
            ]
        phrases = []
        if self.before.approve != self.after.approve:
            phrases.append(
                _("approve below %(cut)s") % {"cut": f"{figure(self.before.approve)} → {figure(self.after.approve)}"}
            )
        if self.before.block != self.after.block:
            phrases.append(
                _("block from %(cut)s") % {"cut": f"{figure(self.before.block)} → {figure(self.after.block)}"}
            )
        return phrases


@dataclass(frozen=True, slots=True)
class TighteningChange:
    """A conditional rule that one plan has and the other has not."""

    rule: Tightening
    added: bool

    @property
    def words(self) -> str:
        return (
            _("new: %(rule)s") % {"rule": told(self.rule)}
            if self.added
            else _("gone: %(rule)s") % {"rule": told(self.rule)}
        )


def figure(cut: float | None) -> str:
    """A cut with at least two decimals, and no fewer than it has."""
    if cut is None:
        return _("(only a person blocks)")
    return f"{cut:.2f}" if round(cut, 2) == cut else f"{cut:g}"


def told(rule: Tightening) -> str:
    """A conditional rule as a sentence."""
    return _("where %(when)s scores above %(above)s, the cuts of %(category)s are %(by)s lower") % {
        "when": category_name(rule.when),
        "above": figure(rule.above),
        "category": category_name(rule.category),
        "by": figure(rule.by),
    }


def tightening_changes(before: Plan | None, after: Plan) -> list[TighteningChange]:
    """What went and what came, in that order."""
    old = before.tightening if before else ()
    gone = [TighteningChange(rule, added=False) for rule in old if rule not in after.tightening]
    return gone + [TighteningChange(rule, added=True) for rule in after.tightening if rule not in old]


def changes(before: Plan | None, after: Plan) -> list[CutChange]:
    """The bands that differ, in order of category."""
    old = before.bands if before else {}
    return [
        CutChange(category, old.get(category), after.bands.get(category))
        for category in sorted({*old, *after.bands})
        if old.get(category) != after.bands.get(category)
    ]
