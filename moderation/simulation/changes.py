"""What a draft says otherwise than the plan in force: its cuts and rules, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from moderation.plans import Band, Gates, Plan, Tightening
from moderation.wording import category_name

if TYPE_CHECKING:
    from moderation.plans import Overlay


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


def differences(before: Plan | None, after: Plan) -> list[str]:
    """All that sets the two apart, a sentence a part."""
    found = [f"{category_name(one.category)}: {', '.join(one.words)}" for one in changes(before, after)]
    found += [one.words for one in tightening_changes(before, after)]
    words = {
        "classifiers": _("classifiers"),
        "shadows": _("in the shadow"),
        "audit_rate": _("audit rate"),
        "on_error": _("when a classifier fails"),
        "copies": _("near-duplicates of what people decided"),
        "privacy_budget": _("privacy budget"),
        "gates": _("gates of promotion"),
    }
    return found + told_apart(before, after, words) + care_changes(before, after) + overlay_changes(before, after)


def care_changes(before: Plan | None, after: Plan) -> list[str]:
    """Who looks at a category, and how often."""
    words = {
        "audit_rates": _("audit rates by category"),
        "consensus": _("how many people must agree"),
        "queues": _("queues"),
    }
    return told_apart(before, after, words)


def told_apart(before: Plan | None, after: Plan, words: Mapping[str, str]) -> list[str]:
    pairs = {part: (getattr(before, part, None), getattr(after, part)) for part in words}
    return [
        f"{words[part]}: {shown(old)} → {shown(new)}"
        for part, (old, new) in pairs.items()
        if (old or None) != (new or None)
    ]


def overlay_changes(before: Plan | None, after: Plan) -> list[str]:
    old = {one.name: one for one in before.overlays} if before else {}
    new = {one.name: one for one in after.overlays}
    gone = [_("overlay “%(name)s” is gone") % {"name": name} for name in old if name not in new]
    return gone + [
        (_("new overlay %(what)s") if name not in old else _("overlay changed: %(what)s")) % {"what": overlay_told(one)}
        for name, one in new.items()
        if old.get(name) != one
    ]


def overlay_told(overlay: Overlay) -> str:
    """An overlay as a sentence: where it holds, and its cuts."""
    where = [*sorted(overlay.territories), *sorted(overlay.audiences), *sorted(overlay.surfaces)]
    where += [_("verified %(context)s") % {"context": one} for one in sorted(overlay.contexts)]
    cuts = [
        f"{category_name(category)} {figure(band.approve)} / {figure(band.block)}"
        for category, band in sorted(overlay.bands.items())
    ]
    return f"“{overlay.name}” ({', '.join(where)}): {'; '.join(cuts) or '–'}"


def gates_told(gates: Gates) -> str:
    """What a plan asks of a version before it is promoted, limit by limit."""
    said = {one.name: getattr(gates, one.name) for one in fields(gates)}
    if not gates.slices:
        del said["least"]
    return "; ".join(f"{name}: {shown(kept)}" for name, kept in said.items() if kept not in (None, (), {})) or "–"


def shown(value: object) -> str:
    if isinstance(value, Gates):
        return gates_told(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{category_name(name)} {said}" for name, said in sorted(value.items())) or "–"
    return ", ".join(value) or "–" if isinstance(value, tuple) else str("–" if value is None else value)
