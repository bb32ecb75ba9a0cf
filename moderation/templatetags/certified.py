"""Whether a band of a plan is certified."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.utils import timezone

from moderation import guarantees
from moderation.models import BandCertificate
from moderation.plans import Band

register = template.Library()


@register.simple_tag
def certificates_in_force() -> Sequence[BandCertificate]:
    """Once a page; few queries, whatever their number."""
    return guarantees.standing(timezone.now())


@register.inclusion_tag("marks/certified.html")
def certified(category: str, band: Band, standing: Sequence[BandCertificate]) -> dict[str, Any]:
    """A seal for each certificate of the category, which says whether the band's cut lies on its safe side."""
    cuts = {"FOR": band.approve, "FDR": band.block}
    own = [(row, cuts[row.risk]) for row in standing if row.category == category]
    return {"seals": [(row, is_covered(row, cut)) for row, cut in own if cut is not None]}


def is_covered(row: BandCertificate, cut: float) -> bool:
    """Where all audits lie inside, no cut holds more of them than were tested."""
    return row.n == row.audits or (cut <= row.threshold if row.risk == "FOR" else cut >= row.threshold)
