"""A prompt judged before any image is made, by the plan in force and the prompt signals it pins.

Nothing of a prompt is kept or logged. Doubt goes to a person: without a plan, without a signal that can judge words, or
when one fails, the answer is review.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, cast
from uuid import UUID

from django.utils.translation import gettext as _
from PIL import Image

from classifiers import registry
from classifiers.base import ImageInput
from classifiers.models import ClassifierVersion
from moderation import policies
from moderation.models import PolicyVersion, TriagePlan
from moderation.routing import Context, Demand, Evidence, Plan, Why, Zone, is_probability, route

if TYPE_CHECKING:
    from classifiers.prompts.listed import TermList
    from classifiers.prompts.terms import Match, Screening

log = logging.getLogger(__name__)
KINDS: Final = ("terms", "prompts")
PromptAction = Literal["allow", "transform", "review", "block"]
ACTION: Final[Mapping[str, PromptAction]] = {"approve": "allow", "review": "review", "block": "block"}
NO_PICTURE: Final = Image.new("RGB", (1, 1))


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of a prompt. `transform`: it may be made with `guidance` added to the negative prompt.

    `categories` are (code, probability, zone), highest first; `matches` point into the prompt.
    """

    action: PromptAction
    why: Sequence[Why] = ()
    categories: Sequence[tuple[str, float, Zone]] = ()
    matches: Sequence[Match] = ()
    guidance: Sequence[str] = ()
    plan: TriagePlan | None = None
    policy: PolicyVersion | None = None
    screens: Sequence[str] = ()


@dataclass(slots=True)
class Heard:
    """What the signals said, gathered. `transforming` are categories in which a term asks for guidance only."""

    evidence: list[Evidence] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)
    transforming: dict[str, float] = field(default_factory=dict)
    lists: list[TermList] = field(default_factory=list)


def judge(prompt: str, *, negative_prompt: str = "") -> Judged:
    """What the plan in force makes of a prompt. The negative prompt asks for nothing; it only shortens the guidance."""
    row = TriagePlan.objects.only("id", "number").in_force()  # its body is kept by key
    if row is None:
        return Judged("review", route((), None, Context()).why)
    plan, screens = parsed(row.pk), screens_of(row.pk)
    if not screens:
        return Judged("review", (Why("classifier_error", detail=_("the plan pins none for prompts")),), plan=row)
    heard = Heard()
    for version in screens:
        hear(version, prompt, heard)
    refs = tuple(version.ref for version in screens)
    routed = route(heard.evidence, replace(plan, classifiers=refs, shadows=()), Context())
    action = ACTION[routed.action]
    if action == "allow" and heard.transforming:
        action = "transform"
    said = {**heard.transforming, **routed.probabilities}
    categories = sorted(
        ((code, value, zone_of(plan, code, value)) for code, value in said.items() if value > 0),
        key=lambda one: (-one[1], one[0]),
    )
    worth_avoiding = {code for code, _value, zone in categories if zone != "approve"} | heard.transforming.keys()
    worth_avoiding |= {why.category for why in routed.why if action != "allow"}
    return Judged(
        action,
        () if action == "allow" else routed.why,
        categories,
        heard.matches,
        guidance(heard.lists, sorted(worth_avoiding), without=negative_prompt),
        row,
        guideline(routed.category) if action in {"review", "block"} else None,
        refs,
    )


def hear(version: ClassifierVersion, prompt: str, heard: Heard) -> None:
    """Add one signal's word; one that fails is evidence of doubt, and so is one that this process cannot ask: sentence
    encoders are heavy, and read prompts in triage only."""
    if version.kind == "prompts" and "encoder" in version.card:
        later = _("%(ref)s reads prompts in triage only") % {"ref": version.ref}
        heard.evidence.append(Evidence(version.ref, error=later))
        return
    try:
        if version.kind == "terms":
            listed = cast("TermList", registry.load(version))
            add(version.ref, listed.screen(prompt), heard)
            heard.lists.append(listed)
        else:
            said = registry.load(version).score([ImageInput(NO_PICTURE, prompt=prompt)])[0]
            heard.evidence.append(Evidence(version.ref, {code: round(value, 6) for code, value in said.items()}))
    except Exception as error:  # noqa: BLE001 - it may fail in any way, and a traceback may hold the prompt
        log.error("prompt signal %s failed: %s", version.ref, type(error).__name__)
        heard.evidence.append(Evidence(version.ref, error=f"{version.ref}: {type(error).__name__}"))


def add(ref: str, screening: Screening, heard: Heard) -> None:
    """A term edition's word. There is no image yet, so a term may block in any category."""
    asked = {code: said for code, said in screening.found.items() if said[1] != "transform"}
    heard.transforming |= {code: said[0] for code, said in screening.found.items() if code not in asked}
    told = {match.name: match.term for match in reversed(screening.matches)}
    told |= {rule.category: rule.name for rule in screening.combinations}
    demands = tuple(
        Demand("block" if action == "block" else "review", "term", code, told[code])
        for code, (_probability, action) in asked.items()
    )
    heard.evidence.append(Evidence(ref, {code: said[0] for code, said in asked.items()}, demands=demands))
    heard.matches += screening.matches


def guidance(lists: Sequence[TermList], codes: Sequence[str], *, without: str) -> list[str]:
    """Words for the negative prompt, each once, but for those that stand in it already."""
    there = without.casefold()
    words = dict.fromkeys(word for listed in lists for word in listed.guidance(codes))
    return [word for word in words if word.casefold() not in there]


def guideline(category: str) -> PolicyVersion | None:
    """The one in force, without its text."""
    return PolicyVersion.objects.of(category).only("category", "number").order_by("-number").first()


def zone_of(plan: Plan, code: str, probability: float) -> Zone:
    """A category the plan does not know is a person's matter."""
    return plan.bands[code].zone(probability) if code in plan.bands and is_probability(probability) else "review"


@lru_cache(maxsize=16)
def parsed(pk: UUID) -> Plan:
    """Published plans never change, so they may be kept."""
    return policies.parsed(TriagePlan.objects.get(pk=pk))


@lru_cache(maxsize=16)
def screens_of(pk: UUID) -> tuple[ClassifierVersion, ...]:
    """The prompt signals that this plan pins. A pinned version that is registered later is found after a restart."""
    refs = list(parsed(pk).classifiers)
    return tuple(ClassifierVersion.objects.with_refs(refs).filter(kind__in=KINDS).order_by("kind", "name"))
