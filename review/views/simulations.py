"""What a draft would do to the images that are stored, or to those of a labelled data set: as a page, with those that
move to look at, and as CSV.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from moderation import policies
from moderation.models import Scope, Status, Submission, TriagePlan
from moderation.plan_forms import WholePlanForm
from moderation.plans import Plan, PlanError
from moderation.simulation import changes, comparison, history
from moderation.simulation.comparison import Comparison
from moderation.simulation.sweep import ACTIONS
from moderation.views.access import PersonRequest, requires
from moderation.views.plans import OUTCOMES, Share, selectable, start
from review import backtest, images, yardstick
from review.agreement import verdicts_on
from review.datasets import FilesGone, folder_of
from review.models import Dataset, Verdict
from review.yardstick import UnfitYardstick

SIZES: Final = (10_000, 100_000, history.MOST)
SHOWN: Final = 60
OFFERED: Final = 20  # of the newest data sets
SPLITS: Final = {
    "": gettext_lazy("all of it"),
    "test": gettext_lazy("its test part"),
    "validation": gettext_lazy("its validation part"),
    "train": gettext_lazy("its training part"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """An image that would move. Without a picture where there must not be one."""

    submission: Submission
    old: Promise
    new: Promise
    category: str
    verdict: Verdict | None
    glimpse: str


def drafted(request: PersonRequest) -> tuple[WholePlanForm, Plan | None, Plan | None]:
    """The draft that was sent, else the plan in force; as a form, as a plan where it is one, and what is in force."""
    in_force = TriagePlan.objects.in_force()
    current = policies.parsed(in_force) if in_force else None
    versions = selectable(current)
    if request.method != "POST":
        return WholePlanForm(initial=start(request.GET, in_force), versions=versions), current, current
    form = WholePlanForm(request.POST, versions=versions)
    if not form.is_valid():
        return form, None, current
    try:
        plan = Plan.from_body(form.body(in_force.body if in_force else {}), number=0)
        policies.check(plan)
    except PlanError as error:
        form.add_error("classifiers", str(error))
        return form, None, current
    return form, plan, current


@dataclass(frozen=True, slots=True)
class Choice:
    """What a draft is tried on: the newest `size` images, or a part of a data set."""

    size: int
    dataset: str = ""
    split: str = ""

    @classmethod
    def of(cls, sent: QueryDict) -> Choice:
        """A button that names a size means the newest images, whichever data set is still chosen beside it."""
        sizes = {str(one): one for one in SIZES}
        last, split = sent.get("last", ""), sent.get("split", "")
        if last in sizes:
            return cls(sizes[last])
        size = sizes.get(sent.get("size", ""), SIZES[1])
        return cls(size, sent.get("dataset", ""), split if split in SPLITS else "")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Scope.POLICY)
def simulate(request: PersonRequest) -> HttpResponse:
    """The draft that was sent against the plan in force. `last`: images looked back on, `dataset` and `split`: those of
    a data set instead; `move`: the kind listed.
    """
    form, plan, current = drafted(request)
    choice = Choice.of(request.POST)
    context: dict[str, Any] = {"form": form, "in_force": TriagePlan.objects.in_force(), "choice": choice}
    context |= {"sizes": SIZES, "splits": SPLITS, "datasets": offered()}
    if plan is None:
        return render(request, "review/simulation.html", context)
    try:
        found, said = tried(choice, current, plan)
    except UnfitYardstick as refusal:
        return render(request, "review/simulation.html", {**context, "refused": str(refusal)})
    if request.POST.get("format") == "csv":
        return moves_csv(found)
    context |= told(request, found, chosen=request.POST.get("move", ""))
    context |= {"changes": changes(current, plan), **said}
    return render(request, "review/simulation.html", context)


def tried(choice: Choice, current: Plan | None, plan: Plan) -> tuple[Comparison, dict[str, Any]]:
    """Raises UnfitYardstick."""
    if not choice.dataset:
        found = comparison.compare(current, plan, last=choice.size)
        return found, {"people": backtest.backtest(found)}
    try:
        dataset = yardstick.named(choice.dataset)
    except Dataset.DoesNotExist as error:
        raise UnfitYardstick(_("There is no such data set.")) from error
    found, measured = yardstick.measured(dataset, current, plan, split=choice.split)
    return found, {"measured": measured}


def offered() -> list[Dataset]:
    """The newest whose files are here."""
    return [one for one in Dataset.objects.order_by("-pk")[:OFFERED] if is_here(one)]


def is_here(dataset: Dataset) -> bool:
    try:
        return bool(folder_of(dataset))
    except FilesGone:
        return False


def told(request: PersonRequest, found: Comparison, *, chosen: str) -> dict[str, Any]:
    rows = [row for row in found.moved.tolist() if chosen in {"", kind(found, row)}]
    keys = dict(zip(found.history.ids(np.array(rows, np.intp)), rows, strict=True))
    newest = sorted(keys, reverse=True)[:SHOWN]
    stored = Submission.objects.exclude(status=Status.QUARANTINED).in_bulk(newest)
    verdicts = verdicts_on(newest)
    return {
        "found": found,
        "shares": [
            Share(action, found.actions_before[action], found.actions_after[action], found.images)
            for action in ACTIONS
            if action != "quarantine" or found.actions_before[action] or found.actions_after[action]
        ],
        "moves": [
            (f"{old}-{new}", OUTCOMES[old], OUTCOMES[new], count) for (old, new), count in found.moves.most_common()
        ],
        "categories": sorted((one for one in found.categories if one.moved), key=lambda one: -one.moved),
        "chosen": chosen,
        "lines": [line(request, found, stored[key], keys[key], verdicts) for key in newest if key in stored],
        "more": max(0, len(rows) - SHOWN),
    }


def kind(found: Comparison, row: int) -> str:
    return f"{found.before.action(row)}-{found.after.action(row)}"


def line(
    request: PersonRequest, found: Comparison, submission: Submission, row: int, verdicts: Mapping[UUID, Verdict]
) -> Line:
    old, new = (OUTCOMES[ACTIONS[int(sweep.actions[row])]] for sweep in (found.before, found.after))
    category = found.after.category(row) or found.before.category(row)
    glimpse = images.glimpse(submission, request.user)
    return Line(submission, old, new, category, verdicts.get(submission.pk), glimpse)


def moves_csv(found: Comparison) -> HttpResponse:
    """Every image that would move, newest first, but for what is under legal hold."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="moves.csv"'
    rows = csv.writer(response)
    rows.writerow(["submission_id", "before", "category_before", "after", "category_after"])
    keys = sorted(zip(found.history.ids(found.moved), found.moved.tolist(), strict=True), reverse=True)
    held = set(Submission.objects.filter(status=Status.QUARANTINED).values_list("pk", flat=True))
    for key, row in keys:
        if key not in held:
            before, after = found.before, found.after
            rows.writerow([key, before.action(row), before.category(row), after.action(row), after.category(row)])
    return response
