"""What a training at work tells its row, and what it hears from it."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from django.db import DatabaseError, connections
from django.utils import timezone

from classifiers.progress import Cancelled, Point, Watch, thinned
from review.models import Training, TrainingState

BEAT: Final = 5.0
"""Seconds between signs of life, also while nothing is told."""
TOLD: Final = 0.5
"""Seconds between two writes of how far it is."""


class Lost(Exception):
    """Somebody else took the training up: this process was taken to be dead."""


class RowWatch(Watch):
    """For the block, a thread of its own gives signs of life; where the row is not ours any more, or is to stop, the
    next word of the training raises Lost or Cancelled. `folder` keeps its checkpoints."""

    folder: Path

    def __init__(self, row: Training, folder: Path) -> None:
        self.row, self.folder = row, folder
        self._file = folder / "points.jsonl"
        self._points = self._kept() or list(row.points)
        self._stage, self._share, self._told = row.stage, row.share, 0.0
        self._over, self._stop = threading.Event(), ""
        self._thread = threading.Thread(target=self._live, name=f"training-{row.pk}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        if kind is None:
            self._tell()

    def reach(self, stage: str, share: float) -> None:
        changed = stage != self._stage
        self._stage, self._share = stage, min(max(share, self._share), 1.0)
        self._hear(now=changed)

    def point(self, point: Point) -> None:
        # What a killed attempt told after its last checkpoint is told again.
        self._points = [one for one in self._points if one["step"] < point.step]
        self._points = thinned([*self._points, point.describe()])
        # The row is told twice a second: what came between must not be missing after a kill.
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(point.describe()) + "\n")
        self._hear()

    def _kept(self) -> list[dict[str, Any]]:
        """The points that an earlier attempt on this machine told; of those told twice the later."""
        found: dict[int, dict[str, Any]] = {}
        for line in self._file.read_text("utf-8").splitlines() if self._file.is_file() else ():
            try:
                point = json.loads(line)
                found[point["step"]] = point
            except (ValueError, TypeError, KeyError):
                continue  # cut short by the kill
        return thinned([found[step] for step in sorted(found)])

    def _hear(self, *, now: bool = False) -> None:
        if self._stop:
            raise Cancelled if self._stop == "cancelled" else Lost
        if now or time.monotonic() - self._told >= TOLD:
            self._tell()
            self._told = time.monotonic()
            if self._stop:
                raise Cancelled if self._stop == "cancelled" else Lost

    def _tell(self) -> None:
        said = {"stage": self._stage, "share": self._share, "points": self._points}
        self._check(self._mine().update(heartbeat=timezone.now(), **said))

    def _live(self) -> None:
        try:
            while not self._over.wait(BEAT):
                try:
                    self._check(self._mine().update(heartbeat=timezone.now()))
                except DatabaseError:
                    connections.close_all()  # a database that was restarted; the next beat will do
        finally:
            connections.close_all()

    def _mine(self) -> Any:
        return Training.objects.filter(pk=self.row.pk, attempts=self.row.attempts, state=TrainingState.RUNNING)

    def _check(self, found: int) -> None:
        if not found:
            self._stop = "lost"
        elif self._mine().filter(cancelled_by__isnull=False).exists():
            self._stop = "cancelled"
