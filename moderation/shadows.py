"""Shadow versions: setting one beside those in service, ending it, and where images would go if it took its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from django.utils.translation import gettext as _

from classifiers.models import ClassifierVersion
from moderation import adoption, policies, simulation
from moderation.actors import Actor
from moderation.models import Status, Submission, TriagePlan, User
from moderation.routing import Action, Plan, PlanError, Route

RECENT: Final = 2000
MOST: Final = 10_000


class AlreadyInShadow(Exception):
    """This version stands in the shadow of the plan in force already; there is nothing to do."""


def start(version_ref: str, *, actor: Actor, person: User | None = None, note: str = "") -> TriagePlan:
    """Afterwards triage follows a plan in whose shadow this version looks at every image. It routes none.

    Raises UnknownVersion, AlreadyPinned, AlreadyInShadow, Outdated or PlanError (no plan yet, or too many shadows).
    """
    version = ClassifierVersion.objects.with_refs([version_ref]).first()
    if version is None:
        raise adoption.UnknownVersion(_("%(ref)s is not registered.") % {"ref": version_ref})
    plan = TriagePlan.objects.in_force()
    if plan is None:
        raise PlanError(_("No plan is published yet: a shadow needs one to stand beside."))
    if version.ref in plan.body["classifiers"]:
        raise adoption.AlreadyPinned(_("The plan in force pins %(ref)s already.") % {"ref": version.ref})
    shadows = standing(plan)
    if version.ref in shadows:
        raise AlreadyInShadow(_("%(ref)s stands in the shadow already.") % {"ref": version.ref})
    note = note or _("%(ref)s looks on in the shadow.") % {"ref": version.ref}
    return published(plan, [*shadows, version.ref], actor=actor, person=person, note=note)


def end(version_ref: str, *, actor: Actor, person: User | None = None, note: str = "") -> TriagePlan | None:
    """Afterwards this version looks at nothing in the shadow; None when it did not. What it found stays."""
    plan = TriagePlan.objects.in_force()
    if plan is None or version_ref not in standing(plan):
        return None
    note = note or _("%(ref)s leaves the shadow.") % {"ref": version_ref}
    return published(plan, [ref for ref in standing(plan) if ref != version_ref], actor=actor, person=person, note=note)


def standing(plan: TriagePlan | None) -> list[str]:
    return list(plan.body.get("shadows") or ()) if plan else []


def published(plan: TriagePlan, shadows: Sequence[str], *, actor: Actor, person: User | None, note: str) -> TriagePlan:
    body = {**plan.body, "shadows": list(shadows)}
    return policies.publish_plan(body, note=note, actor=actor, person=person, based_on=plan.number)


@dataclass(frozen=True, slots=True)
class Compared:
    """One image, and where it goes in service and if the version took over."""

    submission: Submission
    before: Route
    after: Route

    @property
    def moved(self) -> bool:
        return self.before.action != self.after.action


@dataclass(frozen=True, slots=True)
class Flags:
    """On how many images a category is above its approve cut, in service and if the version took over; on how many
    both say so.
    """

    category: str
    before: int
    after: int
    both: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """The last images triaged, replayed under the plan in force and under that which adopting would publish. `unseen`
    more: one side has nothing stored for them, as when the version failed on them, was too slow, or came later.
    """

    adoption: adoption.Adoption
    images: Sequence[Compared]
    unseen: int
    moves: Counter[tuple[Action, Action]] = field(default_factory=Counter)
    before: Counter[Action] = field(default_factory=Counter)
    after: Counter[Action] = field(default_factory=Counter)

    @property
    def moved(self) -> list[Compared]:
        return [one for one in self.images if one.moved]

    @property
    def agreed(self) -> int:
        return len(self.images) - self.moves.total()

    def categories(self) -> list[Flags]:
        """By category, those that speak up most often first."""
        before, after, both = Counter[str](), Counter[str](), Counter[str]()
        for one in self.images:
            old, new = flagged(one.before), flagged(one.after)
            before.update(old)
            after.update(new)
            both.update(old & new)
        ranked = sorted(before | after, key=lambda code: (-max(before[code], after[code]), code))
        return [Flags(code, before[code], after[code], both[code]) for code in ranked]


def flagged(route: Route) -> set[str]:
    return {category for category, zone in route.zones.items() if zone != "approve"}


def compare(version: ClassifierVersion, *, limit: int = RECENT) -> Comparison:
    """What would move if this version were adopted now: the last `limit` triaged images (at most MOST), replayed.

    A few queries, whatever `limit`, and no image is opened. Raises AlreadyPinned, PlanError (no plan is in force, or
    this one cannot take over), as `adoption.prepare` does.
    """
    in_force = TriagePlan.objects.in_force()
    if in_force is None:
        raise PlanError(_("No plan is published yet, so there is nothing to compare with."))
    planned = adoption.prepare(version.ref)
    current, candidate = policies.parsed(in_force), Plan.from_body(planned.body, number=0)
    triaged = Submission.objects.exclude(status=Status.RECEIVED).order_by("-pk")
    needed = (*simulation.NEEDED, "status", "external_id", "created_at")
    rows = list(triaged.only(*needed)[: min(limit, MOST)])
    pairs = zip(rows, simulation.routes(rows, current), simulation.routes(rows, candidate), strict=True)
    images = [Compared(row, old, new) for row, old, new in pairs if old is not None and new is not None]
    found = simulation.compared([one.before for one in images], [one.after for one in images])
    return Comparison(planned, images, len(rows) - len(images), found.moves, found.before, found.after)


def as_json(found: Comparison) -> dict[str, Any]:
    """The counts of a comparison, for programs. Images are named by id."""
    return {
        "version": found.adoption.version.ref,
        "replaces": list(found.adoption.replaces),
        "new_categories": list(found.adoption.new_categories),
        "plan": found.adoption.based_on,
        "images": len(found.images),
        "unseen": found.unseen,
        "agreed": found.agreed,
        "routes": {
            action: {"before": found.before[action], "after": found.after[action]} for action in get_args(Action)
        },
        "moves": [{"from": old, "to": new, "images": n} for (old, new), n in found.moves.most_common()],
        "categories": [
            {"category": one.category, "before": one.before, "after": one.after, "both": one.both}
            for one in found.categories()
        ],
    }
