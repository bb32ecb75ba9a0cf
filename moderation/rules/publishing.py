"""Rules on their way into force: a new version of the set, and the plan that would pin it (`moderation.proposals` puts
it before a second person). The version before stays for going back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from django.utils.translation import gettext as _

from classifiers import cards, registry
from classifiers.models import ClassifierVersion
from moderation import adoption
from moderation.adoption import Adoption
from moderation.models import TriagePlan
from moderation.policies import Outdated, hold_publishing
from moderation.routing import PlanError
from moderation.rules.sets import NAME, Rule, RuleSet, card_of


def prepare(rules: Sequence[Rule], *, based_on: str | None = None) -> Adoption:
    """In the caller's transaction: afterwards these rules are a version, and it says which plan would pin them.

    Raises RuleError, PlanError (no plan yet that they could stand beside), or Outdated: `based_on`, the reference of
    the version that the draft began from ("" none), is not pinned any more.
    """
    checked = RuleSet.read(rules)
    hold_publishing()
    if TriagePlan.objects.in_force() is None:
        raise PlanError(_("No plan is published yet. Publish one that pins a classifier, then its rules."))
    current = in_force()
    if based_on is not None and based_on != (current.ref if current else ""):
        raise Outdated(_("Somebody changed the rules while you were drafting."))
    with TemporaryDirectory() as folder:
        version = registry.register(
            cards.dump(card_of(checked, version=str(following())), Path(folder) / f"{NAME}.toml")
        )
    return adoption.prepare(version.ref)


def following() -> int:
    """The next version's number."""
    numbers = ClassifierVersion.objects.filter(name=NAME, kind="rules").values_list("version", flat=True)
    return max((int(number) for number in numbers if number.isdecimal()), default=0) + 1


def in_force() -> ClassifierVersion | None:
    """The rules that the plan in force pins."""
    plan = TriagePlan.objects.in_force()
    refs = list(plan.body["classifiers"]) if plan else []
    return ClassifierVersion.objects.with_refs(refs).filter(kind="rules", name=NAME).first()
