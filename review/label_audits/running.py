"""An audit: asked for by a page or a command, done by a worker or there and then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from classifiers import registry
from classifiers.base import CardError
from classifiers.models import ClassifierVersion
from moderation import audit
from moderation.actors import HOUSE, Actor
from moderation.models import Status, Submission, User
from review.datasets import FilesGone, folder_of
from review.label_audits import telling
from review.models import Dataset, LabelAudit, LabelAuditOutcome, LabelSuspicion

if TYPE_CHECKING:
    from classifiers.label_audits.auditing import Audit, Suspect
    from classifiers.manifests import Manifest

GIVEN_UP: Final = timedelta(days=1)  # after so long nobody waits for an audit that never came about
KEPT: Final = 2000  # doubted labels, the most doubted first
CHUNK: Final = 1000
LOCK: Final = "SELECT pg_try_advisory_lock(hashtext('loupe.label_audit'), hashtext(%s))"
UNLOCK: Final = "SELECT pg_advisory_unlock(hashtext('loupe.label_audit'), hashtext(%s))"


class UnfitAudit(ValueError):
    """It cannot be audited like that; the message says why."""


@transaction.atomic
def ask(dataset: Dataset, *, actor: Actor, person: User | None = None, version: str = "") -> LabelAudit:
    """Afterwards the audit is on record; `run` does it. Raises UnfitAudit."""
    if version and not ClassifierVersion.objects.with_refs([version]).filter(kind="heads").exists():
        raise UnfitAudit(_("%(ref)s is not registered, or has no heads.") % {"ref": version})
    row = LabelAudit.objects.create(dataset=dataset, version=version, made_by=person, actor=str(actor)[:200])
    audit.record(audit.Entry(actor, "labels.audit_asked", subject(dataset), {"audit": str(row.pk), "version": version}))
    return row


def subject(dataset: Dataset) -> str:
    return f"dataset:{dataset.fingerprint}"


def pending() -> QuerySet[LabelAudit]:
    """Audits that were asked for lately and not done, oldest first."""
    recent = LabelAudit.objects.filter(made_at__gt=timezone.now() - GIVEN_UP)
    return recent.filter(outcome__isnull=True).order_by("id")


@contextmanager
def alone(key: UUID) -> Iterator[bool]:
    """Whether this process may do it: a minute's work is not done twice at once, and who dies lets go of it."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [str(key)])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute(UNLOCK, [str(key)])


def run(key: UUID) -> LabelAuditOutcome | None:
    """Afterwards what came of the audit is on record; None where another process is at it. Done, it stays as it is."""
    with alone(key) as mine:
        if not mine:
            return None
        row = LabelAudit.objects.select_related("dataset").get(pk=key)
        done = LabelAuditOutcome.objects.filter(audit=row).first()
        if done is not None:
            return done
        try:
            found = audited(read(row.dataset), version=row.version)
        except UnfitAudit as error:
            return keep_error(row, str(error))
        return keep(row, found)


def read(dataset: Dataset) -> Manifest:
    """Raises UnfitAudit."""
    from classifiers import manifests

    try:
        return manifests.read(folder_of(dataset))
    except (FilesGone, manifests.ManifestError) as error:
        raise UnfitAudit(str(error)) from error


def audited(manifest: Manifest, *, version: str = "") -> Audit:
    """Raises UnfitAudit."""
    from classifiers.fitting import FitError
    from classifiers.label_audits.auditing import CannotAudit, audit

    try:
        heads = registry.load_heads(registry.versions([version])[0]) if version else None
        return audit(manifest, version=version, heads=heads)
    except (CannotAudit, FitError, CardError) as error:
        raise UnfitAudit(str(error)) from error


def knows(version: str, fingerprint: str) -> bool:
    """Whether this version has learnt from this data set."""
    return bool(version) and (
        ClassifierVersion.objects.with_refs([version]).filter(manifest_fingerprint=fingerprint).exists()
    )


@transaction.atomic
def keep(row: LabelAudit, found: Audit) -> LabelAuditOutcome:
    """The outcome with its most doubted labels, as far as their images are here and not under legal hold."""
    figures = telling.figures(found, in_sample=knows(row.version, row.dataset.fingerprint))
    outcome = LabelAuditOutcome.objects.create(audit=row, figures=figures)
    doubted = [(UUID(one.submission), one) for one in found.suspects[: 2 * KEPT] if is_key(one.submission)]
    here = of_this_house([key for key, _one in doubted])
    rows = [suspicion(row, key, one) for key, one in doubted if key in here][:KEPT]
    for place, one in enumerate(rows, start=1):
        one.place = place
    LabelSuspicion.objects.bulk_create(rows, batch_size=CHUNK)
    said: dict[str, Any] = {"audit": str(row.pk), "labels": found.labels, "flagged": figures["flagged"]}
    audit.record(audit.Entry(HOUSE, "labels.audited", subject(row.dataset), said))
    return outcome


@transaction.atomic
def keep_error(row: LabelAudit, words: str) -> LabelAuditOutcome:
    said = {"audit": str(row.pk), "error": words}
    audit.record(audit.Entry(HOUSE, "labels.audited", subject(row.dataset), said))
    return LabelAuditOutcome.objects.create(audit=row, error=words)


def is_key(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def of_this_house(keys: Sequence[UUID]) -> set[UUID]:
    """Those of which there is an image here that is not under legal hold."""
    return {one.pk for at in range(0, len(keys), CHUNK) for one in shown(keys[at : at + CHUNK])}


def shown(keys: Sequence[UUID]) -> list[Submission]:
    return list(Submission.objects.filter(pk__in=keys).exclude(status=Status.QUARANTINED).only("pk", "status"))


def suspicion(row: LabelAudit, key: UUID, one: Suspect) -> LabelSuspicion:
    return LabelSuspicion(
        audit=row,
        submission_id=key,
        category=one.category,
        label=one.label,
        probability=one.probability,
        agreement=one.agreement,
        suspicion=one.suspicion,
        flagged=one.flagged,
    )


def run_pending() -> int:
    """Every audit that was asked for is done, or another process is at it; returns how many this one did."""
    return sum(run(key) is not None for key in list(pending().values_list("pk", flat=True)))
