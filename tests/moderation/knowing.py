"""How tests arrange banks of known images, and images that meet them."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from classifiers import hashes
from classifiers.scenes import draw
from moderation.actors import Actor
from moderation.banks import keeping
from moderation.banks.fingerprints import Fingerprint
from moderation.first_edition import bands, register_signals
from moderation.models import Bank, BankAction, BankEntry, TriagePlan
from moderation.taxonomy import Category
from tests import world

COMMAND = Actor.command("test")


def plan_with_banks(*refs: str, **body: Any) -> TriagePlan:
    """A plan over all categories that pins the banks of known images."""
    known = [ref for ref in register_signals() if ref.startswith("hashes@")]
    return world.publish(*refs, *known, bands=bands(), **body)


def scene(seed: int, *, side: int = 512) -> Image.Image:
    """A drawn, harmless picture with structure enough for a hash."""
    return draw(seed, size=side, hardness=0.3).image


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def copied(image: Image.Image) -> bytes:
    """Half the size, saved again as JPEG at quality 60."""
    return encoded(image.resize((image.width // 2, image.height // 2)), "JPEG", quality=60)


def bank(
    name: str = "Old acquaintances",
    *,
    category: Category = Category.WEAPONS_DANGEROUS,
    action: BankAction = BankAction.BLOCK,
    **told: Any,
) -> Bank:
    return keeping.create(name, category=category, action=action, actor=COMMAND, **told)


def fingerprint(image: Image.Image, **given: Any) -> Fingerprint:
    pdq, quality = hashes.pdq(image)
    return Fingerprint(**{"pdq": pdq, "quality": quality, **given})


def learnt(bank: Bank, *known: Fingerprint) -> list[BankEntry]:
    added = keeping.add(bank, known, actor=COMMAND)
    return list(BankEntry.objects.filter(pk__in=added.ids).order_by("pk"))
