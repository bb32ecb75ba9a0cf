"""Who judges unaided: which requests are shown without what the machines said, and how much is checked at all.

Checks (audit samples, gold items, second opinions) and what is drawn to learn from must not be known as such, so they
look like a share of ordinary uncertain images, drawn by a keyed hash, that are shown unaided too. What a known image, a
rule, a report or an appeal brings up is never among those: there the reason is what has to be looked at. Once somebody
has voted and passed it on to the seniors, the machines may speak.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from moderation import audit
from moderation.actors import Actor
from moderation.models import Reason, ReviewRequest, User
from review.models import QualityRules

CHECKS: Final = frozenset({Reason.AUDIT_SAMPLE, Reason.GOLD, Reason.SECOND_OPINION, Reason.LEARNING})
SHOWN_AS: Final = Reason.POLICY  # what every unaided request says it is: the plan asks for a person
MOST_GOLD: Final = 0.25
KEPT_SECONDS: Final = 10.0  # a change reaches every process within that


class UnfitRules(ValueError):
    """A share is none; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Shares in [0, 1]: `gold` of what people are given, `unaided` of uncertain images; 1: all. There is no evidence
    for exact numbers; 2–5 % gold is customary.
    """

    gold: float
    unaided: float


_kept: list[tuple[float, Rules]] = []


def in_force() -> Rules:
    """The newest edition, else what the settings say. Read from the database every ten seconds at most, for each claim
    asks.
    """
    now = time.monotonic()
    if _kept and now - _kept[-1][0] < KEPT_SECONDS:
        return _kept[-1][1]
    row = QualityRules.objects.order_by("-id").first()
    found = Rules(row.gold_share, row.unaided_share) if row else Rules(settings.GOLD_SHARE, settings.UNAIDED_SHARE)
    _kept[:] = [(now, found)]
    return found


def forget() -> None:
    """The next question reads the database."""
    _kept.clear()


@transaction.atomic
def change(person: User, *, gold: float, unaided: float) -> QualityRules:
    """Afterwards these shares hold, for everybody. Raises UnfitRules."""
    for value, most in ((gold, MOST_GOLD), (unaided, 1.0)):
        if not math.isfinite(value) or not 0 <= value <= most:
            raise UnfitRules(_("This share lies between 0 and %(most)d %%.") % {"most": round(100 * most)})
    row = QualityRules.objects.create(gold_share=gold, unaided_share=unaided, made_by=person)
    transaction.on_commit(forget)
    said = {"gold": gold, "unaided": unaided}
    audit.record(audit.Entry(Actor.person(person), "quality.rules", "quality:rules", said))
    return row


def lot(purpose: str, key: UUID) -> float:
    """In [0, 1): a keyed hash, repeatable by us and unpredictable to others."""
    return int.from_bytes(salted_hmac(f"loupe.{purpose}", str(key), algorithm="sha256").digest()[:8]) / 2**64


def is_unaided(request: ReviewRequest) -> bool:
    """Whether scores, reasons and status stay hidden until this person's vote. The same every time, while the rules
    stay the same.
    """
    if request.reason in CHECKS:
        return True
    if request.reason != Reason.UNCERTAIN or request.queue == "escalated":
        return False
    share = in_force().unaided
    return share >= 1 or (share > 0 and lot("unaided", request.pk) < share)
