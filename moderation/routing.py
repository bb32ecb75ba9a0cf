"""The pure heart: findings and a plan in, a route out. No Django, no clock, no I/O.

The same function serves live triage, simulation and replay. Doubt goes to a person: a missing plan, a missing or failed
classifier, a number that is no probability, a category the plan does not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any, Literal, Self

from moderation.plans import Band, Plan, PlanError, Tightening, Zone, is_probability
from moderation.stops import NOTHING, Stops

__all__ = [
    "Action",
    "Band",
    "Context",
    "Demand",
    "Evidence",
    "Plan",
    "PlanError",
    "Precedent",
    "Route",
    "Stops",
    "Tightening",
    "Why",
    "Zone",
    "is_probability",
    "nearness",
    "route",
]

Action = Literal["approve", "review", "block", "quarantine"]
DemandCode = Literal["match", "rule", "rule_error", "term", "contradiction"]


@dataclass(frozen=True, slots=True)
class Demand:
    """What evidence asks for whatever the bands say: a known image, a rule, a term. `detail` names it for people."""

    action: Literal["review", "block", "quarantine"]
    code: DemandCode
    category: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One signal's word, as routing sees it: a network, a bank of known images, a term list, a rule. `error` says why
    it has none. `tightened_by` names, a category, what in the signal tightens it, where the signal's own name is not
    enough.
    """

    classifier: str
    probabilities: Mapping[str, float] = field(default_factory=dict)
    error: str = ""
    demands: tuple[Demand, ...] = ()
    tighten: Mapping[str, float] = field(default_factory=dict)
    queue: str = ""
    tightened_by: Mapping[str, str] = field(default_factory=dict)

    def only_looks(self, category: str) -> bool:
        """Whether all that this signal asks about a known image of the category is that a person looks."""
        asked = {one.action for one in self.demands if one.code == "match" and one.category == category}
        return asked == {"review"}

    @classmethod
    def read(cls, classifier: str, probabilities: Mapping[str, float], shown: Mapping[str, Any]) -> Self:
        """From a finding: its probabilities, and what it showed (`classifiers.base.Shown`)."""
        if not shown:
            return cls(classifier, probabilities)
        demands = tuple(Demand(**each) for each in shown.get("demands", ()))
        return cls(
            classifier,
            probabilities,
            "",
            demands,
            shown.get("tighten", {}),
            shown.get("queue", ""),
            shown.get("tightened_by", {}),
        )


@dataclass(frozen=True, slots=True)
class Precedent:
    """What people decided of a near-duplicate, by guidelines that are still in force: `approve` in the `categories`
    they had in mind, `block` as `category`; `review` where only people may decide, or where they disagreed.
    """

    action: Literal["approve", "review", "block"]
    categories: frozenset[str]
    decision: str
    submission: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """`draw` in [0, 1) is the audit lot of this image: a keyed hash of its id, so that it is repeatable and
    unpredictable. `precedent` counts where the plan lets decisions settle copies. `stopped` is what no machine may
    decide now; `capped`, what had reached its cap on blocks a day (plan, category or client) when the image came.
    """

    draw: float = 1.0
    precedent: Precedent | None = None
    stopped: Stops = NOTHING
    capped: str = ""

    def stored(self) -> dict[str, Any]:
        """What replay needs of it: JSON, without what is as usual."""
        said: dict[str, Any] = {} if self.draw == 1.0 else {"draw": self.draw}
        if self.precedent is not None:
            said["precedent"] = {**asdict(self.precedent), "categories": sorted(self.precedent.categories)}
        said |= {"stopped": self.stopped.stored()} if self.stopped else {}
        return said | ({"capped": self.capped} if self.capped else {})

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """From `stored`."""
        said = stored.get("precedent")
        precedent = Precedent(**{**said, "categories": frozenset(said["categories"])}) if said else None
        stopped = Stops.of(stored.get("stopped", ()))
        return cls(stored.get("draw", 1.0), precedent, stopped, stored.get("capped", ""))


@dataclass(frozen=True, slots=True)
class Why:
    """One reason, in a form that can be put into words in any language (`moderation.wording`). `approve` and `block`
    are the cuts as they held for this image: lower by `tightened` than the plan's, for `tightened_by`, a category or
    the name of a rule or signal.
    """

    code: (
        Literal["no_plan", "classifier_error", "unknown_category", "block", "between", "below", "copy"]
        | Literal["stopped", "capped"]
        | DemandCode
    )
    category: str = ""
    probability: float | None = None
    approve: float | None = None
    block: float | None = None
    detail: str = ""
    tightened: float | None = None
    tightened_by: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """By how much a category's cuts are lower for one image, and for whose sake."""

    by: float
    whose: str


@dataclass(frozen=True, slots=True)
class Route:
    """`category` is the one that stands out most; `inclusion_probability`, the chance that a person sees the image;
    `grounds`, the reasons that block it, each of which would do.
    """

    action: Action
    why: tuple[Why, ...]
    category: str = ""
    zones: Mapping[str, Zone] = field(default_factory=dict)
    probabilities: Mapping[str, float] = field(default_factory=dict)
    failed: bool = False
    audit: bool = False
    inclusion_probability: float = 1.0
    queue: str = ""
    precedent: Precedent | None = None
    grounds: tuple[Why, ...] = ()


def route(findings: Sequence[Evidence], plan: Plan | None, context: Context) -> Route:
    """Where this image goes under this plan.

    Per category the highest probability any classifier gave counts, against cuts that other scores or rules may have
    tightened. The strictest voice wins: a demand to quarantine, else a category or demand to block, else anything to
    review (or any doubt) sends to a person, else the image is approved. A precedent has its say after that, and what
    no machine may decide now goes to a person. What must be held is held.
    """
    if plan is None:
        return Route("review", (Why("no_plan"),))
    found = judged_alone(findings, plan, context)
    if plan.copies != "off" and context.precedent is not None:
        found = as_decided(found, context.precedent, plan, context)
    if context.stopped:
        found = halted(found, context.stopped)
    if context.capped and by_machine(found):
        found = left_to_people(found, [Why("capped", found.category, detail=context.capped)])
    return found


def halted(found: Route, stopped: Stops) -> Route:
    """The route with what is stopped left to people. An image stays blocked while a machine may still block it on one
    of its grounds.
    """
    if found.action == "approve":
        barred = stopped.barring("approve", sorted(found.probabilities, key=lambda c: (-found.probabilities[c], c)))[:1]
    elif found.action == "block":
        standing = tuple(why for why in found.grounds if not stopped.bars("block", why.category))
        if standing:
            others = tuple(why for why in found.why if why not in standing)
            return replace(found, why=(*standing, *others), category=standing[0].category, grounds=standing)
        barred = stopped.barring("block", dict.fromkeys(why.category for why in found.grounds))
    else:
        barred = []
    if not barred:
        return found
    return left_to_people(found, [Why("stopped", category, detail=found.action) for category in barred])


def left_to_people(found: Route, because: Sequence[Why]) -> Route:
    why = (*because, *found.why)
    return replace(found, action="review", why=why, audit=False, inclusion_probability=1.0, precedent=None, grounds=())


def by_machine(found: Route) -> bool:
    """Whether this blocks, and on nothing that people said of this very image or a copy of it."""
    return found.action == "block" and not any(why.code in {"match", "copy"} for why in found.grounds)


def as_decided(found: Route, precedent: Precedent, plan: Plan, context: Context) -> Route:
    """The route of a copy. A block needs no doubt removed, an approval removes none but that of the bands, and only in
    categories that people had in mind; what is blocked or held stays so.
    """
    cited = Why("copy", precedent.category, detail=precedent.decision)
    if precedent.action == "block" and found.action in {"approve", "review"}:
        action: Action = "block"
        category, why = precedent.category, (cited, *(found.why if found.action == "review" else ()))
    elif precedent.action == "review" and found.action == "approve":
        held = replace(found, action="review", why=(cited,), category=precedent.category, precedent=precedent)
        return replace(held, audit=False, inclusion_probability=1.0)
    elif precedent.action == "approve" and found.action == "review" and only_uncertain(found, precedent.categories):
        action, category, why = "approve", found.category, (replace(cited, category=found.category), *found.why)
    else:
        return found
    grounds = (cited,) if action == "block" else ()
    settled = replace(found, action=action, why=why, category=category, precedent=precedent, grounds=grounds)
    return replace(settled, audit=context.draw < plan.audit_rate, inclusion_probability=plan.audit_rate)


def only_uncertain(found: Route, categories: frozenset[str]) -> bool:
    return not found.failed and all(why.code == "between" and why.category in categories for why in found.why)


def judged_alone(findings: Sequence[Evidence], plan: Plan, context: Context) -> Route:
    """Where this image goes whatever was decided of others."""
    doubts, probabilities = weigh(findings, plan)
    steps = steps_of(findings, plan, probabilities)
    bands = tightened(plan, steps)
    zones = {category: zone_of(category, value, bands[category], findings) for category, value in probabilities.items()}
    judge = partial(judged, bands, steps)
    blocking = [judge("block", c, probabilities[c]) for c in ranked(zones, "block", probabilities, bands)]
    unsure = [
        judge("between", c, probabilities[c])
        for c in ranked(zones, "review", probabilities, bands)
        if bands[c].zone(probabilities[c]) == "review"
    ]
    failed = any(doubt.code == "classifier_error" for doubt in doubts)
    queue = min(((one.classifier, one.queue) for one in findings if one.queue), default=("", ""))[1]
    held, barred, asked = (demanded(findings, action) for action in ("quarantine", "block", "review"))
    blocking, unsure = [*barred, *blocking], [*asked, *unsure]
    standing_out = (held or blocking or unsure or [Why("below")])[0].category or doubtful_category(doubts)
    if held:
        return Route("quarantine", (*held, *blocking, *doubts, *unsure), standing_out, zones, probabilities, failed)
    if not blocking and (doubts or unsure):
        return Route("review", (*doubts, *unsure), standing_out, zones, probabilities, failed, queue=queue)
    clear = max(probabilities, key=lambda c: nearness(probabilities[c], bands[c]), default="")
    below = (judge("below", clear, probabilities[clear]),) if clear else (Why("below"),)
    why = (*blocking, *doubts, *unsure) if blocking else below
    return Route(
        "block" if blocking else "approve",
        why,
        standing_out,
        zones,
        probabilities,
        failed,
        audit=context.draw < plan.audit_rate,
        inclusion_probability=plan.audit_rate,
        queue=queue,
        grounds=tuple(blocking),
    )


def zone_of(category: str, probability: float, band: Band, findings: Sequence[Evidence]) -> Zone:
    """The band's zone; but what is certain only because a known image asks for a look is not blocked for that."""
    zone = band.zone(probability)
    if zone == "block" and all(
        one.only_looks(category) or band.zone(one.probabilities.get(category, 0.0)) != "block" for one in findings
    ):
        return "review"
    return zone


def demanded(findings: Sequence[Evidence], action: str) -> list[Why]:
    """The demands for this action, each once, in an order that does not depend on who spoke first."""
    found = {
        Why(one.code, one.category, detail=one.detail)
        for each in findings
        for one in each.demands
        if one.action == action
    }
    return sorted(found, key=lambda why: (why.code, why.category, why.detail))


def steps_of(findings: Sequence[Evidence], plan: Plan, probabilities: Mapping[str, float]) -> Mapping[str, Step]:
    """By how much each category's cuts are lower for this image. Of several steps the largest counts; of equal ones the
    plan's own, then by name.
    """
    asked = [
        (each.category, Step(each.by, each.when))
        for each in sorted(plan.tightening, key=lambda one: one.when)
        if probabilities.get(each.when, 0.0) > each.above
    ]
    asked += [
        (category, Step(by, finding.tightened_by.get(category) or finding.classifier))
        for finding in sorted(findings, key=lambda one: one.classifier)
        for category, by in finding.tighten.items()
        if is_probability(by)  # anything else is no step, least of all one upwards
    ]
    steps: dict[str, Step] = {}
    for category, step in asked:
        if category in plan.bands and step.by > (steps[category].by if category in steps else 0.0):
            steps[category] = step
    return steps


def tightened(plan: Plan, steps: Mapping[str, Step]) -> Mapping[str, Band]:
    """The plan's bands as they hold for this image."""
    if not steps:
        return plan.bands
    return {**plan.bands} | {category: plan.bands[category].tightened(step.by) for category, step in steps.items()}


def weigh(findings: Sequence[Evidence], plan: Plan) -> tuple[list[Why], dict[str, float]]:
    """The doubts about the evidence itself, and each known category's highest probability."""
    highest: dict[str, float] = {}
    spoke = {finding.classifier for finding in findings if not finding.error}
    errors = {finding.classifier: finding.error for finding in findings if finding.error}
    silent = [ref for ref in plan.classifiers if ref not in spoke]
    doubts = [Why("classifier_error", detail=errors.get(ref, ref)) for ref in silent]
    for finding in sorted(findings, key=lambda one: one.classifier):  # so that nothing depends on who spoke first
        for category, probability in sorted(finding.probabilities.items()):
            if not is_probability(probability):
                doubts.append(Why("classifier_error", category, detail=finding.classifier))
            elif category not in plan.bands:
                doubts.append(Why("unknown_category", category, probability))
            else:
                highest[category] = max(probability, highest.get(category, 0.0))
    return doubts, highest


def ranked(
    zones: Mapping[str, Zone], zone: Zone, probabilities: Mapping[str, float], bands: Mapping[str, Band]
) -> list[str]:
    """The categories in this zone, the one deepest into it first; ties by name, so that replay is exact."""
    return sorted((c for c, z in zones.items() if z == zone), key=lambda c: (-nearness(probabilities[c], bands[c]), c))


def nearness(probability: float, band: Band) -> float:
    """How far from the approve cut towards certainty: comparable between categories with different cuts."""
    if probability < band.approve:
        return probability / band.approve - 1
    return (probability - band.approve) / ((1 - band.approve) or 1)


def judged(
    bands: Mapping[str, Band],
    steps: Mapping[str, Step],
    code: Literal["block", "between", "below"],
    category: str,
    probability: float,
) -> Why:
    band, step = bands[category], steps.get(category)
    if step is None:
        return Why(code, category, probability, band.approve, band.block)
    return Why(code, category, probability, band.approve, band.block, tightened=step.by, tightened_by=step.whose)


def doubtful_category(doubts: Sequence[Why]) -> str:
    return next((doubt.category for doubt in doubts if doubt.category), "")
