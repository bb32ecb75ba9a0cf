"""The pure heart: findings and a plan in, a route out. No Django, no clock, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, Literal

from moderation.plans import UNKNOWN, Band, Plan, Zone, is_probability
from moderation.routing.words import Action, Context, Evidence, Precedent, Route, Step, Why
from moderation.stops import Stops

STRICTNESS: Final[Mapping[Action, int]] = {"approve": 0, "review": 1, "block": 2, "quarantine": 3}


def route(findings: Sequence[Evidence], plan: Plan | None, context: Context) -> Route:
    """Where this image goes under this plan.

    Per category the highest probability any classifier gave counts, against cuts that other scores or rules may have
    tightened. The strictest voice wins: a demand to quarantine, else a category or demand to block, else anything to
    review (or any doubt) sends to a person, else the image is approved. A precedent has its say after that, and what
    no machine may decide now goes to a person. What must be held is held.

    Where the plan has overlays, this is done for each territory that the image is served in, and the strictest route is
    the image's own.
    """
    if plan is None:
        return Route("review", (Why("no_plan"),))
    if not plan.overlays:
        return one_route(findings, plan, context)
    places = {place: plan.at(context.served, place) for place in sorted(context.served.territories) or [UNKNOWN]}
    routes = {id(cuts): one_route(findings, cuts, context) for cuts in places.values()}
    return together({place: routes[id(cuts)] for place, cuts in places.items()})


def together(routes: Mapping[str, Route]) -> Route:
    """The strictest of the routes by territory. What a machine blocks while a person must look for another territory is
    seen for certain.
    """
    found = max(routes.values(), key=lambda one: STRICTNESS[one.action])
    if all(one == found for one in routes.values()):
        return found
    found = replace(found, territories=routes)
    return replace(found, audit=False, inclusion_probability=1.0) if found.asking else found


def one_route(findings: Sequence[Evidence], plan: Plan, context: Context) -> Route:
    """Where this image goes by the plan's own bands."""
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
    rate = plan.rate(category)
    return replace(settled, audit=context.draw < rate, inclusion_probability=rate)


def only_uncertain(found: Route, categories: frozenset[str]) -> bool:
    return not found.failed and all(why.code == "between" and why.category in categories for why in found.why)


def judged_alone(findings: Sequence[Evidence], plan: Plan, context: Context) -> Route:
    """Where this image goes whatever was decided of others."""
    doubts, probabilities = weigh(findings, plan)
    steps = steps_of(findings, plan, probabilities)
    bands = tightened(plan, steps)
    zones = {category: zone_of(category, value, bands[category], findings) for category, value in probabilities.items()}
    judge = partial(judged, bands, steps, plan.whose)
    blocking = [judge("block", c, probabilities[c]) for c in ranked(zones, "block", probabilities, bands)]
    unsure = [
        judge("between", c, probabilities[c])
        for c in ranked(zones, "review", probabilities, bands)
        if bands[c].zone(probabilities[c]) == "review"
    ]
    failed = any(doubt.code == "classifier_error" for doubt in doubts)
    asked_queue = min(((one.classifier, one.queue) for one in findings if one.queue), default=("", ""))[1]
    held, barred, asked = (demanded(findings, action) for action in ("quarantine", "block", "review"))
    blocking, unsure = [*barred, *blocking], [*asked, *unsure]
    standing_out = (held or blocking or unsure or [Why("below")])[0].category or doubtful_category(doubts)
    queue = asked_queue or plan.queues.get(standing_out, "")
    if held:
        return Route("quarantine", (*held, *blocking, *doubts, *unsure), standing_out, zones, probabilities, failed)
    if not blocking and (doubts or unsure):
        return Route("review", (*doubts, *unsure), standing_out, zones, probabilities, failed, queue=queue)
    clear = max(probabilities, key=lambda c: nearness(probabilities[c], bands[c]), default="")
    below = (judge("below", clear, probabilities[clear]),) if clear else (Why("below"),)
    why = (*blocking, *doubts, *unsure) if blocking else below
    rate = plan.rate(standing_out if blocking else clear)
    return Route(
        "block" if blocking else "approve",
        why,
        standing_out,
        zones,
        probabilities,
        failed,
        audit=context.draw < rate,
        inclusion_probability=rate,
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
    whose: Mapping[str, str],
    code: Literal["block", "between", "below"],
    category: str,
    probability: float,
) -> Why:
    band, step = bands[category], steps.get(category)
    why = Why(code, category, probability, band.approve, band.block, overlay=whose.get(category, ""))
    return why if step is None else replace(why, tightened=step.by, tightened_by=step.whose)


def doubtful_category(doubts: Sequence[Why]) -> str:
    return next((doubt.category for doubt in doubts if doubt.category), "")
