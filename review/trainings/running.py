"""A training at work. Whoever comes goes on where row and checkpoints say."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from moderation.actors import HOUSE
from review import datasets
from review.models import Training, TrainingKind, TrainingState
from review.trainings.asking import parse, record
from review.trainings.watching import Lost, RowWatch

if TYPE_CHECKING:
    from classifiers.retraining import Retraining

log = logging.getLogger(__name__)
MOST_ATTEMPTS: Final = 3


def next_free() -> UUID | None:
    """The training to take up next, if any."""
    return Training.objects.free().values_list("pk", flat=True).first()


def work_off(training_id: UUID) -> str:
    """Train it to its end, and return the state it is in then; "" where somebody else has it. Calling it twice at once
    does nothing twice.
    """
    from classifiers.progress import Cancelled

    row = claim(training_id)
    if row is None:
        return ""
    try:
        with RowWatch(row, folder_of(row)) as watch:
            result = trained(row, watch)
        return end(row, TrainingState.DONE, version=result.version, skipped=result.skipped, words=result.summary())
    except Lost:
        return ""
    except Cancelled:
        return end(row, TrainingState.CANCELLED)
    except refusals() as error:
        return end(row, TrainingState.FAILED, words=str(error))
    except Exception as error:
        log.exception("training %s failed", row.pk)
        return end(row, TrainingState.FAILED, words=f"{type(error).__name__}: {error}")


def refusals() -> tuple[type[Exception], ...]:
    """What is no fault of the house: labels, recipes and files that do not do."""
    from classifiers.base import CardError
    from classifiers.embeddings import EmbeddingError
    from classifiers.fitting import FitError
    from classifiers.manifests import ManifestError
    from classifiers.prompts.examples import ExampleError
    from classifiers.training import TrainingError

    return (
        CardError,
        EmbeddingError,
        ExampleError,
        FitError,
        ManifestError,
        TrainingError,
        datasets.FilesGone,
    )


@transaction.atomic
def claim(training_id: UUID) -> Training | None:
    """Afterwards it runs here, under the next number. None where it is not free; what was to be stopped, or has killed
    its worker too often, is ended instead.
    """
    row = Training.objects.free().select_for_update(of=("self",), skip_locked=True).filter(pk=training_id).first()
    if row is None:
        return None
    if row.cancelled_by_id is not None:
        end(row, TrainingState.CANCELLED)
        return None
    if row.attempts >= MOST_ATTEMPTS:
        words = _("Its process ended %(n)d times without a word: it wants more memory than there is, most likely.")
        end(row, TrainingState.FAILED, words=words % {"n": row.attempts})
        return None
    now = timezone.now()
    Training.objects.filter(pk=row.pk).update(
        state=TrainingState.RUNNING, attempts=F("attempts") + 1, heartbeat=now, started_at=row.started_at or now
    )
    return Training.objects.select_related("dataset", "asked_by").get(pk=row.pk)


def trained(row: Training, watch: RowWatch) -> Retraining:
    """Raises `refusals`, Cancelled and Lost."""
    from classifiers import manifests
    from classifiers.images import reader
    from classifiers.prompts import examples
    from classifiers.retraining import needed, retrain, retrain_backbone, retrain_prompts

    few_threads()
    watch.reach("reading", 0.0)
    recipe: Any = parse(row.kind, row.recipe)
    keep = needed(recipe) if row.kind == TrainingKind.HEADS else None
    manifest = manifests.read(datasets.folder_of(row.dataset), keep=keep)
    if row.kind == TrainingKind.PROMPTS:
        return retrain_prompts(examples.of_manifest(manifest), recipe=recipe, name=row.name or "prompts")
    if row.kind == TrainingKind.BACKBONE:
        result = retrain_backbone(
            manifest, recipe=recipe, name=row.name or "backbone", read=reader("storage:default"), watch=watch
        )
        assert result is not None, "a worker is a group of one"
        return result
    return retrain(manifest, recipe=recipe, name=row.name, watch=watch)


def few_threads() -> None:
    from classifiers.threads import use

    use(settings.TRAINING_THREADS)


def folder_of(row: Training) -> Path:
    """Where its checkpoints lie, on this machine: elsewhere it begins anew, and comes to the same."""
    return Path(settings.DATA_DIR) / "trainings" / str(row.pk)


@transaction.atomic
def end(row: Training, state: TrainingState, **fields: Any) -> str:
    """Afterwards it has ended like this, if it is still ours; returns the state, else ""."""
    mine = Training.objects.filter(pk=row.pk, attempts=row.attempts, state__in=Training.OPEN)
    share = {"share": 1.0} if state == TrainingState.DONE else {}
    if not mine.update(state=state, ended_at=timezone.now(), stage="", **share, **fields):
        return ""
    said = {name: str(value) for name, value in fields.items() if value not in ("", None)}
    if state != TrainingState.CANCELLED:  # that somebody stopped it is on record already
        record(row, HOUSE, f"training.{state}", **said)
    shutil.rmtree(folder_of(row), ignore_errors=True)
    return str(state)
