"""Adopting a classifier version: publish a plan that pins it. Old versions stay, so going back is one more plan."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from classifiers.models import ClassifierVersion
from moderation import policies
from moderation.actors import Actor
from moderation.admission import Past
from moderation.models import TriagePlan, User
from moderation.routing import PlanError


class UnknownVersion(LookupError):
    """No such version is registered. List them on the learning page, or add one with add_classifier."""


class AlreadyPinned(Exception):
    """The plan in force pins this version already; there is nothing to adopt."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """What adopting would publish: `body` over plan `based_on` (0: none yet)."""

    version: ClassifierVersion
    body: dict[str, Any]
    replaces: tuple[str, ...]
    new_categories: tuple[str, ...]
    based_on: int

    @property
    def words(self) -> str:
        if not self.replaces:
            return _("Adopts %(ref)s.") % {"ref": self.version.ref}
        return _("Adopts %(ref)s in place of %(old)s.") % {"ref": self.version.ref, "old": ", ".join(self.replaces)}


def adopt(
    version_ref: str, *, actor: Actor, person: User | None = None, note: str = "", past: Past | None = None
) -> TriagePlan:
    """Afterwards triage follows a plan that pins this version, with the cuts of the plan before.

    Raises UnknownVersion, AlreadyPinned, Outdated (somebody published), GateClosed or PlanError (a category goes
    unscored).
    """
    planned = prepare(version_ref)
    return policies.publish_plan(
        planned.body, note=note or planned.words, actor=actor, person=person, based_on=planned.based_on, past=past
    )


def prepare(version_ref: str) -> Adoption:
    """What `adopt` would do, without doing it. Raises as `adopt` does."""
    version = ClassifierVersion.objects.with_refs([version_ref]).first()
    if version is None:
        raise UnknownVersion(_("%(ref)s is not registered.") % {"ref": version_ref})
    plan = TriagePlan.objects.in_force()
    body = dict(plan.body) if plan else {}
    refs = [str(ref) for ref in body.get("classifiers", ())]
    if version.ref in refs:
        raise AlreadyPinned(_("The plan in force already pins %(ref)s.") % {"ref": version.ref})
    pinned = list(ClassifierVersion.objects.with_refs(refs))
    replaced = replaced_by(version, pinned)
    bands = dict(body.get("bands") or {})
    new = [category for category in version.categories if category not in bands]
    # Nobody has said yet what a score in these means: approve below 0 and block never sends every image to a person.
    bands |= {category: {"approve": 0.0, "block": None} for category in new}
    body |= {"bands": bands, "classifiers": repinned(refs, replaced, version.ref)}
    if "shadows" in body:
        body["shadows"] = [ref for ref in body["shadows"] if ref != version.ref]
    return Adoption(version, body, tuple(replaced), tuple(new), plan.number if plan else 0)


def replaced_by(version: ClassifierVersion, pinned: Sequence[ClassifierVersion]) -> list[str]:
    """The pinned versions that this one takes over from: the same name, and what speaks from the same backbone.

    Raises PlanError when a category that the older version of the same name scores would then be scored by nobody.
    """
    same_name = [one for one in pinned if one.name == version.name]
    for old in same_name:
        others = [one for one in pinned if one not in same_name]
        lost = sorted(set(old.categories) - spoken_of([version, *others]))
        if lost and version.kind != "rules":  # a rule that goes leaves no category unwatched
            raise PlanError(
                _("%(new)s says nothing about %(lost)s, which %(old)s scores. Publish a plan by hand if that is meant.")
                % {"new": version.ref, "lost": ", ".join(lost), "old": old.ref}
            )
    return [one.ref for one in pinned if one in same_name or takes_over(version, one)]


def takes_over(version: ClassifierVersion, other: ClassifierVersion) -> bool:
    """It says all that the other says, from the same eyes. A concept neither replaces nor is replaced: it adds."""
    if "concept" in version.card or "concept" in other.card:
        return False
    return speaks_from_same_eyes(version, other) and covers(version, other)


def speaks_from_same_eyes(version: ClassifierVersion, other: ClassifierVersion) -> bool:
    """Both are heads on one backbone, or `other` is the backbone itself with outputs of its own."""
    return version.backbone_id is not None and version.backbone_id in {other.backbone_id, other.pk}


def covers(version: ClassifierVersion, other: ClassifierVersion) -> bool:
    return set(other.categories) <= set(version.categories)


def spoken_of(versions: Collection[ClassifierVersion]) -> set[str]:
    return {category for version in versions for category in version.categories}


def repinned(refs: Sequence[str], replaced: Collection[str], ref: str) -> list[str]:
    """`ref` where the first replaced one stood, or at the end."""
    kept: list[str] = []
    for one in refs:
        if one not in replaced:
            kept.append(one)
        elif ref not in kept:
            kept.append(ref)
    return kept if ref in kept else [*kept, ref]
