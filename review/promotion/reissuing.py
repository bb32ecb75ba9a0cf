"""Certificates that a change of versions ended, asked of the audits again: each on the terms it had."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from moderation import guarantees
from moderation.actors import Actor
from moderation.guarantees import Unproven
from moderation.models import BandCertificate, User
from moderation.taxonomy import Category
from moderation.wording import category_name
from review import certifying
from review.certifying import Assessment, Family


@dataclass(slots=True)
class Reissue:
    """What was stored anew, and why each of the others was not."""

    made: list[BandCertificate] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@transaction.atomic
def reissue(*, actor: Actor, person: User | None = None) -> Reissue:
    """Afterwards every outgrown certificate that the audits of the versions now in service prove is stored anew, with
    its limit, doubt and what an alarm does; those made at once are tested at once. A version that looked on from the
    shadow has audits from then, for it was heard of the same images.
    """
    found = Reissue()
    for rows in together(guarantees.outgrown(timezone.now())):
        first = rows[0]
        delta = first.family_delta if first.family_delta is not None else first.delta
        codes = [Category(one.category) for one in rows]
        try:
            family = certifying.assess_all(codes, risk=first.risk, alpha=first.alpha, delta=delta)  # type: ignore[arg-type]
        except Unproven as refusal:
            found.refused.append(str(refusal))
            continue
        found.refused += missing(family)
        if family.certified:
            found.made += certifying.keep_all(family, actor=actor, person=person, falls_back=first.falls_back)
    return found


def together(rows: Sequence[BandCertificate]) -> Iterator[list[BandCertificate]]:
    """Those of one family, which hold at once; any other by itself."""
    families: dict[object, list[BandCertificate]] = {}
    for one in rows:
        families.setdefault((one.family, one.risk, one.falls_back) if one.family else one.pk, []).append(one)
    yield from families.values()


def missing(family: Family) -> Iterator[str]:
    for code, why in family.refused.items():
        yield f"{category_name(code)}: {why}"
    for one in family.made:
        if one.found.threshold is None:
            yield f"{category_name(one.category)}: {needed(one)}"


def needed(one: Assessment) -> str:
    if one.need.audits is None:
        return _("at the rate seen no number of audits would show it.")
    words = ngettext("%(n)d more audit is needed.", "%(n)d more audits are needed.", one.need.audits)
    return words % {"n": one.need.audits}
