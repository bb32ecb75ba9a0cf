"""How long the files of a data set are kept. Its row, its card, its fingerprint and whose images were in it stay.

What is to read a data set has a row that points to it, and so holds a lock on the data set's own until it is committed:
files go before that or after everything that waits or runs has ended, never in between.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from shutil import rmtree
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from moderation import audit
from moderation.actors import HOUSE
from moderation.models import User
from review import datasets
from review.exports.asking import record
from review.models import Dataset, EvaluationOrder, Export, ExportState, LabelAudit, Training

STAYS: Final = frozenset({datasets.CARD, datasets.WORDS, datasets.MEMBERS})
BATCH: Final = 500  # exports whose files go, and of which what was left is swept, in one night


class NotDone(Exception):
    """It has no files, or no longer; nothing was changed. Reload the page."""


def due(row: Export) -> datetime | None:
    """When its files will go if nobody uses them meanwhile; None where they are kept, or there are none."""
    if not settings.EXPORT_DAYS or row.state != ExportState.DONE or row.pinned_by_id or row.files_removed_at:
        return None
    used = [row.ended_at, *(last_uses(row.dataset_id) if row.dataset_id else [])]
    return max(at for at in used if at) + timedelta(days=settings.EXPORT_DAYS)


def last_uses(dataset: UUID) -> list[datetime | None]:
    """When a training, an evaluation or an audit of labels was last asked for on it, or the training ended."""
    trained = Training.objects.filter(dataset=dataset).order_by("-id").values_list("asked_at", "ended_at").first()
    measured = EvaluationOrder.objects.filter(dataset=dataset).order_by("-id").values_list("asked_at", flat=True)
    audited = LabelAudit.objects.filter(dataset=dataset).order_by("-id").values_list("made_at", flat=True)
    return [*(trained or ()), measured.first(), audited.first()]


def busy(dataset: Dataset) -> bool:
    """Whether anything that reads it waits or runs."""
    return (
        Training.objects.filter(dataset=dataset, state__in=Training.OPEN).exists()
        or EvaluationOrder.objects.filter(dataset=dataset, state__in=EvaluationOrder.OPEN).exists()
        or LabelAudit.objects.filter(dataset=dataset, outcome__isnull=True).exists()
    )


def remove_old() -> int:
    """Afterwards the files of exports whose time has come are gone; how many exports that were."""
    removed = 0
    if settings.EXPORT_DAYS:
        before = timezone.now() - timedelta(days=settings.EXPORT_DAYS)
        old = Export.objects.filter(state=ExportState.DONE, files_removed_at=None, pinned_by=None, ended_at__lt=before)
        for key in list(old.order_by("id").values_list("pk", flat=True)):  # those in use hold up none behind them
            removed += remove(key)
            if removed == BATCH:
                break
    gone = Export.objects.filter(files_removed_at__isnull=False).order_by("-files_removed_at")
    for key in gone.values_list("pk", flat=True)[:BATCH]:
        sweep(key)  # again, where somebody was killed at it
    return removed


@transaction.atomic
def remove(key: UUID) -> bool:
    """Whether its time has come: then nobody is given its files any more, and they go once that is committed."""
    row = Export.objects.select_related("dataset").get(pk=key)
    if row.dataset is None:
        return False
    Dataset.objects.select_for_update().get(pk=row.dataset.pk)
    row = Export.objects.select_for_update(of=("self",)).select_related("dataset", "asked_by").get(pk=key)
    at = due(row)
    if at is None or at > timezone.now() or row.dataset is None or busy(row.dataset):
        return False
    Export.objects.filter(pk=key).update(files_removed_at=timezone.now())
    said = {"dataset": row.dataset.fingerprint, "days": settings.EXPORT_DAYS}
    audit.record(audit.Entry(HOUSE, "export.removed", f"export:{key}", said))
    transaction.on_commit(lambda: sweep(key))
    return True


def sweep(key: UUID) -> None:
    """Afterwards only what STAYS lies in the folder of an export whose files were removed."""
    folder = datasets.room_of(key)
    (folder / datasets.MANIFEST).unlink(missing_ok=True)  # first: without it nobody takes the rest for a data set
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_dir():
            rmtree(path, ignore_errors=True)
        elif path.name not in STAYS:
            path.unlink(missing_ok=True)


@transaction.atomic
def pin(key: UUID, person: User) -> None:
    """Afterwards its files are kept, however old. Raises Export.DoesNotExist or NotDone."""
    change(key, person, "export.pinned", pinned_by=person)


@transaction.atomic
def unpin(key: UUID, person: User) -> None:
    """Afterwards its files go when their time has come. Raises Export.DoesNotExist or NotDone."""
    change(key, person, "export.unpinned", pinned_by=None)


def change(key: UUID, person: User, action: str, *, pinned_by: User | None) -> None:
    row = Export.objects.get(pk=key)
    here = Export.objects.filter(pk=key, state=ExportState.DONE, files_removed_at=None)
    if not here.update(pinned_by=pinned_by):
        raise NotDone(_("Its files are not here. Reload the page."))
    record(row, person, action)
