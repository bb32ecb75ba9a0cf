"""Groups that were declared: weights that part them from the label, and the gaps that are left between them.

A group is never inferred: it is a column of the manifest that a client or a person declared, or a file that says of
each submission what was declared of it.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from classifiers.fitting import Labels
from classifiers.labels import SCHEMA
from classifiers.manifests import Manifest
from classifiers.training.faults import TrainingError

DERIVED = frozenset(
    {"submission_id", "image", "sha256", "pdq", "prompt", "category", "source", "cluster_id", "split"}
    | {"policy_version", "plan_version"}
)
"""Texts of the manifest that are no declaration of a group: names, the prompt, and what the house itself says."""
FEWEST = 20
"""Labels of a group below which its rates are noise: it has no part in a gap."""


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """The group of each picture, by number, -1 where none was declared."""

    column: str
    names: tuple[str, ...]
    of_picture: NDArray[np.int64]

    def of(self, labels: Labels) -> NDArray[np.int64]:
        return self.of_picture[labels.rows]


def read(path: Path, column: str) -> dict[str, str]:
    """What a CSV with ``submission_id`` and ``column`` declares, by submission. TrainingError where it does not."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            table = csv.DictReader(file)
            missing = [name for name in ("submission_id", column) if name not in (table.fieldnames or ())]
            if missing:
                raise TrainingError(f"{path.name} has no column {missing[0]}: give a CSV with submission_id,{column}")
            return {row["submission_id"]: row[column] or "" for row in table}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrainingError(f"groups {path} cannot be read: {error}") from error


def gather(
    manifest: Manifest, row_of: NDArray[np.int64], *, column: str, declared: Mapping[str, str] | None = None
) -> Groups:
    """The group of each picture by a column of the manifest, or by what ``declared`` says of its submission.

    TrainingError where the column is none that was declared, or fewer than two groups are.
    """
    if declared is not None:
        said = [declared.get(str(key) if key is not None else "", "") for key in manifest.column("submission_id")]
    else:
        texts = [field.name for field in SCHEMA if pa.types.is_string(field.type) and field.name not in DERIVED]
        if column not in texts:
            raise TrainingError(
                f"{column} is no declared column of the manifest: use {', '.join(texts)}, or give a file of groups"
            )
        said = manifest.column(column).tolist()
    names = sorted({name for name in said if name})
    if len(names) < 2:
        raise TrainingError(f"{column} declares {len(names)} group: a gap needs two")
    number = {name: at for at, name in enumerate(names)}
    pictures = np.full(int(row_of.max()) + 1, -1, dtype=np.int64)
    for row, name in zip(row_of, said, strict=True):
        if row >= 0 and name:
            pictures[row] = number[name]
    return Groups(column, tuple(names), pictures)


def reweighing(labels: Labels, groups: Groups) -> NDArray[np.float64]:
    """w(a, y) = P(a) P(y) / P(a, y) for each label (Kamiran and Calders 2012), P by weight among the labels whose group
    is known; 1 where it is not. Afterwards group and label are independent, and all weights sum to what they did."""
    group, label, weight = groups.of(labels), labels.label.astype(np.int64), labels.weight
    known = group >= 0
    factor = np.ones(len(label))
    table = np.zeros((len(groups.names), 2))
    np.add.at(table, (group[known], label[known]), weight[known])
    if table.sum() == 0:
        return factor
    table /= table.sum()
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True)
    ratio = np.divide(expected, table, out=np.ones_like(table), where=table > 0)
    factor[known] = ratio[group[known], label[known]]
    return factor


def gaps(selected: NDArray[np.bool_], labels: Labels, groups: Groups, *, threshold: float) -> dict[str, Any]:
    """Rates by group where a threshold is crossed, and the largest differences between groups of FEWEST labels.

    ``selection_rate`` is the share flagged, ``tpr`` of the violating, ``fpr`` of the rest; ``demographic_parity`` and
    ``equalized_odds`` are the differences as fairlearn defines them, the latter the larger of those in tpr and fpr.
    """
    group, label, weight = groups.of(labels), labels.label == 1, labels.weight
    rows: dict[str, dict[str, Any]] = {}
    for at, name in enumerate(groups.names):
        mine = group == at
        if mine.sum() < FEWEST:
            continue
        rows[name] = {
            "n": int(mine.sum()),
            "positives": int(label[mine].sum()),
            "selection_rate": _rate(selected, weight, mine),
            "tpr": _rate(selected, weight, mine & label),
            "fpr": _rate(selected, weight, mine & ~label),
        }
    apart = {key: _spread([one[key] for one in rows.values()]) for key in ("selection_rate", "tpr", "fpr")}
    odds = [value for value in (apart["tpr"], apart["fpr"]) if value is not None]
    return {
        "column": groups.column,
        "threshold": threshold,
        "by_group": rows,
        "demographic_parity": apart["selection_rate"],
        "equal_opportunity": apart["tpr"],
        "equalized_odds": max(odds) if len(odds) == 2 else None,
    }


def _rate(selected: NDArray[np.bool_], weight: NDArray[np.float64], among: NDArray[np.bool_]) -> float | None:
    total = float(weight[among].sum())
    return float(weight[among & selected].sum() / total) if total > 0 else None


def _spread(rates: list[float | None]) -> float | None:
    known = [rate for rate in rates if rate is not None]
    return max(known) - min(known) if len(known) > 1 else None
