"""Asking for an evaluation, and working the orders off: the row says what is to be done and how far it is."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from classifiers.base import CardError
from classifiers.models import ClassifierVersion
from moderation import admission, audit
from moderation.actors import Actor
from moderation.models import TriagePlan, User
from review.datasets import FilesGone, folder_of
from review.evaluations.declaring import checked
from review.evaluations.labelled import NothingToMeasure
from review.models import Dataset, Evaluation, EvaluationOrder, OrderState, Sample

if TYPE_CHECKING:
    from review.evaluations.labelled import Labelled
    from review.evaluations.measuring import Terms

log = logging.getLogger(__name__)
ABANDONED: Final = timedelta(minutes=30)
ATTEMPTS: Final = 3


class CannotEvaluate(Exception):
    """It cannot be measured like that; the message says why. Nothing was changed."""


def counterpart(version: ClassifierVersion) -> ClassifierVersion | None:
    """Whom it is held against: the version in service in one of its categories, of the same name first; where none is,
    who served there last. None where nobody ever did, or it is in service itself.
    """
    plan = TriagePlan.objects.in_force()
    if plan is not None and version.ref in plan.body["classifiers"]:
        return None
    before, _again = admission.predecessors(version)
    return before[0] if before else None


@transaction.atomic
def ask(
    person: User,
    candidate: ClassifierVersion,
    incumbent: ClassifierVersion | None,
    *,
    dataset: Dataset | None,
    split: str,
    alpha: float,
    delta: float,
    by: Sequence[str],
) -> EvaluationOrder:
    """Afterwards it waits for a worker. Raises CannotEvaluate or UnknownAttribute."""
    if not candidate.categories:
        raise CannotEvaluate(_("%(ref)s scores no category: there is nothing to measure.") % {"ref": candidate.ref})
    if incumbent == candidate:
        raise CannotEvaluate(_("A version cannot be held against itself."))
    if (dataset is None) != (split == Sample.GOLD):
        raise CannotEvaluate(_("Choose a split of a data set, or the gold items."))
    if not (0 < alpha < 1 and 0 < delta < 1):
        raise CannotEvaluate(_("The limit and the doubt lie between 0 and 1."))
    order = EvaluationOrder.objects.create(
        candidate=candidate,
        incumbent=incumbent,
        dataset=dataset,
        split=split,
        alpha=alpha,
        delta=delta,
        by=list(checked(by)),
        asked_by=person,
    )
    record("evaluation.asked", Actor.person(person), order.candidate, order.incumbent, order.dataset, split)
    return order


def work_off() -> int:
    """Every order that waits, and those whose worker did not come back; returns how many were taken."""
    taken = 0
    while (order := take()) is not None:
        work(order)
        taken += 1
    return taken


@transaction.atomic
def take() -> EvaluationOrder | None:
    """The oldest, for this worker alone; one that three workers did not come back from is given up."""
    now = timezone.now()
    lost = Q(state=OrderState.RUNNING, started_at__lt=now - ABANDONED)
    free = EvaluationOrder.objects.filter(Q(state=OrderState.WAITING) | lost).order_by("id")
    order = free.select_for_update(skip_locked=True, of=("self",)).first()
    if order is None:
        return None
    if order.attempts >= ATTEMPTS:
        order.state, order.why = OrderState.FAILED, _("Its workers ended before it was measured; it may be too large.")
    else:
        order.state, order.started_at, order.attempts = OrderState.RUNNING, now, order.attempts + 1
    order.save(update_fields=["state", "started_at", "attempts", "why"])
    return order


def work(order: EvaluationOrder) -> Evaluation | None:
    """Afterwards it is done, or says why it failed."""
    from classifiers.embeddings import EmbeddingError
    from classifiers.manifests import ManifestError

    if order.state != OrderState.RUNNING:
        return None
    try:
        return done(order, figures_of(order))
    except (CardError, ManifestError, EmbeddingError, FilesGone, NothingToMeasure) as error:
        fail(order, str(error))
    except Exception:
        log.exception("evaluation %s could not be measured", order.pk)
        fail(order, _("Something broke on our side; the log says what."))
        raise
    return None


def figures_of(order: EvaluationOrder) -> dict[str, Any]:
    from review.evaluations.measuring import Terms

    terms = Terms(alpha=order.alpha, delta=order.delta, by=order.by, plan=TriagePlan.objects.in_force())
    return figures(order.candidate, order.incumbent, dataset=order.dataset, split=order.split, terms=terms)


def figures(
    candidate: ClassifierVersion,
    incumbent: ClassifierVersion | None,
    *,
    dataset: Dataset | None,
    split: str,
    terms: Terms,
) -> dict[str, Any]:
    """Of gold items without a `dataset`. Raises as `measuring.measure` does, FilesGone or ManifestError."""
    from classifiers import manifests
    from review.evaluations import labelled, measuring

    manifest = None
    if dataset is None:
        rows: Labelled = labelled.of_gold(candidate.categories)
    else:
        manifest = manifests.read(folder_of(dataset))
        rows = labelled.of_manifest(manifest, split)
    return measuring.measure(candidate, incumbent, rows, terms=terms, at_hand=manifest)


@transaction.atomic
def done(order: EvaluationOrder, measured: dict[str, Any]) -> Evaluation | None:
    """Kept, unless the order was taken by another meanwhile."""
    mine = EvaluationOrder.objects.filter(pk=order.pk, state=OrderState.RUNNING, attempts=order.attempts)
    if not mine.update(state=OrderState.DONE):
        return None
    return keep(
        measured,
        order.candidate,
        order.incumbent,
        dataset=order.dataset,
        split=order.split,
        actor=Actor.person(order.asked_by),
        person=order.asked_by,
        order=order,
    )


@transaction.atomic
def keep(
    measured: dict[str, Any],
    candidate: ClassifierVersion,
    incumbent: ClassifierVersion | None,
    *,
    dataset: Dataset | None,
    split: str,
    actor: Actor,
    person: User | None = None,
    order: EvaluationOrder | None = None,
) -> Evaluation:
    row = Evaluation.objects.create(
        order=order,
        candidate=candidate,
        incumbent=incumbent,
        dataset=dataset,
        split=split,
        plan=TriagePlan.objects.filter(number=measured["plan"]).first() if measured["plan"] else None,
        figures=measured,
        made_by=person,
    )
    record("evaluation.made", actor, candidate, incumbent, dataset, split, evaluation=str(row.pk))
    return row


def fail(order: EvaluationOrder, why: str) -> None:
    mine = EvaluationOrder.objects.filter(pk=order.pk, state=OrderState.RUNNING, attempts=order.attempts)
    mine.update(state=OrderState.FAILED, why=why[:2000])


def latest(candidate: ClassifierVersion) -> Evaluation | None:
    """The newest of labels that the version was not taught: a test split or gold."""
    kept = Evaluation.objects.filter(candidate=candidate, split__in=[Sample.TEST, Sample.GOLD])
    return kept.select_related("incumbent", "dataset", "plan").order_by("-id").first()


def evaluation_of(order: UUID) -> Evaluation | None:
    return Evaluation.objects.filter(order=order).first()


def record(
    action: str,
    actor: Actor,
    candidate: ClassifierVersion,
    incumbent: ClassifierVersion | None,
    dataset: Dataset | None,
    split: str,
    **more: Any,
) -> None:
    said = {"against": incumbent.ref if incumbent else None, "dataset": dataset.fingerprint if dataset else None}
    audit.record(audit.Entry(actor, action, f"classifier:{candidate.ref}", {**said, "split": split, **more}))
