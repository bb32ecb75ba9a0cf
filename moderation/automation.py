"""Stopping automation: from the next batch on, a person decides what a machine would have.

The rows are the truth and every batch of triage reads them once, right before it routes: no worker goes on for longer
than it takes to write down a batch. What demands a legal hold is held all the same, and what is settled stays so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from moderation import audit
from moderation.actors import Actor
from moderation.models import AutomationStop, Client, StopAction, User
from moderation.stops import Stops
from moderation.taxonomy import Category

LONGEST: Final = 2000


class UnfitStop(ValueError):
    """It cannot be stopped, or lifted, like that; the message says why. Nothing was changed."""


def stop(
    actor: Actor,
    *,
    category: str = "",
    action: str = "",
    client: Client | None = None,
    reason: str,
    person: User | None = None,
) -> AutomationStop:
    """Afterwards no machine does `action` ("": neither approves nor blocks) in `category` ("": in any) with what
    `client` sends (None: with what anybody sends): a person does.

    To stop approving in a category sends every image that is scored in it to people, unless something else blocks it.
    What is stopped already stays so, under its first reason. Raises UnfitStop.
    """
    check(category, action)
    why = told(reason)
    try:
        with transaction.atomic():
            row = AutomationStop.objects.create(
                category=category,
                action=action,
                client=client,
                reason=why,
                stopped_by=actor.label[:200],
                stopped_by_person=person,
            )
            record("automation.stopped", row, actor, reason=why)
    except IntegrityError:
        found = standing().filter(category=category, action=action, client=client).first()
        if found is None:  # lifted in this very moment
            return stop(actor, category=category, action=action, client=client, reason=reason, person=person)
        return found
    return row


@transaction.atomic
def lift(
    actor: Actor, *, category: str = "", action: str = "", client: Client | None = None, reason: str
) -> AutomationStop:
    """Afterwards the stop of exactly this is over; others stay. Raises UnfitStop where there is none."""
    why = told(reason)
    rows = standing().select_for_update(of=("self",), no_key=True)
    row = rows.filter(category=category, action=action, client=client).first()
    if row is None:
        raise UnfitStop(_("This is not stopped (any more); nothing was changed."))
    row.lifted_by, row.lifted_at, row.lifted_because = actor.label[:200], timezone.now(), why
    row.save(update_fields=["lifted_by", "lifted_at", "lifted_because"])
    record("automation.resumed", row, actor, reason=why)
    return row


@dataclass(frozen=True, slots=True)
class Standing:
    """What is stopped now: for every client, and besides for single ones."""

    everywhere: Stops
    clients: Mapping[UUID, Stops] = field(default_factory=dict)

    def of(self, client: UUID) -> Stops:
        return self.clients.get(client, self.everywhere)


def stopped_now() -> Standing:
    """One query, of next to nothing."""
    pairs: dict[UUID | None, set[tuple[str, str]]] = {None: set()}
    for client, category, action in standing().order_by().values_list("client_id", "category", "action"):
        pairs.setdefault(client, set()).add((category, action))
    own = {client: Stops(frozenset(said | pairs[None])) for client, said in pairs.items() if client is not None}
    return Standing(Stops(frozenset(pairs[None])), own)


def stopped() -> Stops:
    """What is stopped now for every client."""
    return stopped_now().everywhere


def standing() -> QuerySet[AutomationStop]:
    """The stops in force, newest first."""
    return AutomationStop.objects.filter(lifted_at__isnull=True).select_related("client")


def check(category: str, action: str) -> None:
    if category and category not in Category.values:
        raise UnfitStop(_("“%(category)s” is not in the taxonomy.") % {"category": category})
    if action not in StopAction.values:
        raise UnfitStop(_("What can be stopped is approving, blocking, or both."))


def told(reason: str) -> str:
    words = reason.replace("\x00", "").strip()
    if not words:
        raise UnfitStop(_("Say why: it stands in the audit log."))
    return words[:LONGEST]


def record(act: str, row: AutomationStop, actor: Actor, **more: str) -> None:
    named = {"client": row.client.slug} if row.client else {}
    data = {"category": row.category, "action": row.action, **named, "stop": str(row.pk), **more}
    audit.record(audit.Entry(actor, act, "automation", data))
