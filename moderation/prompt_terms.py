"""Editions of the prompt terms: the one in force, what a draft would change, and the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from uuid import UUID

from django.core.files.storage import storages
from django.utils.translation import gettext as _

from classifiers import cards, registry
from classifiers.base import CardError
from classifiers.models import ClassifierVersion
from classifiers.prompts import editions
from classifiers.prompts.editions import Edition, ListedCategory, Row
from classifiers.weights import file_sha256
from moderation import adoption, audit, policies
from moderation.actors import Actor
from moderation.adoption import Adoption
from moderation.models import TriagePlan
from moderation.policies import Outdated
from moderation.taxonomy import PEOPLE_ONLY, Category

KIND: Final = "terms"
NAME: Final = "terms"


class UnacceptableEdition(Exception):
    """The edition cannot be published; the message says why. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class ListChange:
    """What a draft changes in one list: a category's code, a group, or "" for the rules that combine them."""

    name: str
    added: Sequence[str]
    removed: Sequence[str]


def in_force() -> ClassifierVersion | None:
    """The edition that the plan in force pins."""
    plan = TriagePlan.objects.in_force()
    refs = list(plan.body["classifiers"]) if plan else []
    return ClassifierVersion.objects.with_refs(refs).filter(kind=KIND).order_by("name").first()


def lines(version: ClassifierVersion) -> Iterator[str]:
    """The edition's file, line by line."""
    with storages["models"].open(version.weights, "rb") as file:
        for line in file:
            yield line.decode()


def edition(version: ClassifierVersion | None) -> Edition:
    """All that the version lists; an empty edition for none."""
    return editions.gather(editions.read(lines(version)))[0] if version else Edition()


@dataclass(frozen=True, slots=True)
class Summary:
    """What an edition lists, without the terms themselves: categories by code, rules, and rows a list."""

    categories: Mapping[str, ListedCategory]
    combinations: Sequence[editions.Combination]
    terms: Counter[str]
    benign: Counter[str]

    @property
    def size(self) -> int:
        return self.terms.total()

    @property
    def groups(self) -> list[tuple[str, int]]:
        return sorted((name, count) for name, count in self.terms.items() if not editions.is_code(name))


def summary(version: ClassifierVersion | None) -> Summary:
    """Kept in memory for the versions last asked for: a long edition takes seconds to read, and never changes."""
    return summary_of(version.pk) if version else Summary({}, (), Counter(), Counter())


@lru_cache(maxsize=8)
def summary_of(pk: UUID) -> Summary:
    found = Edition()
    terms: Counter[str] = Counter()
    benign: Counter[str] = Counter()
    for row in editions.read(lines(ClassifierVersion.objects.get(pk=pk))):
        match row:
            case editions.Term():
                terms[row.name] += 1
            case editions.Benign():
                benign[row.name] += 1
            case ListedCategory() | editions.Combination():
                found.add(row)
    return Summary(found.categories, tuple(found.combinations), terms, benign)


def compare(before: Edition, after: Edition) -> list[ListChange]:
    """What `after` adds and takes away, a list at a time, in the order of the taxonomy, then groups, then rules."""
    old, new = told(before), told(after)
    changes = []
    for name in [*Category.values, *sorted((old.keys() | new.keys()) - set(Category.values) - {""}), ""]:
        gone, here = old.get(name, {}), new.get(name, {})
        added, removed = [line for line in here if line not in gone], [line for line in gone if line not in here]
        if added or removed:
            changes.append(ListChange(name, added, removed))
    return changes


def told(edition: Edition) -> dict[str, dict[str, None]]:
    """Each list's rows as lines that people compare; in order, and quick to look up."""
    found: dict[str, dict[str, None]] = {}
    for one in edition.categories.values():
        said = found.setdefault(one.name, {})
        said[_("asks for %(action)s at %(probability)s") % {"action": one.action, "probability": one.probability}] = (
            None
        )
        said |= dict.fromkeys(_("guidance: %(word)s") % {"word": word} for word in one.guidance)
    for term in edition.terms:
        own = "".join(f" | {part}" for part in (term.action, term.probability) if part is not None)
        found.setdefault(term.name, {})[term.text + own] = None
    for benign in edition.benign:
        found.setdefault(benign.name, {})[_("harmless: %(phrase)s") % {"phrase": benign.text}] = None
    for rule in edition.combinations:
        said = found.setdefault("", {})
        parts = " + ".join(rule.all)
        said[f"{rule.name}: {parts} → {rule.category}, {rule.action} | {rule.probability}"] = None
    return found


def prepare(rows: Iterable[Row], *, note: str, actor: Actor, based_on: str | None = None) -> Adoption:
    """In the caller's transaction: afterwards these rows are an edition, and it says which plan would pin it in place
    of the edition before.

    Raises UnacceptableEdition, Outdated (`based_on`, the ref of the edition that was edited, is not in force) or
    PlanError.
    """
    policies.hold_publishing()
    before = in_force()
    if based_on is not None and based_on != (before.ref if before else ""):
        raise Outdated(_("Somebody published %(ref)s meanwhile.") % {"ref": before.ref if before else _("no edition")})
    with TemporaryDirectory(prefix="loupe-terms-") as folder:
        try:
            version = registry.register(written(list(rows), before, Path(folder)))
        except CardError as error:
            raise UnacceptableEdition(str(error)) from error
    if before and version.sha256 == before.sha256:
        raise UnacceptableEdition(_("This says just what %(ref)s says.") % {"ref": before.ref})
    data = {"replaces": before.ref if before else None, "note": note}
    audit.record(audit.Entry(actor, "terms.written", f"classifier:{version.ref}", data))
    return adoption.prepare(version.ref)


def written(rows: Sequence[Row], before: ClassifierVersion | None, folder: Path) -> Path:
    """The edition and its card as files; returns the card's path."""
    spoken = {row.name for row in rows if isinstance(row, ListedCategory)}
    spoken |= {row.category for row in rows if isinstance(row, editions.Combination)}
    if unknown := sorted(spoken - set(Category.values)):
        raise UnacceptableEdition(_("Not in the taxonomy: %(codes)s.") % {"codes": ", ".join(unknown)})
    # An older edition's categories stay, if only to say nothing: a plan may not lose one by an edit of words.
    codes = [code for code in Category.values if code in spoken or (before and code in before.categories)]
    if not codes:
        raise UnacceptableEdition(_("There is nothing in it."))
    name = before.name if before else NAME
    number = str(next_number(name))
    weights = folder / f"{name}-{number}.jsonl"
    with weights.open("w", encoding="utf-8") as file:
        file.writelines(editions.written(rows))
    table = {
        "name": name,
        "version": number,
        "kind": KIND,
        "weights": weights.name,
        "sha256": file_sha256(weights),
        "licence": before.card["licence"] if before else "of this house",
        "trained_on": "nothing: written by the policy leads of this house",
        "limits": "It sees words, not what is meant by them.",
        "outputs": [{"category": code, "demand": strongest(code)} for code in codes],
    }
    return cards.dump(table, folder / f"{name}-{number}.toml")


def strongest(code: str) -> str:
    """What a listed term may ask for once there is an image: to block unseen only where the plan allows that at all."""
    plan = TriagePlan.objects.in_force()
    band = policies.parsed(plan).bands.get(code) if plan else None
    return "block" if code not in PEOPLE_ONLY and band is not None and band.block is not None else "review"


def next_number(name: str) -> int:
    versions = ClassifierVersion.objects.filter(name=name).values_list("version", flat=True)
    return max((int(version) for version in versions if version.isdecimal()), default=0) + 1
