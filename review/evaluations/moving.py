"""The images that change sides: settled otherwise by the candidate than by the version in service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from classifiers.evaluations.comparing import CANDIDATE, INCUMBENT

if TYPE_CHECKING:
    from classifiers.evaluations.samples import Samples
    from moderation.plans import Band
    from review.evaluations.labelled import Labelled

KEPT: Final = 200


def moved(samples: Samples, rows: Labelled, band: Band) -> list[dict[str, Any]]:
    """Those whose zone differs, the farthest moved first, KEPT at most; named by id, never shown here. `right`: the
    candidate's zone suits what people said better than the incumbent's did.
    """
    if not {CANDIDATE, INCUMBENT} <= samples.scores.keys():
        return []
    new, old = samples.scores[CANDIDATE], samples.scores[INCUMBENT]
    found = []
    for at in np.argsort(-np.abs(new - old), kind="stable"):
        before, after = band.zone(float(old[at])), band.zone(float(new[at]))
        if before == after:
            continue
        label = int(samples.label[at])
        found.append(
            {
                "submission": str(rows.submission[at]),
                "label": label,
                "before": round(float(old[at]), 6),
                "after": round(float(new[at]), 6),
                "from": before,
                "to": after,
                "right": fault(after, label) < fault(before, label),
            }
        )
        if len(found) == KEPT:
            break
    return found


def fault(zone: str, label: int) -> int:
    """0: settled rightly; 1: left to a person; 2: settled wrongly."""
    if zone == "review":
        return 1
    return 0 if (zone == "block") == bool(label) else 2
