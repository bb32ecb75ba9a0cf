"""What a training tells while it runs, and how it is told to stop."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

MOST_POINTS = 200


class Cancelled(Exception):
    """Somebody asked the training to stop. Nothing was registered."""


@dataclass(frozen=True, slots=True)
class Point:
    """One look at a training: the mean loss on what it learns from (None where that is private), and log loss and mean
    AUC on labels kept apart, where there are any."""

    step: int
    loss: float | None
    validation: float | None = None
    auc: float | None = None

    def describe(self) -> dict[str, Any]:
        return {
            name: value if not isinstance(value, float) else round(value, 6)
            for name, value in asdict(self).items()
            if value is not None
        }


class Watch:
    """Told by a training where it is; this one listens to nothing. ``folder`` is where checkpoints are kept, or None.

    Whoever derives from it may raise Cancelled in ``reach`` and ``point``, which come many times a second.
    """

    folder: Path | None = None

    def reach(self, stage: str, share: float) -> None:
        """The training is in ``stage``, and ``share`` (0–1) of all its work is done."""

    def point(self, point: Point) -> None:
        """A look at the curve."""


def thinned(points: list[dict[str, Any]], *, most: int = MOST_POINTS) -> list[dict[str, Any]]:
    """At most so many: every second is left out until they are. The first and the last stay."""
    while len(points) > most:
        points = [*points[:-1:2], points[-1]]
    return points
