"""The pure heart: findings and a plan in, a route out. No Django, no clock, no I/O.

The same function serves live triage, simulation and replay. Doubt goes to a person: a missing plan, a missing or failed
classifier, a number that is no probability, a category the plan does not know.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Literal, Self

Action = Literal["approve", "review", "block", "quarantine"]
Zone = Literal["approve", "review", "block"]
DemandCode = Literal["match", "rule", "rule_error", "term", "contradiction"]
ON_ERROR: Final = ("review", "wait")
MOST_SHADOWS: Final = 4


class PlanError(ValueError):
    """The plan cannot be followed; the message names the category and what to mend."""


@dataclass(frozen=True, slots=True)
class Band:
    """Approve below one cut, block from the other; between them a person looks. `block` None: never block unseen."""

    approve: float
    block: float | None = None

    def zone(self, probability: float) -> Zone:
        if self.block is not None and probability >= self.block:
            return "block"
        return "approve" if probability < self.approve else "review"

    def tightened(self, by: float) -> Self:
        """Both cuts lower by `by`, never below 0."""
        return replace(
            self,
            approve=max(0.0, min(self.approve, round(self.approve - by, 6))),
            block=None if self.block is None else max(0.0, min(self.block, round(self.block - by, 6))),
        )


@dataclass(frozen=True, slots=True)
class Tightening:
    """Where `when` scores above `above`, the cuts of `category` are lower by `by`: care in one place asks for care in
    another.
    """

    when: str
    above: float
    category: str
    by: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What triage follows. `classifiers` are pinned by name@version; every one of them must have spoken. `shadows` look
    beside them and have no say.

    `on_error`: an image that one of them failed on goes to a person (review), or waits until it answers (wait).
    """

    number: int
    bands: Mapping[str, Band]
    classifiers: tuple[str, ...]
    audit_rate: float = 0.0
    tightening: tuple[Tightening, ...] = ()
    on_error: Literal["review", "wait"] = "review"
    shadows: tuple[str, ...] = ()

    @classmethod
    def from_body(cls, body: Mapping[str, Any], *, number: int) -> Self:
        """Parse and check a stored plan. Raises PlanError."""
        bands = {}
        for category, cuts in dict(body.get("bands") or {}).items():
            approve, block = cuts.get("approve"), cuts.get("block")
            if not is_probability(approve) or not (block is None or is_probability(block)):
                raise PlanError(f"{category}: the cuts are probabilities between 0 and 1")
            if block is not None and block < approve:
                raise PlanError(f"{category}: the block cut {block} lies below the approve cut {approve}")
            bands[category] = Band(float(approve), None if block is None else float(block))
        if not bands:
            raise PlanError("A plan needs a band for at least one category")
        refs = tuple(body.get("classifiers") or ())
        if not refs:
            raise PlanError("A plan pins at least one classifier as name@version")
        rate = body.get("audit_rate", 0.0)
        if not is_probability(rate):
            raise PlanError("The audit rate is a probability between 0 and 1")
        on_error = body.get("on_error", "review")
        if on_error not in ON_ERROR:
            raise PlanError(f"on_error is one of {', '.join(ON_ERROR)}, not {on_error!r}")
        tightening = tuple(parsed_tightening(each, bands) for each in body.get("tightening") or ())
        return cls(number, bands, refs, float(rate), tightening, on_error, parsed_shadows(body, refs))


def parsed_shadows(body: Mapping[str, Any], refs: Sequence[str]) -> tuple[str, ...]:
    shadows = tuple(dict.fromkeys(body.get("shadows") or ()))
    if both := [ref for ref in shadows if ref in refs]:
        raise PlanError(f"In service and in the shadow at once: {', '.join(both)}. A version is one or the other.")
    if len(shadows) > MOST_SHADOWS:
        raise PlanError(f"At most {MOST_SHADOWS} versions in the shadow: each of them costs time on every image.")
    return shadows


def parsed_tightening(each: Mapping[str, Any], bands: Mapping[str, Band]) -> Tightening:
    when, category = str(each.get("when")), str(each.get("category"))
    above, by = each.get("above"), each.get("by")
    if when not in bands or category not in bands:
        raise PlanError(f"Tightening names {when!r} and {category!r}; both must have a band")
    if not is_probability(above) or not is_probability(by):
        raise PlanError(f"Tightening {category} when {when}: above and by are numbers between 0 and 1")
    return Tightening(when, float(above or 0), category, float(by or 0))


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
class Context:
    """`draw` in [0, 1) is the audit lot of this image: a keyed hash of its id, so that it is repeatable and
    unpredictable.
    """

    draw: float = 1.0


@dataclass(frozen=True, slots=True)
class Why:
    """One reason, in a form that can be put into words in any language (`moderation.wording`). `approve` and `block`
    are the cuts as they held for this image: lower by `tightened` than the plan's, for `tightened_by`, a category or
    the name of a rule or signal.
    """

    code: Literal["no_plan", "classifier_error", "unknown_category", "block", "between", "below"] | DemandCode
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
    """`category` is the one that stands out most; `inclusion_probability`, the chance that a person sees the image."""

    action: Action
    why: tuple[Why, ...]
    category: str = ""
    zones: Mapping[str, Zone] = field(default_factory=dict)
    probabilities: Mapping[str, float] = field(default_factory=dict)
    failed: bool = False
    audit: bool = False
    inclusion_probability: float = 1.0
    queue: str = ""


def is_probability(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value <= 1


def route(findings: Sequence[Evidence], plan: Plan | None, context: Context) -> Route:
    """Where this image goes under this plan.

    Per category the highest probability any classifier gave counts, against cuts that other scores or rules may have
    tightened. The strictest voice wins: a demand to quarantine, else a category or demand to block, else anything to
    review (or any doubt) sends to a person, else the image is approved.
    """
    if plan is None:
        return Route("review", (Why("no_plan"),))
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
