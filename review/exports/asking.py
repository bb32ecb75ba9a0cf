"""To ask for a data set, and to call it off."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from moderation import audit
from moderation.actors import Actor
from moderation.models import User
from review.labels.queries import Query
from review.models import Export, ExportState

MOST_OPEN: Final = 5  # of one person


class TooMany(Exception):
    """Wait until one is done, or cancel it; nothing was asked for."""


class NotOver(Exception):
    """It is still in the making; nothing was asked for."""


class NotOpen(Exception):
    """It is over already; nothing was changed. Reload the page."""


@transaction.atomic
def ask(person: User, *, query: Query, kind: str, format: str) -> Export:
    """Afterwards it waits for a worker. What is decided from now on is not in it. Raises TooMany."""
    return add(person, query=query.as_json(), kind=kind, format=format)


@transaction.atomic
def ask_again(key: UUID, person: User) -> Export:
    """Afterwards the same query waits for a worker, over what was decided up to the same moment: the same fingerprint
    comes of it unless something of it may not leave any more. Raises Export.DoesNotExist, NotOver, TooMany.
    """
    row = Export.objects.get(pk=key)
    if row.state in Export.OPEN:
        raise NotOver(_("It is still in the making."))
    return add(person, query=row.query, kind=row.kind, format=row.format, asked_at=row.asked_at)


def add(person: User, *, query: dict[str, Any], kind: str, format: str, **more: Any) -> Export:
    User.objects.select_for_update(no_key=True).get(pk=person.pk)  # so that five at once are counted
    if Export.objects.filter(asked_by=person, state__in=Export.OPEN).count() >= MOST_OPEN:
        words = _("%(most)d data sets of yours are in the making. Wait for one, or cancel it.")
        raise TooMany(words % {"most": MOST_OPEN})
    row = Export.objects.create(kind=kind, format=format, query=query, asked_by=person, **more)
    record(row, person, "export.asked")
    return row


@transaction.atomic
def cancel(key: UUID, person: User) -> None:
    """Afterwards no worker goes on with it, and what was written goes. Raises Export.DoesNotExist or NotOpen."""
    row = Export.objects.get(pk=key)
    stopped = Export.objects.filter(pk=key, state__in=Export.OPEN)
    if not stopped.update(state=ExportState.CANCELLED, ended_at=timezone.now()):
        raise NotOpen(_("It is over by now. Reload the page."))
    record(row, person, "export.cancelled")


def record(row: Export, person: User, action: str) -> None:
    said = {"kind": row.kind, "format": row.format, "query": row.query}
    audit.record(audit.Entry(Actor.person(person), action, f"export:{row.pk}", said))
