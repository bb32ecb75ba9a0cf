"""The membership-inference audit of a version, on the data set that taught it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from classifiers.membership import attack, bound, losses
from review.evaluations.labelled import Labelled, NothingToMeasure, of_manifest
from review.evaluations.scoring import scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifiers.models import ClassifierVersion
    from review.evaluations.learning import Learnt


def audit(version: ClassifierVersion, taught: Learnt | None) -> dict[str, Any] | None:
    """Losses on its training split against those on the test split of the same data set: pooled over its categories,
    and by category. None where its data set is not at hand, or too small to say anything.
    """
    if taught is None:
        return None
    try:
        members, others = (of_manifest(taught.manifest, split) for split in ("train", "test"))
    except NothingToMeasure:
        return None
    inside, outside = loss_of(version, members), loss_of(version, others)
    pooled = attack(inside[np.isfinite(inside)], outside[np.isfinite(outside)])
    if pooled is None:
        return None
    categories = {}
    for code in version.categories:
        one = attack(of(members, inside, code), of(others, outside, code))
        if one is not None:
            categories[code] = one
    claim = claimed(version)
    against = bound(pooled, epsilon=claim["epsilon"], delta=claim["delta"]) if claim else None
    return {"pooled": pooled, "categories": categories, "claim": claim, "bound": against}


def loss_of(version: ClassifierVersion, rows: Labelled) -> NDArray[np.float64]:
    return losses(scores(version, rows), rows.label)


def of(rows: Labelled, loss: NDArray[np.float64], code: str) -> NDArray[np.float64]:
    here: NDArray[np.bool_] = (rows.category == code) & np.isfinite(loss)
    return loss[here]


def claimed(version: ClassifierVersion) -> dict[str, float] | None:
    """ε and δ that its card states, if it states both."""
    said = version.card.get("privacy")
    if not isinstance(said, dict):
        return None
    found = {name: said.get(name) for name in ("epsilon", "delta")}
    numbers = {k: float(v) for k, v in found.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    return numbers if len(numbers) == len(found) else None
