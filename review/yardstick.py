"""A labelled data set as the yardstick of a simulated plan: the same images, with what the set says of each.

An image violates where the set says so in any category. Where a plan blocks for a category of which the set says
nothing, it cannot be told whether that is wrongful, and the image counts on neither side. Each image counts its weight
in the set; the intervals are those of `review.backtest`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from classifiers.models import ClassifierVersion
from moderation.simulation.comparison import Comparison, compare_in
from moderation.simulation.history import Window, find
from moderation.simulation.sweep import APPROVE, BLOCK, QUARANTINE, UNSEEN, Sweep
from review.backtest import Errors, estimate, estimate_json
from review.datasets import FilesGone, folder_of
from review.models import Dataset

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from moderation.plans import Plan
    from moderation.simulation.history import Keys

MOST_ROWS: Final = 5_000_000
UNKNOWN: Final = -1
SPLITS: Final = ("train", "validation", "test")
MEASURES: Final = ("missed", "wrongful", "precision", "recall")
COLUMNS: Final = ("submission_id", "category", "label", "weight")


class UnfitYardstick(Exception):
    """No plan can be measured by this data set here. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """The images of a data set, by key, with their weights: `labels[category]` 1 where one violates it, 0 where it does
    not, UNKNOWN where the set says nothing. `foreign` images bear no id of this house.
    """

    keys: Keys
    weights: NDArray[np.float64]
    labels: Mapping[str, NDArray[np.int8]]
    foreign: int = 0

    @property
    def violating(self) -> NDArray[np.bool_]:
        found = np.zeros(len(self.keys), np.bool_)
        for column in self.labels.values():
            found |= column == 1
        return found

    def taken(self, which: NDArray[Any]) -> Labelled:
        labels = {code: column[which] for code, column in self.labels.items()}
        return Labelled(self.keys[which], self.weights[which], labels, self.foreign)


@dataclass(frozen=True, slots=True)
class CategoryErrors:
    """How far each plan's bands in one category agree with the set, over the `labels` that it has there."""

    category: str
    labels: int
    violating: int
    before: Errors
    after: Errors


@dataclass(frozen=True, slots=True)
class Measured:
    """Two plans by one data set: `labels` of its images could be judged, `absent` are not stored here, or no longer.

    `learnt` from it: versions whose figures are too good on the images they were shown.
    """

    dataset: Dataset
    split: str
    labels: int
    violating: int
    absent: int
    before: Errors
    after: Errors
    categories: Sequence[CategoryErrors]
    learnt: Sequence[str]


def named(text: str) -> Dataset:
    """By id, by fingerprint, or by twelve digits of it and more. Raises Dataset.DoesNotExist."""
    try:
        return Dataset.objects.get(pk=UUID(text)) if len(text) == 36 else by_fingerprint(text)
    except (ValueError, ValidationError) as error:
        raise Dataset.DoesNotExist from error


def by_fingerprint(text: str) -> Dataset:
    found = list(Dataset.objects.filter(fingerprint__startswith=text.lower())[:2]) if len(text) >= 12 else []
    if len(found) != 1:
        raise Dataset.DoesNotExist
    return found[0]


def measured(dataset: Dataset, before: Plan | None, after: Plan, *, split: str = "") -> tuple[Comparison, Measured]:
    """Both plans over the images of the data set, or of one split of it, that triage has seen here. Raises
    UnfitYardstick.
    """
    labelled = read(dataset, split)
    found = compare_in(Window.named(labelled.keys), before, after)
    rows = find(labelled.keys, found.history.keys)
    known = rows >= 0
    known[known] = found.judged[rows[known]]
    rows, kept = rows[known], labelled.taken(known)
    pins = [*after.classifiers, *(before.classifiers if before else ())]
    learnt = ClassifierVersion.objects.with_refs(pins).filter(manifest_fingerprint=dataset.fingerprint)
    return found, Measured(
        dataset,
        split,
        len(rows),
        int(np.count_nonzero(kept.violating)),
        labelled.foreign + len(labelled.keys) - len(found.history),
        errors(found.before, rows, kept),
        errors(found.after, rows, kept),
        [in_category(code, found, rows, kept) for code in sorted(kept.labels) if (kept.labels[code] != UNKNOWN).any()],
        sorted(one.ref for one in learnt),
    )


def read(dataset: Dataset, split: str = "") -> Labelled:
    """Its images with their labels, every file checked against its digest. Raises UnfitYardstick."""
    from classifiers import manifests  # late: pyarrow, which the web process does without until somebody asks

    if dataset.rows > MOST_ROWS:
        raise UnfitYardstick(
            _("The data set has more than %(most)d labels: make one that is smaller.") % {"most": MOST_ROWS}
        )
    try:
        manifest = manifests.read(folder_of(dataset))
    except (FilesGone, manifests.ManifestError) as error:
        raise UnfitYardstick(str(error)) from error
    if manifest.fingerprint != dataset.fingerprint:
        raise UnfitYardstick(
            _("The files there are of another data set, %(name)s.") % {"name": manifest.fingerprint[:12]}
        )
    found = labelled_of((manifest.split(split) if split else manifest).table.select(list(COLUMNS)))
    if not len(found.keys):
        raise UnfitYardstick(_("None of its images bears an id of this house, or none has a label."))
    return found


def labelled_of(table: pa.Table) -> Labelled:
    """A row an image; what has no label in any category is left out."""
    from pyarrow import compute

    table = table.filter(compute.is_valid(table["label"]))
    names = table["submission_id"].combine_chunks().dictionary_encode()
    which = names.indices.to_numpy()
    numbers = [number_of(str(name)) for name in names.dictionary.to_pylist()]
    own = np.array([number is not None for number in numbers], np.bool_)
    keys = np.array([divmod(number or 0, 1 << 64) for number in numbers], np.uint64).reshape(-1, 2)
    weights = np.ones(len(numbers))
    weights[which] = np.nan_to_num(table["weight"].to_numpy(), nan=1.0)
    codes, labels = table["category"].to_numpy(), table["label"].to_numpy().astype(np.int8)
    columns = {}
    for code in map(str, table["category"].unique().to_pylist()):
        column = np.full(len(numbers), UNKNOWN, np.int8)
        there = codes == code
        np.maximum.at(column, which[there], labels[there])
        columns[code] = column
    whole = Labelled(keys, weights, columns, int(np.count_nonzero(~own)))
    return whole.taken(own & (weights > 0))


def number_of(name: str) -> int | None:
    try:
        return UUID(name).int
    except ValueError:
        return None


def errors(sweep: Sweep, rows: NDArray[np.intp], kept: Labelled) -> Errors:
    """Of the whole plan: where each image goes, whichever category sent it there."""
    actions = sweep.actions[rows]
    assert not (actions == UNSEEN).any()
    violating = kept.violating
    blocked = (actions == BLOCK) | (actions == QUARANTINE)
    known = violating | (labels_of_cause(sweep, rows, kept) != UNKNOWN)
    return counted(actions == APPROVE, blocked & known, violating, kept.weights)


def labels_of_cause(sweep: Sweep, rows: NDArray[np.intp], kept: Labelled) -> NDArray[np.int8]:
    """What the set says of the category that decided each image."""
    causes, said = sweep.categories[rows], np.full(len(rows), UNKNOWN, np.int8)
    for index, code in enumerate(sweep.names):
        if code in kept.labels:
            here = causes == index
            said[here] = kept.labels[code][here]
    return said


def in_category(code: str, found: Comparison, rows: NDArray[np.intp], kept: Labelled) -> CategoryErrors:
    known = kept.labels[code] != UNKNOWN
    violating, weights = kept.labels[code][known] == 1, kept.weights[known]

    def side(sweep: Sweep) -> Errors:
        zones = sweep.zones.get(code)
        zone = np.full(len(violating), UNSEEN, np.int8) if zones is None else zones[rows[known]]
        return counted((zone == APPROVE) | (zone == UNSEEN), zone == BLOCK, violating, weights)

    hits = int(np.count_nonzero(violating))
    return CategoryErrors(code, len(violating), hits, side(found.before), side(found.after))


def counted(
    approved: NDArray[np.bool_], blocked: NDArray[np.bool_], violating: NDArray[np.bool_], weights: NDArray[np.float64]
) -> Errors:
    return Errors(
        estimate(violating[approved], weights[approved]),
        estimate(~violating[blocked], weights[blocked]),
        estimate(violating[blocked], weights[blocked]),
        estimate(~approved[violating], weights[violating]),
    )


def as_json(found: Measured) -> dict[str, Any]:
    """For programs; shares between 0 and 1."""

    def told(side: Errors) -> dict[str, Any]:
        return {name: estimate_json(getattr(side, name)) for name in MEASURES}

    return {
        "fingerprint": found.dataset.fingerprint,
        "split": found.split or None,
        "labels": found.labels,
        "violating": found.violating,
        "absent": found.absent,
        "learnt_from_it": list(found.learnt),
        "before": told(found.before),
        "after": told(found.after),
        "categories": [
            {
                "category": one.category,
                "labels": one.labels,
                "violating": one.violating,
                "before": told(one.before),
                "after": told(one.after),
            }
            for one in found.categories
        ],
    }
