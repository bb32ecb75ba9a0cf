"""A bar in the terminal for a training."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from classifiers.progress import Point, Watch


class Bar(Watch):
    """Stage, share, time and the latest figures, on standard error; nothing where that is no terminal."""

    def __init__(self, *, shown: bool = True, folder: Path | None = None) -> None:
        self.folder = folder
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        hidden = not shown or not console.is_terminal
        self._progress = Progress(*columns, TextColumn("{task.fields[figures]}"), console=console, disable=hidden)
        self._task = self._progress.add_task("reading", total=1.0, figures="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._progress.update(self._task, completed=1.0, description="done")
        self._progress.stop()

    def reach(self, stage: str, share: float) -> None:
        self._progress.update(self._task, description=stage, completed=share)

    def point(self, point: Point) -> None:
        shown = (("loss", point.loss), ("validation", point.validation), ("AUC", point.auc))
        words = "  ".join(f"{name} {value:.4f}" for name, value in shown if value is not None)
        self._progress.update(self._task, figures=words)
