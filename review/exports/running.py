"""A worker at a data set: leased, piece by piece, each counted in the row once it lies on disk.

A worker that is killed leaves a lease that runs out; who comes next goes on behind the last piece that was counted. One
that comes back late finds that the lease is another's and stops.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from moderation.actors import Actor
from review.datasets import ROOM
from review.exports import parts
from review.labels.queries import ALBUMS, NothingToExport, Query
from review.labels.reading import FIRST, LAST
from review.labels.selecting import Asked
from review.labels.streaming import pieces
from review.labels.surveys import survey
from review.labels.writing import Order, register, write
from review.models import Export, ExportState

if TYPE_CHECKING:
    from classifiers.manifests import Manifest

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=60)
BACK_OFF: Final = timedelta(seconds=20)
MOST_ATTEMPTS: Final = 6
TOTAL: Final = "SELECT count(*) FROM review_decision WHERE decided_at <= %s"
COPIES: Final = 20  # decisions that copying one image counts for, where progress is told


class Lost(Exception):
    """Somebody cancelled it, or another worker holds it: whoever is here stops."""


@dataclass(slots=True)
class Lease:
    """One worker's hold of one export; `token` tells it from everyone else's."""

    row: Export
    token: int

    def beat(self, **fields: Any) -> None:
        """The row says so, and is ours for a while longer. Raises Lost, and then nothing was changed."""
        mine = Export.objects.filter(pk=self.row.pk, attempts=self.token, state=ExportState.RUNNING)
        if not mine.update(leased_until=timezone.now() + LEASE, **fields):
            raise Lost


def at_work() -> list[UUID]:
    """Exports that a worker may take."""
    waiting = Export.objects.filter(state__in=Export.OPEN, leased_until__lte=timezone.now())
    return list(waiting.order_by("id").values_list("pk", flat=True))


def work_off(key: UUID) -> bool:
    """Afterwards it is done, or failed, or somebody else's; whether it is done. Calling it twice at once does nothing
    twice.
    """
    lease = take(key)
    if lease is None:
        return False
    try:
        run(lease)
    except Lost:
        tidy(key)
        return False
    except NothingToExport as nothing:
        fail(lease, str(nothing))
        return False
    except Exception as error:
        logger.exception("Export %s stopped", key)
        if lease.token >= MOST_ATTEMPTS:
            fail(lease, f"{type(error).__name__}: {error}"[:2000])
        else:
            mine = Export.objects.filter(pk=key, attempts=lease.token, state=ExportState.RUNNING)
            mine.update(leased_until=timezone.now() + BACK_OFF)
        return False
    return True


def take(key: UUID) -> Lease | None:
    now = timezone.now()
    free = Export.objects.filter(pk=key, state__in=Export.OPEN, leased_until__lte=now)
    if not free.update(state=ExportState.RUNNING, attempts=F("attempts") + 1, leased_until=now + LEASE):
        return None
    row = Export.objects.select_related("asked_by").get(pk=key)
    if row.attempts > MOST_ATTEMPTS:
        fail(Lease(row, row.attempts), "Its worker died each time.")
        return None
    return Lease(row, row.attempts)


def run(lease: Lease) -> None:
    """Raises Lost or NothingToExport."""
    row, key = lease.row, lease.row.pk
    asked = Asked.at(Query.read(row.query), row.asked_at)
    if not row.total:
        row.total = decisions(row)
        lease.beat(total=row.total)
    found = survey(asked)
    lease.beat()
    refused = Counter[str](row.refused)
    if row.position != LAST:
        for piece in pieces(asked, found, after=row.position or FIRST):
            parts.keep(key, row.parts, piece)
            refused += piece.refused
            row.parts, row.rows, row.done = row.parts + 1, row.rows + piece.rows.num_rows, row.done + piece.decisions
            row.position, row.refused = piece.last, dict(refused)
            names = ("parts", "rows", "done", "position", "refused")
            lease.beat(**{name: getattr(row, name) for name in names})
    finish(lease, Order(asked, found, row.format, row.kind, tick=partial(tell, lease)))


def decisions(row: Export) -> int:
    with connection.cursor() as cursor:
        cursor.execute(TOTAL, [row.asked_at])
        count = int(cursor.fetchone()[0])
    return count * (1 + COPIES) if row.format in ALBUMS else count


def tell(lease: Lease, images: int) -> None:
    lease.beat(done=min(lease.row.total, lease.row.done + COPIES * images))


def finish(lease: Lease, order: Order) -> None:
    """From parts to files: done anew, should it be cut short."""
    row, key = lease.row, lease.row.pk

    def stream() -> Iterator[Any]:
        for each in parts.read(key, row.parts):
            lease.beat()
            yield each

    manifest = write(stream, parts.folder(key), order=order, refused=row.refused)
    lease.beat()
    close(lease, manifest, order)
    parts.drop_parts(key)


@transaction.atomic
def close(lease: Lease, manifest: Manifest, order: Order) -> None:
    row = lease.row
    dataset = register(
        manifest,
        query=order.asked.query,
        actor=Actor.person(row.asked_by),
        person=row.asked_by,
        folder=f"{ROOM}/{row.pk}",
    )
    rows, refused = manifest.index["counts"]["rows"], manifest.index["refused"]
    ended = {"state": ExportState.DONE, "ended_at": timezone.now()}
    lease.beat(dataset=dataset, rows=rows, refused=refused, done=row.total, **ended)


def fail(lease: Lease, words: str) -> None:
    mine = Export.objects.filter(pk=lease.row.pk, attempts=lease.token, state=ExportState.RUNNING)
    if mine.update(state=ExportState.FAILED, error=words, ended_at=timezone.now()):
        parts.drop(lease.row.pk)


def tidy(key: UUID | None = None) -> int:
    """The files of what was cancelled go, once no worker can still be at them."""
    over = Export.objects.filter(state=ExportState.CANCELLED)
    over = over.filter(pk=key) if key else over.filter(leased_until__lte=timezone.now()).order_by("-id")[:200]
    dropped = 0
    for one in over.values_list("pk", flat=True):
        if parts.folder(one).exists():
            parts.drop(one)
            dropped += 1
    return dropped
