"""Putting rules in force: a new version of the set, pinned by a new plan. The version before stays for going back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.utils.translation import gettext as _

from classifiers import cards, registry
from classifiers.models import ClassifierVersion
from moderation import adoption
from moderation.models import TriagePlan
from moderation.policies import Outdated
from moderation.routing import PlanError
from moderation.rules.sets import NAME, Rule, RuleSet, card_of

if TYPE_CHECKING:
    from moderation.actors import Actor
    from moderation.models import User


@transaction.atomic
def publish(
    rules: Sequence[Rule], *, note: str, actor: Actor, person: User | None = None, based_on: str | None = None
) -> TriagePlan:
    """Afterwards triage follows a plan that pins these rules; the audit log has it as any plan.

    Raises RuleError, PlanError (no plan yet that they could stand beside), or Outdated: `based_on`, the reference of
    the version that the draft began from ("" none), is not pinned any more.
    """
    checked = RuleSet.read(rules)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('loupe.publish_plan'))")
    if TriagePlan.objects.in_force() is None:
        raise PlanError(_("No plan is published yet. Publish one that pins a classifier, then its rules."))
    current = in_force()
    if based_on is not None and based_on != (current.ref if current else ""):
        raise Outdated(_("Somebody changed the rules while you were drafting."))
    with TemporaryDirectory() as folder:
        version = registry.register(
            cards.dump(card_of(checked, version=str(following())), Path(folder) / f"{NAME}.toml")
        )
    return adoption.adopt(version.ref, actor=actor, person=person, note=note)


def following() -> int:
    """The next version's number."""
    numbers = ClassifierVersion.objects.filter(name=NAME, kind="rules").values_list("version", flat=True)
    return max((int(number) for number in numbers if number.isdecimal()), default=0) + 1


def in_force() -> ClassifierVersion | None:
    """The rules that the plan in force pins."""
    plan = TriagePlan.objects.in_force()
    refs = list(plan.body["classifiers"]) if plan else []
    return ClassifierVersion.objects.with_refs(refs).filter(kind="rules", name=NAME).first()
