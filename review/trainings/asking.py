"""Asking for a training, and calling it off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from moderation import audit
from moderation.actors import Actor
from moderation.models import Scope, TriagePlan, User
from review import datasets
from review.models import Dataset, Training, TrainingKind, TrainingState
from review.queue import NotForYou


class UnfitTraining(Exception):
    """It cannot be trained like that; nothing was begun. `pointer` names the field, the message says what to mend."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


class TooLate(Exception):
    """It has ended already."""


@transaction.atomic
def ask(
    person: User,
    *,
    dataset: UUID,
    kind: str = TrainingKind.HEADS,
    recipe: Mapping[str, Any] | None = None,
    name: str = "",
) -> Training:
    """Afterwards it waits for a worker. Raises NotForYou or UnfitTraining: an unknown data set, a recipe that cannot
    be, or a privacy budget above the one of the plan in force.
    """
    check(person)
    if kind not in TrainingKind.values:
        raise UnfitTraining("#/kind", _("Choose what to train: %(kinds)s.") % {"kinds": ", ".join(TrainingKind.values)})
    chosen = Dataset.objects.filter(pk=dataset).first()
    if chosen is None:
        raise UnfitTraining("#/dataset", _("There is no such data set."))
    try:
        datasets.folder_of(chosen)
    except datasets.FilesGone as error:
        raise UnfitTraining("#/dataset", str(error)) from error
    if chosen.bare and kind == TrainingKind.HEADS:
        raise UnfitTraining("#/dataset", _("It has no embeddings, and heads learn on those. Make one with embeddings."))
    table = dict(recipe or {})
    check_recipe(kind, table)
    check_budget(table)
    row = Training.objects.create(kind=kind, dataset=chosen, recipe=table, name=name, asked_by=person)
    record(row, Actor.person(person), "training.asked", kind=kind, dataset=chosen.fingerprint, recipe=table, name=name)
    return row


@transaction.atomic
def cancel(training_id: UUID, person: User) -> Training:
    """Afterwards it is cancelled, or stops at its next step. Nothing of it is registered. Raises NotForYou,
    Training.DoesNotExist or TooLate.
    """
    check(person)
    row = Training.objects.select_for_update(no_key=True, of=("self",)).get(pk=training_id)
    if not row.open:
        raise TooLate(_("It has ended already."))
    if row.cancelled_by_id is None:
        row.cancelled_by = person
        if row.state == TrainingState.QUEUED:
            row.state, row.ended_at = TrainingState.CANCELLED, timezone.now()
        row.save(update_fields=["cancelled_by", "state", "ended_at"])
        record(row, Actor.person(person), "training.cancelled")
    return row


def check(person: User) -> None:
    """Raises NotForYou."""
    if not person.has_scope(Scope.ML):
        raise NotForYou(_("Your roles do not include “%(scope)s”.") % {"scope": Scope.ML.label})


def check_recipe(kind: str, table: dict[str, Any]) -> None:
    """Raises UnfitTraining. Recipes are imported late: they come with arrow, which the web process does without."""
    from classifiers.training import TrainingError

    try:
        parse(kind, table)
    except TrainingError as error:
        raise UnfitTraining("#/recipe", str(error)) from error


def parse(kind: str, table: Mapping[str, Any]) -> Any:
    """The recipe of its kind. Raises TrainingError."""
    from classifiers.finetuning import BackboneRecipe
    from classifiers.prompt_training import PromptRecipe
    from classifiers.training import Recipe

    if kind == TrainingKind.BACKBONE:
        return BackboneRecipe.parse(table)
    return PromptRecipe.parse(table) if kind == TrainingKind.PROMPTS else Recipe.parse(table)


def check_budget(table: Mapping[str, Any]) -> None:
    """Raises UnfitTraining for an epsilon above the budget of the plan in force: it could never be adopted."""
    plan, asked = TriagePlan.objects.in_force(), table.get("target_epsilon") or 0
    budget = plan.body.get("privacy_budget") if plan else None
    if budget is not None and asked > budget:
        raise UnfitTraining(
            "#/recipe",
            _("The plan in force allows an epsilon of %(budget)s at most, you ask for %(asked)s.")
            % {"budget": f"{budget:g}", "asked": f"{asked:g}"},
        )


def record(row: Training, actor: Actor, what: str, **more: Any) -> None:
    audit.record(audit.Entry(actor, what, f"training:{row.pk}", more))
