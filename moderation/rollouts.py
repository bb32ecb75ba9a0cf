"""Trying a plan on a share of the traffic before all of it follows.

Which images those are, a keyed hash of their ids says: repeatable by us, unpredictable to others, and drawn anew for
each rollout. A plan published meanwhile changes what the rest follows; the rollout goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from moderation import audit, policies
from moderation.actors import Actor
from moderation.admission import Past
from moderation.models import Rollout, RolloutEnd, TriagePlan, User
from moderation.plans import PlanError


class CannotRollOut(Exception):
    """Nothing was changed; the message says what is in the way."""


def running() -> Rollout | None:
    """The rollout that runs, with its candidate. One query."""
    return Rollout.objects.filter(ended_at__isnull=True).select_related("candidate").first()


def lot(rollout: UUID, submission: UUID) -> float:
    """Where an image falls in [0, 1); those below the share follow the candidate."""
    digest = salted_hmac("loupe.rollout", f"{rollout}/{submission}", algorithm="sha256").digest()
    return int.from_bytes(digest[:8]) / 2**64


@transaction.atomic
def begin(
    body: Mapping[str, Any],
    share: float,
    *,
    note: str,
    actor: Actor,
    person: User | None = None,
    based_on: int | None,
    past: Past | None = None,
) -> Rollout:
    """Afterwards this share of new images follows the candidate. Raises CannotRollOut while another one runs,
    GateClosed, PlanError or Outdated.
    """
    if not 0 < share < 1:
        raise PlanError(_("The share of a rollout lies between 0 and 1."))
    policies.hold_publishing()
    if running() is not None:
        raise CannotRollOut(_("Another rollout runs. Adopt or drop it first."))
    plan = policies.publish_plan(
        body, note=note, actor=actor, person=person, based_on=based_on, candidate={"share": share}, past=past
    )
    return Rollout.objects.create(candidate=plan, share=share, started_by=person)


@transaction.atomic
def adopt(key: UUID, *, actor: Actor, person: User | None = None, why: str = "") -> TriagePlan:
    """Afterwards everything follows what the candidate says, as a new version. Raises CannotRollOut, GateClosed
    or PlanError.
    """
    rollout = locked(key)
    note = why or _("Adopts candidate %(number)d after a rollout to %(share)g %%.") % {
        "number": rollout.candidate.number,
        "share": round(rollout.share * 100, 2),
    }
    plan = policies.publish_plan(rollout.candidate.body, note=note, actor=actor, person=person)
    ended(rollout, RolloutEnd.ADOPTED, actor, why, plan)
    return plan


@transaction.atomic
def drop(key: UUID, *, actor: Actor, why: str) -> None:
    """Afterwards everything follows the plan in force. Raises CannotRollOut."""
    policies.hold_publishing()
    ended(locked(key), RolloutEnd.DROPPED, actor, why, None)


def locked(key: UUID) -> Rollout:
    rollout = Rollout.objects.select_for_update(of=("self",), no_key=True).filter(pk=key, ended_at=None).first()
    if rollout is None:
        raise CannotRollOut(_("This rollout has ended already."))
    return rollout


def ended(rollout: Rollout, end: RolloutEnd, actor: Actor, why: str, adopted: TriagePlan | None) -> None:
    rollout.end, rollout.ended_at, rollout.ended_by = end, timezone.now(), actor.label[:200]
    rollout.why, rollout.adopted = why.replace("\x00", "").strip()[:2000], adopted
    rollout.save(update_fields=["end", "ended_at", "ended_by", "why", "adopted"])
    number = rollout.candidate.number
    data = {"candidate": number, "share": rollout.share, "why": rollout.why}
    audit.record(audit.Entry(actor, f"plan.rollout_{end.value}", f"plan:{number}", data))
