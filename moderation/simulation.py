"""What a draft plan would change: its cuts against the plan in force, and recent images replayed under both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from moderation.models import Status, Submission
from moderation.routing import Action, Band, Context, Plan, Tightening, route
from moderation.wording import category_name

if TYPE_CHECKING:
    from moderation.routing import Evidence, Route

RECENT: Final = 2000


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


@dataclass(slots=True)
class Effect:
    """Where recent images would go. `images` were replayed; on `unseen` more, a pinned version has nothing stored."""

    images: int = 0
    unseen: int = 0
    before: Counter[Action] = field(default_factory=Counter)
    after: Counter[Action] = field(default_factory=Counter)
    moves: Counter[tuple[Action, Action]] = field(default_factory=Counter)

    @property
    def moved(self) -> int:
        return self.moves.total()


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


def effect(before: Plan | None, after: Plan, *, limit: int = RECENT) -> Effect:
    """Replay the last `limit` triaged images under both plans. A few queries, whatever `limit`; no image is opened."""
    rows = list(Submission.objects.exclude(status=Status.RECEIVED).only("pk", "heard").order_by("-pk")[:limit])
    return compared(routes(rows, before), routes(rows, after))


def routes(rows: Sequence[Submission], plan: Plan | None) -> list[Route | None]:
    """One route an image under this plan; None where a pinned version has nothing stored: nothing can be said then."""
    if plan is None:
        return [route([], None, Context()) for _each in rows]
    from moderation.triage.replay import evidence_under  # late: it brings numpy, which few pages need

    return [routed(evidence, plan) for evidence in evidence_under(rows, plan)]


def routed(evidence: Sequence[Evidence], plan: Plan) -> Route | None:
    if any(one.error for one in evidence):
        return None
    return route(evidence, plan, Context())


def compared(before: Sequence[Route | None], after: Sequence[Route | None]) -> Effect:
    found = Effect()
    for old, new in zip(before, after, strict=True):
        if old is None or new is None:
            found.unseen += 1
            continue
        found.images += 1
        found.before[old.action] += 1
        found.after[new.action] += 1
        if old.action != new.action:
            found.moves[old.action, new.action] += 1
    return found
