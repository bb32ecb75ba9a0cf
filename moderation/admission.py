"""What a plan must pass before it is published: each version that it newly puts on the traffic meets the gates of the
plan in force, or words say why it need not.

`policies.publish_plan` asks here of every plan, whichever door it comes by. How a gate is answered is for those who
know evaluations: `settings.PROMOTION_GATES` names the function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

from django.conf import settings
from django.db import models
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classifiers.models import ClassifierVersion
from moderation.models import TriagePlan
from moderation.plans import Plan, PlanError

LISTED: Final = frozenset({"rules", "terms", "hashes", "provenance"})
"""Kinds that go by what people wrote down or what is stored: nothing in them was learnt."""
REMEMBERED: Final = 1000


class GateClosed(PlanError):
    """The plan in force asks for more than a version shows; the message names the version and its gates. Nothing was
    changed.
    """


class State(models.TextChoices):
    PASSED = "passed", gettext_lazy("passed")
    CLOSED = "closed", gettext_lazy("closed")
    UNTOLD = "untold", gettext_lazy("cannot be told")


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition. `figure` beside its `limit`, as people read them; `why`, what it rests on, or what is missing."""

    name: str
    words: str
    state: State
    figure: str = "–"
    limit: str = ""
    why: str = ""

    @property
    def passed(self) -> bool:
        return self.state == State.PASSED

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "state": str(self.state), "passed": self.passed}


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked of one version: by `law`, the plan in force, before `after` takes its place. `before` are those
    that last served in its categories; with `free`, why its figures need not be shown.
    """

    version: ClassifierVersion
    law: Plan
    after: Plan
    before: Sequence[ClassifierVersion]
    free: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Its gates, and the evaluation that they rest on."""

    gates: Sequence[Gate]
    evaluation: str = ""


@dataclass(frozen=True, slots=True)
class Admission:
    """One version that a plan newly puts on the traffic, with its gates."""

    version: ClassifierVersion
    free: str
    answer: Answer

    @property
    def gates(self) -> Sequence[Gate]:
        return self.answer.gates

    @property
    def closed(self) -> list[Gate]:
        return [one for one in self.gates if not one.passed]

    def as_json(self) -> dict[str, Any]:
        gates = [one.as_json() for one in self.gates]
        return {"ref": self.version.ref, "free": self.free, "evaluation": self.answer.evaluation, "gates": gates}


@dataclass(frozen=True, slots=True)
class Past:
    """Words why closed gates are gone past. They count for the gates that were closed when they were written (`told`,
    by version), and for no other; None: for any, where who writes them publishes in the same moment.
    """

    why: str
    asked_by: str
    approved_by: str = ""
    told: Mapping[str, Sequence[str]] | None = None

    def as_json(self) -> dict[str, str]:
        return {"why": self.why, "asked_by": self.asked_by, "approved_by": self.approved_by}


def gated(version: ClassifierVersion) -> bool:
    """Whether it says of images what it learnt. A concept is held to its own figures (`policies.unmeasured`)."""
    return bool(version.categories) and version.kind not in LISTED and "concept" not in version.card


def asked(body: Mapping[str, Any], plan: TriagePlan | None) -> list[Admission]:
    """Of each version that this body pins and the plan in force does not. Empty where that one asks for nothing; what
    only looks on from the shadow routes nothing, and is asked nothing. A few queries.
    """
    if plan is None:
        return []
    law = Plan.from_body(plan.body, number=plan.number)
    if law.gates is None and law.privacy_budget is None:
        return []
    fresh = [ref for ref in body.get("classifiers") or () if ref not in law.classifiers]
    found = [one for one in ClassifierVersion.objects.with_refs(fresh) if gated(one)] if fresh else []
    after = Plan.from_body(body, number=0)
    return [admission(one, law, after) for one in sorted(found, key=lambda one: one.ref)]


def admission(version: ClassifierVersion, law: Plan, after: Plan) -> Admission:
    before, again = predecessors(version)
    free = ""
    if again:
        free = _("It was in service before: going back is never held up.")
    elif not before:
        free = _("Nothing was in service for its categories before: there is nothing to fall behind.")
    return Admission(version, free, answering()(Case(version, law, after, before, free)))


def answering() -> Callable[[Case], Answer]:
    return cast("Callable[[Case], Answer]", import_string(settings.PROMOTION_GATES))


def predecessors(version: ClassifierVersion) -> tuple[list[ClassifierVersion], bool]:
    """Who last served in one of its categories, by the latest plan in which anybody did: of the same name first, then
    those that share most; and whether the version itself was in service in one of the last REMEMBERED plans. Two
    queries.
    """
    plans = TriagePlan.objects.filter(candidate=False).order_by("-number")
    pinned = list(plans.values_list("body__classifiers", flat=True)[:REMEMBERED])
    refs = sorted({ref for one in pinned for ref in one} - {version.ref})
    rows = {one.ref: one for one in ClassifierVersion.objects.with_refs(refs) if gated(one)}
    again = any(version.ref in one for one in pinned)
    for one in pinned:
        found = [rows[ref] for ref in one if ref in rows and shared(version, rows[ref])]
        if found:
            return sorted(found, key=lambda row: (row.name != version.name, -len(shared(version, row)), row.ref)), again
    return [], again


def shared(version: ClassifierVersion, other: ClassifierVersion) -> set[str]:
    return set(version.categories) & set(other.categories)


def closed_in(found: Sequence[Admission]) -> dict[str, list[str]]:
    """The names of the gates that are not passed, by version."""
    return {one.version.ref: [gate.name for gate in one.closed] for one in found if one.closed}


def ask(body: Mapping[str, Any], plan: TriagePlan | None, *, why: str) -> dict[str, list[str]]:
    """The gates that are not passed, by version, for whoever approves. Raises GateClosed where no words say `why`."""
    found = asked(body, plan)
    closed = closed_in(found)
    if closed and not why.strip():
        raise GateClosed(told(found))
    return closed


def admit(body: Mapping[str, Any], plan: TriagePlan | None, *, past: Past | None = None) -> dict[str, Any] | None:
    """What is put on record with the plan, None where nothing was asked. Raises GateClosed."""
    found = asked(body, plan)
    if plan is None or not found:
        return None
    closed = closed_in(found)
    if closed and past is None:
        raise GateClosed(told(found))
    if past is not None and past.told is not None:
        known = past.told
        more = {ref: [name for name in names if name not in known.get(ref, ())] for ref, names in closed.items()}
        if any(more.values()):
            words = _("More is closed than when it was asked for; its words do not speak of that. %(gates)s")
            raise GateClosed(words % {"gates": told(found, more)})
    versions = [one.as_json() for one in found]
    return {"plan": plan.number, "versions": versions, "past": past.as_json() if closed and past else None}


def told(found: Sequence[Admission], only: Mapping[str, Sequence[str]] | None = None) -> str:
    """Which version is stopped by what, in sentences."""
    sentences = []
    for one in found:
        gates = [gate for gate in one.closed if only is None or gate.name in only.get(one.version.ref, ())]
        if gates:
            words = "; ".join(f"{gate.words}: {gate.why or gate.figure}".rstrip(".") for gate in gates)
            sentences.append(_("%(ref)s is not promoted. %(gates)s.") % {"ref": one.version.ref, "gates": words})
    return " ".join(sentences)
